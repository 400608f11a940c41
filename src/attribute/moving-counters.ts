import { CUSTOM_CHANNEL_PREFIX } from '../recording/channels.js';
import type { Recording, Series } from '../recording/index.js';
import { Phase } from '../vocabulary.js';

/** A count of the program's own that rises with the operations. */
export interface MovingCounter {
  channel: string;
  /** In the channel's own unit. */
  perOperation: number;
  isInBytes: boolean;
  /** Of the variance at the floor points that the operations explain. */
  rSquared: number;
}

/** What is held now; what ever was is always rising. */
const HELD = /^(arc|mutex|rwlock|resource)\..*\.(strong|weak|values|holders|waiters|open|leaked)_count$/;
const BOOKS = new Set([
  'cache_bytes',
  'cache_entries',
  'connection_bytes',
  'open_connections',
  'queue_length',
  'active_tasks',
  'arc_ref_count',
]);
const POINTS_AT_LEAST = 6;
/** Share of false ones among those that are told. */
const FALSE_DISCOVERIES = 0.05;
const STRAIGHT = 0.9;
/** Less than this an operation is no cause of a leak that shows in every few operations. */
const LEAST_PER_OPERATION = 1e-4;

/**
 * Counters that move with the work: their increments between floor points, regressed on the operations that
 * lie between. Many are looked at, so what may be called moving is held to a false discovery rate
 * (Benjamini and Hochberg, 1995).
 */
export function movingCounters(recording: Recording): MovingCounter[] {
  const operations = whileRunning(recording);
  if (operations === undefined || operations.values.length < POINTS_AT_LEAST) return [];
  const tried = recording.channels
    .filter(({ name }) => isCount(name))
    .flatMap(({ name, unit }) => {
      const series = recording.series(name);
      const fit = series && regressed(operations, series);
      return fit ? [{ channel: name, isInBytes: unit === 'bytes', ...fit }] : [];
    });
  return discoveries(tried)
    .filter(
      ({ perOperation, rSquared, isInBytes }) =>
        rSquared >= STRAIGHT && perOperation > (isInBytes ? 1 : LEAST_PER_OPERATION),
    )
    .map(({ pValue: _, ...counter }) => counter);
}

/** Operations at the floor points of a target that runs: when it was stopped, its counts fall with nothing done. */
function whileRunning(recording: Recording): Pick<Series, 'timesMs' | 'values'> | undefined {
  const operations = recording.series('floor_operations');
  const stopped = recording.phases().find(({ phase }) => phase === Phase.Teardown)?.startMs;
  if (operations === undefined || stopped === undefined) return operations;
  const points = [...operations.timesMs].filter((ms) => ms < stopped).length;
  return { timesMs: operations.timesMs.slice(0, points), values: operations.values.slice(0, points) };
}

function isCount(name: string): boolean {
  return (
    HELD.test(name) ||
    BOOKS.has(name) ||
    name.startsWith('counter.') ||
    name.startsWith(CUSTOM_CHANNEL_PREFIX)
  );
}

/** The counter's last value before each floor point, as a line of the operations until then. */
function regressed(operations: Pick<Series, 'timesMs' | 'values'>, counter: Series) {
  const xs: number[] = [];
  const ys: number[] = [];
  let next = 0;
  operations.values.forEach((count, i) => {
    const ms = operations.timesMs[i] as number;
    while (next < counter.timesMs.length && (counter.timesMs[next] as number) <= ms) next++;
    if (next === 0) return;
    xs.push(count);
    ys.push(counter.values[next - 1] as number);
  });
  const n = xs.length;
  if (n < POINTS_AT_LEAST) return undefined;
  const meanX = sum(xs) / n;
  const meanY = sum(ys) / n;
  const sxx = sum(xs.map((x) => (x - meanX) ** 2));
  const syy = sum(ys.map((y) => (y - meanY) ** 2));
  const sxy = sum(xs.map((x, i) => (x - meanX) * ((ys[i] as number) - meanY)));
  if (sxx === 0 || syy === 0) return undefined;
  const rSquared = (sxy * sxy) / (sxx * syy);
  const t = Math.sqrt((rSquared * (n - 2)) / Math.max(1e-12, 1 - rSquared));
  return { perOperation: sxy / sxx, rSquared, pValue: tailOfNormal(t) };
}

/** Benjamini and Hochberg: the largest k whose k-th smallest p-value is at most k/m of the rate, and all before. */
function discoveries<Row extends { pValue: number }>(rows: readonly Row[]): Row[] {
  const sorted = rows.toSorted((a, b) => a.pValue - b.pValue);
  const last = sorted.findLastIndex(
    ({ pValue }, index) => pValue <= ((index + 1) / sorted.length) * FALSE_DISCOVERIES,
  );
  return sorted.slice(0, last + 1);
}

/** Both tails of the normal distribution, by Abramowitz and Stegun 26.2.17; off by less than 1e-7. */
function tailOfNormal(t: number): number {
  const k = 1 / (1 + 0.2316419 * t);
  const polynomial =
    k * (0.31938153 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))));
  return 2 * (Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI)) * polynomial;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
