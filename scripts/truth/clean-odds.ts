import type { CleanOdds, Judged } from '../../src/detect/clean-odds.js';
import { seriesPoints, weighSeries } from '../../src/detect/grown-series.js';
import { weighProcess } from '../../src/detect/process-evidence.js';
import { type CleanSeries, sanitise } from '../../src/detect/sanitise.js';
import { labelledSeries, onlyThreeSignals } from './corpus.js';
import { CLEAN_FAMILIES } from './families.js';
import { TRUTH_SETTINGS } from './settings.js';

/** Shares of clean series at which the log odds are written down; the last is where the tail begins. */
const SHARES = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.16, 0.13, 0.1, 0.08, 0.065, 0.05];

/** What a test under an even load, of one process and with one clock, does not show. */
const UNEVEN = /load|bursts|restarts|gaps/;

/** How the log odds of clean processes are distributed, and those of their series one by one. */
export function cleanOddsOf(seedsPerFamily: number): Record<Judged, CleanOdds> {
  const seen: Record<Judged, number[]> = { withAllocator: [], withoutAllocator: [], series: [] };
  for (const labelled of labelledSeries('clean', seedsPerFamily, CLEAN_FAMILIES)) {
    for (const { series } of [labelled, onlyThreeSignals(labelled)]) {
      const evidence = weighProcess(sanitise(series), TRUTH_SETTINGS);
      if (evidence.loudest === undefined) continue;
      seen[series.signals.mallocInUse ? 'withAllocator' : 'withoutAllocator'].push(evidence.logOdds);
    }
    if (!UNEVEN.test(labelled.family)) seen.series.push(...seriesOdds(sanitise(labelled.series)));
  }
  return {
    withAllocator: summaryOf(seen.withAllocator),
    withoutAllocator: summaryOf(seen.withoutAllocator),
    series: summaryOf(seen.series),
  };
}

/** Of live and of allocated memory, each as if it were one more series of a recording. */
export function seriesOdds({ timesMs, signals, liveAfterGc }: CleanSeries): number[] {
  const window = { startMs: 0, endMs: timesMs.at(-1) ?? 0 };
  const { mallocInUse } = signals;
  return [
    seriesPoints({ timesMs: liveAfterGc.timesMs, values: liveAfterGc.liveBytes }, window, 'floor'),
    mallocInUse && seriesPoints({ timesMs, values: mallocInUse }, window, 'level'),
  ]
    .filter((points) => points !== undefined)
    .map((points) => weighSeries(points)?.growingLogOdds ?? Number.NEGATIVE_INFINITY);
}

/** Each share counts one series more than there is, so that a p-value is never too small (Phipson and Smyth 2010). */
function summaryOf(seen: number[]): CleanOdds {
  const ascending = seen.toSorted((a, b) => a - b);
  const n = ascending.length;
  const known = SHARES.map((share) => ascending[n - Math.ceil(share * (n + 1)) + 1] ?? 0).map((odds) =>
    Math.max(-1000, odds),
  );
  const from = known.at(-1) as number;
  const excesses = ascending.filter((odds) => odds > from).map((odds) => odds - from);
  const mean = excesses.reduce((sum, excess) => sum + excess, 0) / excesses.length;
  // The mean of so few excesses is itself uncertain: two standard errors more.
  const tailMean = mean * (1 + 2 / Math.sqrt(excesses.length));
  const logOdds: number[] = [];
  const shares: number[] = [];
  known.forEach((odds, i) => {
    const isLast = i === known.length - 1;
    if (!isLast && odds >= (known[i + 1] as number)) return;
    logOdds.push(Number(odds.toFixed(2)));
    shares.push(SHARES[i] as number);
  });
  return { logOdds, shares, tailMean: Number(tailMean.toFixed(3)) };
}
