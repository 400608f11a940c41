import { join } from 'node:path';
import { readRecording } from '../../../../src/recording/index.js';
import { type Finding, ms, type Part, percent, quantile } from '../finding.js';
import { answerOf, inFolder, startProgram } from '../program.js';

const PART = 'blocked';
const SECONDS = 10;
const RATE_GOAL = 990;
const ANSWERED_GOAL = 0.95;

/** What is still sampled while JavaScript blocks the event loop for ten seconds. */
export const blocked: Part = async (_effort, say) => {
  const findings: Finding[] = [];
  for (const rateHz of [1000, 100]) {
    say(`${SECONDS} s at ${rateHz} Hz`);
    const { byTimer, timesMs, answers } = await inFolder((folder) => record(folder, rateHz));
    const reached = timesMs.length / SECONDS;
    const gaps = timesMs.slice(1).map((timeMs, i) => timeMs - (timesMs[i] as number));
    findings.push({
      part: PART,
      what: `samples a second at ${rateHz} Hz, loop blocked ${SECONDS} s (gap p50, p99, longest)`,
      measured: `${reached.toFixed(0)} (${ms(quantile(gaps, 0.5))}, ${ms(quantile(gaps, 0.99))}, ${ms(Math.max(...gaps))})`,
      ...(rateHz === 1000 && { goal: `at least ${RATE_GOAL}`, isMet: reached >= RATE_GOAL }),
    });
    const share = answers / timesMs.length;
    findings.push({
      part: PART,
      what: `ticks with V8 figures at ${rateHz} Hz, blocked in plain JavaScript`,
      measured: percent(share, 1),
      ...(rateHz === 100 && { goal: `at least ${percent(ANSWERED_GOAL, 0)}`, isMet: share >= ANSWERED_GOAL }),
    });
    findings.push({
      part: PART,
      what: `setInterval(process.memoryUsage, 1) meanwhile, samples a second`,
      measured: (byTimer / SECONDS).toFixed(0),
    });
  }
  return findings;
};

async function record(folder: string, rateHz: number) {
  const path = join(folder, 'blocked.cmrec');
  const child = startProgram('blocked', [String(rateHz), String(SECONDS), path]);
  const answer = await answerOf<{ byTimer: number }>(child, 6 * SECONDS);
  if (typeof answer === 'string') throw new Error(answer);
  const recording = await readRecording(path);
  const phase = recording.phases().find((one) => one.phase === 'blocked');
  const during = (channel: string) => {
    const series = recording.series(channel);
    if (!series || !phase) throw new Error(`the recording has no ${channel}`);
    return [...recording.window(series, phase.startMs, phase.endMs).timesMs];
  };
  return { ...answer, timesMs: during('rss_bytes'), answers: during('heap_used_bytes').length };
}
