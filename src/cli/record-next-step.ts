import type { RunReport } from '../diagnosis/index.js';
import type { NextStep } from './next-step.js';
import { easilyTyped, quoted } from './next-step.js';
import type { RecordArguments } from './record-command.js';

/** The one command that tells most after a recording. */
export function nextAfterRecording(
  { results }: RunReport,
  command: readonly string[],
  given: Pick<RecordArguments, 'duration' | 'collectEvery'>,
): NextStep | undefined {
  const program = command.map(quoted).join(' ');
  const isExplained = results.some(({ leakDetection }) => (leakDetection.suspects?.length ?? 0) > 0);
  if (!isExplained && results.some(({ leakDetection }) => leakDetection.leakDetected))
    return {
      command: `crucible-memory snapshot -- ${program}`,
      reason: 'a heap snapshot of it: what is held, and by whom',
    };
  const undecided = results.filter(({ leakDetection }) => leakDetection.verdict === 'inconclusive');
  if (undecided.length === 0) return undefined;
  const neededSeconds = Math.max(...undecided.map(({ leakDetection }) => leakDetection.neededSeconds ?? 0));
  const options = [
    `--collect-every ${given.collectEvery ?? '1s'}`,
    ...(neededSeconds > 0 && Number.isFinite(neededSeconds)
      ? [`--duration ${easilyTyped(neededSeconds)}`]
      : []),
  ];
  return {
    command: `crucible-memory record ${options.join(' ')} -- ${program}`,
    reason: 'long enough and collected often enough to judge',
  };
}
