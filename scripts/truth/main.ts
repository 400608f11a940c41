import { parseArgs } from 'node:util';
import { judgeProcess } from '../../src/detect/process-judge.js';
import type { LeakDetectionResult } from '../../src/diagnosis/index.js';
import { BASELINES } from './baselines.js';
import { type LabelledSeries, labelledSeries, onlyThreeSignals, SETS, type SetName } from './corpus.js';
import { linesOf, pageOf, TARGETS } from './page.js';
import { type Scored, score } from './score.js';
import { TRUTH_SETTINGS } from './settings.js';

/**
 * `npm run truth`: the detector, and the usual methods beside it, on series of
 * which everything is known. Exits 1 when a target is missed.
 *
 *   node dist/scripts/truth/main.js [--set public|dev] [--seeds 30] [--no-baselines]
 */
const { values: options } = parseArgs({
  options: {
    set: { type: 'string', default: 'public' },
    seeds: { type: 'string', default: '30' },
    'no-baselines': { type: 'boolean', default: false },
  },
});
const set = options.set as SetName;
if (!(set in SETS)) throw new Error(`--set ${set}: expected ${Object.keys(SETS).join(', ')}`);
const seeds = Number(options.seeds);

const full: Scored[] = [];
const three: Scored[] = [];
const baselines = BASELINES.map(({ name, judge }) => ({ name, judge, scored: [] as Scored[] }));
const began = process.cpuUsage().user;
let judgingUs = 0;
for (const labelled of labelledSeries(set, seeds)) {
  const before = process.cpuUsage().user;
  full.push(scoredOf(labelled, judgeProcess(labelled.series, TRUTH_SETTINGS)));
  const reduced = onlyThreeSignals(labelled);
  three.push(scoredOf(reduced, judgeProcess(reduced.series, TRUTH_SETTINGS)));
  judgingUs += process.cpuUsage().user - before;
  if (options['no-baselines']) continue;
  for (const { judge, scored } of baselines) {
    const { leak, bytesPerSecond } = judge(labelled.series);
    scored.push({
      family: labelled.family,
      truth: labelled.leak ?? null,
      verdict: leak ? 'leak' : 'no-leak',
      probability: leak ? 1 : 0,
      pattern: null,
      bytesPerSecond: bytesPerSecond ?? null,
    });
  }
}

const results = [
  { title: 'with the allocator signal', scored: full, targets: TARGETS.withAllocator },
  { title: 'RSS, heap and floor only', scored: three, targets: TARGETS.withoutAllocator },
].map(({ title, scored, targets }) => {
  const figures = score(scored);
  const lines = linesOf(figures, targets);
  console.log(`${pageOf(title, figures, lines)}\n`);
  return lines;
});
if (!options['no-baselines']) {
  console.log('the usual methods on the same series:');
  for (const { name, scored } of baselines) {
    const { precision, recall, f1, falseAlarmRate, rateErrorMedian } = score(scored);
    const figures = {
      precision,
      recall,
      F1: f1,
      'false alarms': falseAlarmRate,
      'rate error': rateErrorMedian,
    };
    const words = Object.entries(figures).map(([what, figure]) => `${what} ${figure.toFixed(3)}`);
    console.log(`  ${name.padEnd(34)} ${words.join('  ')}`);
  }
}
console.log(
  `\n${(judgingUs / 1000 / (2 * full.length)).toFixed(0)} ms of CPU for a series, ${((process.cpuUsage().user - began) / 1e6).toFixed(0)} s in all`,
);
process.exitCode = results.flat().every(({ isMet }) => isMet) ? 0 : 1;

function scoredOf({ family, leak }: LabelledSeries, result: LeakDetectionResult): Scored {
  return {
    family,
    truth: leak ?? null,
    verdict: result.verdict,
    probability: result.leakDetected ? result.confidence : 1 - result.confidence,
    pattern: result.patternAnalysis?.patternType ?? null,
    bytesPerSecond: result.leakDetected ? result.leakRate : null,
  };
}
