import { parseArgs } from 'node:util';
import { ANALYSIS_DEFAULTS } from '../../../src/detect/analysis-defaults.js';
import { loadWindow } from '../../../src/detect/floor.js';
import { growingSeries } from '../../../src/detect/grown-series.js';
import { judgeProcess } from '../../../src/detect/process-judge.js';
import { judgeByCompetition } from '../../../src/detect/recording-judge.js';
import { diagnose } from '../../../src/diagnose.js';
import { readRecording } from '../../../src/recording/index.js';
import { processSeriesOf } from '../../../src/recording/recorded-process.js';
import { labelledSeries } from '../../truth/corpus.js';
import { longRecording } from './long-recording.js';

/**
 * `npm run bench:detect`: what reading and judging costs, CPU seconds of this
 * process, and how long the two take together. The recordings are made in
 * build/bench-detect by the native writer, once.
 */
const { values: options } = parseArgs({ options: { hours: { type: 'string', default: '1,2,4,8' } } });
const TARGET_SECONDS = { readingAndJudging: 1, series: 0.1 };

function cpuSeconds(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function timed<Result>(work: () => Result): { seconds: number; result: Result } {
  const before = process.cpuUsage();
  const result = work();
  return { seconds: cpuSeconds(before), result };
}

const thresholds = {
  maxBaselineMemoryBytes: 1e12,
  maxMemoryGrowthRate: 1e12,
  maxMemoryPerOperation: 1e12,
  leakThresholdBytes: ANALYSIS_DEFAULTS.leakThresholdBytes,
  cleanupTimeoutSeconds: 60,
};

let isMet = true;
console.log('a recording at 1 kHz, CPU seconds');
console.log(
  '   hours     samples    read    as a test   as any series   other series   whole diagnosis   read and judged, wall',
);
for (const hours of options.hours.split(',').map(Number)) {
  const { path, samples } = longRecording(hours);
  const before = process.cpuUsage();
  const startMs = performance.now();
  const recording = await readRecording(path);
  const reading = cpuSeconds(before);
  const asSeries = timed(() => judgeProcess(processSeriesOf(recording), ANALYSIS_DEFAULTS));
  const wallSeconds = (performance.now() - startMs) / 1000;
  const asTest = timed(() => judgeByCompetition(recording, ANALYSIS_DEFAULTS));
  const window = loadWindow(recording);
  if (window === undefined) throw new Error('the recording has no load');
  const others = timed(() => growingSeries(recording, window));
  const whole = timed(() =>
    diagnose(recording, {
      thresholds,
      judging: ANALYSIS_DEFAULTS,
      scenario: 'LongRunningStability',
      memoryLimitBytes: null,
    }),
  );
  for (const { result } of [asTest, asSeries])
    if (result.verdict !== 'leak') throw new Error(`the verdict is ${result.verdict}: ${result.explanation}`);
  const figures = [reading, asTest.seconds, asSeries.seconds, others.seconds, whole.seconds, wallSeconds];
  if (wallSeconds > TARGET_SECONDS.readingAndJudging) isMet = false;
  const cells = figures.map((seconds, i) => seconds.toFixed(2).padStart([8, 13, 16, 15, 18, 24][i] ?? 8));
  console.log(
    `${String(hours).padStart(8)} ${samples.toLocaleString('en-US').padStart(11)}${cells.join('')}`,
  );
}

const seconds = [...labelledSeries('dev', 1)].map(
  ({ series }) => timed(() => judgeProcess(series, ANALYSIS_DEFAULTS)).seconds,
);
const mean = seconds.reduce((sum, value) => sum + value, 0) / seconds.length;
if (mean > TARGET_SECONDS.series) isMet = false;
console.log(
  `\na series of some 500 to 1,900 samples: ${mean.toFixed(3)} s on average, ${Math.max(...seconds).toFixed(3)} s at most`,
);
console.log(
  `targets: ${TARGET_SECONDS.readingAndJudging} s for reading and judging eight hours, ${TARGET_SECONDS.series} s for a series: ${isMet ? 'met' : 'MISSED'}`,
);
process.exitCode = isMet ? 0 : 1;
