import { ColumnSpace } from './autoregression.js';
import { loadColumns } from './load.js';
import { floorPoints, type JudgedPoints, samplePoints } from './points.js';
import type { CleanSeries } from './sanitise.js';

/**
 * The signals of a process that can leak, and nothing that garbage moves: live
 * memory after full collections, what the allocator has handed out, and what
 * is resident without being committed heap. `heapUsed` by itself is never one.
 */
export interface Signals {
  floor?: JudgedPoints;
  malloc?: JudgedPoints;
  resident?: JudgedPoints;
  /** Everything that is resident, the heap included: what does not grow here leaks nowhere. */
  whole?: JudgedPoints;
  /** By how much the heap may have grown unseen within `resident`, bytes: its committed size was guessed. */
  heapDoubtBytes?: number;
}

export function signalsOf(series: CleanSeries): Signals {
  const loads = loadColumns(series);
  const { rss, mallocInUse } = series.signals;
  const outside = rss && outsideTheHeap(series, rss);
  const heights = outside?.committed ? [...loads, ...outside.committed] : loads;
  return {
    ...(series.liveAfterGc.timesMs.length > 0 && { floor: floorPoints(series, loads) }),
    ...(mallocInUse && { malloc: samplePoints(series, 'malloc', mallocInUse, loads) }),
    ...(outside && { resident: samplePoints(series, 'resident', outside.values, heights) }),
    ...(rss && { whole: samplePoints(series, 'resident', rss, loads) }),
    heapDoubtBytes: HEAP_DOUBT * Math.max(0, ...(outside?.committed?.slice(0, 1).map(riseOf) ?? [])),
  };
}

/** Share of the committed heap's growth that a guess at it may miss. */
const HEAP_DOUBT = 0.1;

function riseOf(values: Float64Array): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return (known.at(-1) ?? 0) - (known[0] ?? 0);
}

/** Shares of what lies above the heap in use that are given back from one sample to the next. */
const SHRINKING = [0.002, 0.006, 0.02, 0.06];

interface Outside {
  values: Float64Array;
  /** Guesses at the committed heap, if it was not measured: what is left may follow them still. */
  committed?: Float64Array[];
}

/**
 * Resident memory that is not committed heap. Where the committed heap was not
 * measured, it is taken for the envelope of the heap in use: it grows with it
 * at once and shrinks slowly. How slowly is what leaves the least noise.
 */
function outsideTheHeap(series: CleanSeries, rss: Float64Array): Outside {
  const { heapTotal, heapUsed } = series.signals;
  if (heapTotal) return { values: rss.map((bytes, i) => bytes - (heapTotal[i] as number)) };
  if (heapUsed === undefined) return { values: rss };
  const committed = SHRINKING.map((share) => envelope(heapUsed, share, series.begins));
  const candidates = committed.map((heap) => rss.map((bytes, i) => bytes - (heap[i] as number)));
  const noises = candidates.map((values) => noiseOf(samplePoints(series, 'resident', values, [])));
  return { values: candidates[noises.indexOf(Math.min(...noises))] as Float64Array, committed };
}

function envelope(used: Float64Array, share: number, begins: readonly number[]): Float64Array {
  let height = Number.NaN;
  return used.map((bytes, i) => {
    if (Number.isNaN(bytes)) return height;
    if (Number.isNaN(height) || begins.includes(i) || bytes > height) height = bytes;
    else height -= share * (height - bytes);
    return height;
  });
}

/** Deviance of a steady line: the same number of parameters for all, so that they compare. */
function noiseOf(points: JudgedPoints): number {
  if (points.values.length < 8) return Number.POSITIVE_INFINITY;
  const origin = points.values[0] as number;
  const space = new ColumnSpace(
    points.values.map((bytes) => (bytes - origin) / 2 ** 20),
    2 ** -8,
    points.begins,
  );
  const columns = [space.add(new Float64Array(points.values.length).fill(1)), space.add(points.age)];
  return space.fit(columns)?.deviance ?? Number.POSITIVE_INFINITY;
}
