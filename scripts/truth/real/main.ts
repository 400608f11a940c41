import { judgeProcess } from '../../../src/detect/process-judge.js';
import type { ProcessSeries } from '../../../src/recording/process-series.js';
import { TRUTH_SETTINGS } from '../settings.js';
import { realRecordings } from './recordings.js';

/**
 * `npm run truth:real`: the detector on the recordings of real programs, with
 * the allocator's figure and without it. Exits 1 for a false alarm or a leak
 * that was missed.
 */
let wrong = 0;
for (const [title, seen] of [
  ['with the allocator signal', (series: ProcessSeries) => series],
  ['RSS, heap and floor only', withoutAllocator],
] as const) {
  console.log(title);
  for (const { series, pattern } of realRecordings()) {
    const result = judgeProcess(seen(series), TRUTH_SETTINGS);
    const isRight = result.leakDetected === (pattern !== null);
    if (!isRight) wrong++;
    const named = result.patternAnalysis?.patternType ?? '-';
    const truth = pattern ?? 'clean';
    const words = `${result.verdict} ${result.confidence.toFixed(3)}, ${named}, ${result.winningExplanation?.words ?? ''}`;
    console.log(`  ${isRight ? ' ' : '!'} ${series.id.padEnd(22)} ${truth.padEnd(12)} ${words}`);
  }
}
console.log(`${wrong} wrong verdicts`);
process.exitCode = wrong === 0 ? 0 : 1;

function withoutAllocator(series: ProcessSeries): ProcessSeries {
  const { rss, heapUsed } = series.signals;
  return { ...series, signals: { ...(rss && { rss }), ...(heapUsed && { heapUsed }) } };
}
