import type { EventEmitter } from 'node:events';
import { createColors } from 'picocolors';
import { outcomeOf } from '../report/index.js';
import type { RunnerEvents } from '../runner/progress.js';
import { STOPPING } from './interruption.js';
import { type ProgressDisplay, RunProgress } from './run-progress.js';
import type { Screen } from './terminal.js';
import { finishedText, overallText, runningText, scenarioColumn } from './test-line.js';

/** A test that takes long says so this often, so that a log shows it is alive. */
const HEARTBEAT_MS = 60_000;

/** A line for each thing that happens: for logs, pipes and CI. */
export function showLines(
  runner: EventEmitter<RunnerEvents>,
  stream: NodeJS.WriteStream,
  screen: Screen,
  signal: AbortSignal,
): ProgressDisplay {
  const paint = createColors(screen.colour);
  let progress = new RunProgress([]);
  let lastHeartbeatMs = 0;
  const say = (line: string) => void stream.write(`${line}\n`);

  runner.on('plan', (plan) => {
    progress = new RunProgress(plan);
  });
  runner.on('testStart', (test) => {
    progress.started(test);
    lastHeartbeatMs = 0;
  });
  runner.on('progress', (update) => {
    const test = progress.progressed(update);
    if (!test || update.elapsedMs - lastHeartbeatMs < HEARTBEAT_MS) return;
    lastHeartbeatMs = update.elapsedMs;
    say(`  ${update.testId}: ${runningText(test, paint)}; ${overallText(progress)}`);
  });
  runner.on('log', (testId, line) => say(`  ${testId}: ${line}`));
  runner.on('alert', (result, violation) =>
    say(`  ${result.testId}: ${violation.severity}: ${violation.description}`),
  );
  runner.on('testEnd', (result) => {
    const test = progress.ended(result);
    const total = String(progress.tests.length);
    const number = String(progress.finishedCount).padStart(total.length);
    const name = `${result.serviceType} ${scenarioColumn(result.scenario)}`;
    say(
      `[${number}/${total}] ${outcomeOf(result).mark} ${name}  ${finishedText(result, test?.trace ?? [], paint)}`,
    );
  });
  signal.addEventListener('abort', () => say(STOPPING), { once: true });
  return { finish: async () => {} };
}
