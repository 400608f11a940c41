import { join } from 'node:path';
import { readRecording } from '../../../../src/recording/index.js';
import { median } from '../../peer.js';
import { type Finding, ms, type Part, percent, quantile } from '../finding.js';
import { answerOf, inFolder, startProgram } from '../program.js';

const PART = 'blocked';
const SECONDS = 10;
const RATE_GOAL = 990;
const ANSWERED_GOAL = 0.95;

/** What is still sampled while JavaScript blocks the event loop for ten seconds. */
export const blocked: Part = async ({ rounds }, say) => {
  const findings: Finding[] = [];
  for (const rateHz of [1000, 100]) {
    const taken: Blocked[] = [];
    for (let round = 1; round <= rounds; round++) {
      say(`${SECONDS} s at ${rateHz} Hz, round ${round} of ${rounds}`);
      taken.push(await inFolder((folder) => record(folder, rateHz)));
    }
    const middle = (pick: (one: Blocked) => number) => median(taken.map(pick));
    const reached = middle(({ gapsMs }) => gapsMs.length / SECONDS);
    const gap = (share: number) => ms(middle(({ gapsMs }) => quantile(gapsMs, share)));
    findings.push({
      part: PART,
      what: `samples a second at ${rateHz} Hz, loop blocked ${SECONDS} s`,
      measured: `${reached.toFixed(0)} (gaps: median ${gap(0.5)}, 99 % ${gap(0.99)}, longest ${gap(1)})`,
      ...(rateHz === 1000 && { goal: `at least ${RATE_GOAL}`, isMet: reached >= RATE_GOAL }),
    });
    const share = middle(({ gapsMs, answers }) => answers / gapsMs.length);
    findings.push({
      part: PART,
      what: `ticks with V8 figures at ${rateHz} Hz, blocked in plain JavaScript`,
      measured: percent(share, 1),
      ...(rateHz === 100 && { goal: `at least ${percent(ANSWERED_GOAL, 0)}`, isMet: share >= ANSWERED_GOAL }),
    });
    findings.push({
      part: PART,
      what: 'setInterval(process.memoryUsage, 1) meanwhile, samples a second',
      measured: middle(({ byTimer }) => byTimer / SECONDS).toFixed(0),
    });
  }
  return findings;
};

interface Blocked {
  byTimer: number;
  /** Between two samples; one a sample. */
  gapsMs: number[];
  answers: number;
}

async function record(folder: string, rateHz: number): Promise<Blocked> {
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
  const gapsMs = during('rss_bytes').map(
    (timeMs, i, all) => timeMs - (all[i - 1] ?? phase?.startMs ?? timeMs),
  );
  return { ...answer, gapsMs, answers: during('heap_used_bytes').length };
}
