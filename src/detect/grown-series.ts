import type { GrowingSeries, SeriesGrowth } from '../diagnosis/index.js';
import {
  CUMULATIVE_CHANNELS,
  GARBAGE_CHANNELS,
  PROCESS_CHANNELS,
  SPACE_CHANNELS,
} from '../recording/channels.js';
import type { Recording, Series } from '../recording/recording.js';
import { pValueOf } from './clean-odds.js';
import { falseDiscoveryRates } from './false-discovery.js';
import { type LoadWindow, withoutSpikes } from './floor.js';
import { analyseShape, leakRate } from './leak-shape.js';
import { BLOCKS, quantileOf, type SeriesPoints } from './points.js';
import { POINTS_AT_LEAST, type SignalEvidence, weighSignal } from './signal-evidence.js';

/** At most this share of the series that are named may be named wrongly, on average. */
export const FALSE_DISCOVERY_RATE = 0.05;

/** A series of memory that garbage moves shows what stays near its lower end. */
const LOWER_QUANTILE = 0.1;
/** Values of a block that are looked at; of more, every so many. */
const LOOKED_AT = 2000;

/**
 * Judges every other series of a recording over a stretch of time, the
 * target's books, its counters and references, custom metrics, heap spaces and
 * kinds of live memory, by the same explanations as memory itself, and names
 * those that grow while the rate of false ones among them stays low. Counts
 * that only ever rise (hits, requests served, `..._total`) are no candidates.
 *
 * Cost: one judgement for each series that is higher at its end than at its
 * beginning; from millions of samples some thousands are looked at.
 */
export function growingSeries(recording: Recording, window: LoadWindow): GrowingSeries {
  // Those that were done by a floor point are known exactly; by other times, from the samples around.
  const byFloor = operationsOver(recording, 'floor_operations', window);
  const bySample = operationsOver(recording, 'operations', window);
  const judged = recording.channels.flatMap(({ name, unit }) => {
    if (!isCandidate(name)) return [];
    const series = recording.series(name);
    const points =
      series && seriesPoints(recording.window(series, window.startMs, window.endMs), window, kindOf(name));
    if (points === undefined) return [];
    const worked = kindOf(name) === 'floor' ? byFloor(points.x) : bySample(points.x);
    return [{ name, unit, points: { ...points, ...worked } }];
  });
  const weighed = judged.map(({ name, unit, points }) => {
    const evidence = weighSeries(points);
    const pValue = evidence === undefined ? 1 : pValueOf(evidence.growingLogOdds, 'series');
    return { name, unit, evidence, pValue };
  });
  const rates = falseDiscoveryRates(
    weighed.map(({ pValue }) => pValue),
    'any',
  );
  const growing = weighed.flatMap(({ name, unit, evidence, pValue }, i): SeriesGrowth[] => {
    const qValue = rates[i] as number;
    const rate = evidence && leakRate(evidence, true);
    if (evidence === undefined || rate === undefined || qValue > FALSE_DISCOVERY_RATE) return [];
    const shape = analyseShape(evidence);
    return [
      {
        channel: name,
        unit,
        growth: rate.bytesPerSecond * evidence.points.runSeconds,
        perOperation: rate.bytesPerOperation,
        perOperationInterval: rate.operationInterval,
        ...(shape && { patternType: shape.patternType }),
        pValue,
        qValue,
      },
    ];
  });
  return { judged: weighed.length, falseDiscoveryRate: FALSE_DISCOVERY_RATE, growing };
}

function isCandidate(channel: string): boolean {
  return (
    !CUMULATIVE_CHANNELS.test(channel) && !GARBAGE_CHANNELS.test(channel) && !PROCESS_CHANNELS.test(channel)
  );
}

/** What growth of any size has for itself; undefined for a series that is no higher in the end. */
export function weighSeries(points: SeriesPoints): SignalEvidence<SeriesPoints> | undefined {
  return isHigherInTheEnd(points) ? weighSignal(points, 0) : undefined;
}

/** floor: memory after collections. space: with the garbage of the moment. level: anything else. */
export type SeriesKind = 'floor' | 'space' | 'level';

function kindOf(channel: string): SeriesKind {
  return channel.startsWith('floor_') ? 'floor' : SPACE_CHANNELS.test(channel) ? 'space' : 'level';
}

/** A series as a hundred points; as it is, where it has no more. Undefined: too few. */
export function seriesPoints(
  series: Series,
  { startMs, endMs }: LoadWindow,
  kind: SeriesKind,
): SeriesPoints | undefined {
  const runMs = Math.max(1, endMs - startMs);
  const { timesMs, values } = kind === 'floor' ? smoothed(series) : series;
  const quantile = kind === 'level' ? 0.5 : LOWER_QUANTILE;
  const blocks = blocksOf(timesMs, startMs, runMs);
  if (blocks.length < POINTS_AT_LEAST) return undefined;
  const reduced = Float64Array.from(blocks, ([from, until]) => {
    const step = Math.ceil((until - from) / LOOKED_AT);
    const looked = Array.from(
      { length: Math.ceil((until - from) / step) },
      (_, k) => values[from + k * step],
    );
    return quantileOf(looked as number[], quantile);
  });
  const x = Float64Array.from(
    blocks,
    ([from, until]) => (((timesMs[from] as number) + (timesMs[until - 1] as number)) / 2 - startMs) / runMs,
  );
  const sorted = reduced.toSorted();
  const range = (sorted.at(-1) as number) - (sorted[0] as number);
  return {
    values: reduced,
    precision: { scale: Math.max(range, 1), rounding: Math.max(ROUNDING, ROUNDING_SHARE * range) },
    x,
    age: x,
    loads: [],
    begins: [0],
    runSeconds: runMs / 1000,
    operations: 0,
    observed: values.length,
  };
}

/** Whole numbers that change by one look noiseless to a straight line otherwise. */
const ROUNDING = 0.3;
const ROUNDING_SHARE = 2e-3;

function smoothed({ timesMs, values }: Series): Series {
  const all = Array.from(values);
  const { liveBytes } = withoutSpikes({
    channel: '',
    timesMs: [],
    liveBytes: all,
    operations: [],
    loadMs: 0,
  });
  return { timesMs, values: Float64Array.from(liveBytes) };
}

/** First and behind-last index of each block of equal time that is not empty, by bisection. */
function blocksOf(timesMs: Float64Array, startMs: number, runMs: number): [number, number][] {
  const n = timesMs.length;
  if (n <= BLOCKS) return Array.from({ length: n }, (_, i) => [i, i + 1]);
  const blocks: [number, number][] = [];
  let from = 0;
  for (let block = 1; block <= BLOCKS; block++) {
    const until = block === BLOCKS ? n : firstAfter(timesMs, startMs + (block * runMs) / BLOCKS, from);
    if (until > from) blocks.push([from, until]);
    from = until;
  }
  return blocks;
}

function firstAfter(timesMs: Float64Array, atMs: number, from: number): number {
  let [low, high] = [from, timesMs.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((timesMs[middle] as number) > atMs) high = middle;
    else low = middle + 1;
  }
  return low;
}

function isHigherInTheEnd({ values }: SeriesPoints): boolean {
  const part = Math.max(1, Math.floor(values.length / 5));
  const middle = (slice: Float64Array) => quantileOf(Array.from(slice), 0.5);
  return middle(values.slice(-part)) > middle(values.slice(0, part));
}

/** Operations done by each point, as a share of those of the stretch; nothing where none were counted. */
function operationsOver(recording: Recording, channel: string, { startMs, endMs }: LoadWindow) {
  const series = recording.series(channel);
  const { timesMs, values } = series ? recording.window(series, startMs, endMs) : { timesMs: [], values: [] };
  const first = values[0] ?? 0;
  const total = (values.at(-1) ?? 0) - first;
  return (x: Float64Array): Pick<SeriesPoints, 'operations'> & { worked?: Float64Array } => {
    if (!(total > 0)) return { operations: 0 };
    let next = 1;
    const worked = x.map((share) => {
      const atMs = startMs + share * (endMs - startMs);
      while (next + 1 < timesMs.length && (timesMs[next] as number) < atMs) next++;
      const [fromMs, untilMs] = [timesMs[next - 1] as number, timesMs[next] as number];
      const [from, until] = [values[next - 1] as number, values[next] as number];
      const passed = Math.min(1, Math.max(0, (atMs - fromMs) / (untilMs - fromMs)));
      return (from + passed * (until - from) - first) / total;
    });
    return { operations: total, worked };
  };
}
