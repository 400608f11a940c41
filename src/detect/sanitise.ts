import type { ProcessSeries, SignalName } from '../recording/process-series.js';

/**
 * A process series as it can be judged: one clock that only goes forward,
 * values that can be memory, and the times at which the process began anew.
 */
export interface CleanSeries {
  id: string;
  /** Milliseconds since the first sample, ascending. */
  timesMs: Float64Array;
  /** Operations since the first sample; restarts do not take it back. Absent when none were counted. */
  operations?: Float64Array;
  /** NaN where a value is missing. */
  signals: Partial<Record<SignalName, Float64Array>>;
  liveAfterGc: { timesMs: Float64Array; liveBytes: Float64Array };
  /** Indices of samples at which the process starts; the first is 0. */
  begins: number[];
  /** What was mended, in words. */
  notes: string[];
}

/** Memory beyond this is no memory of any machine: a wrong unit or an overflow. */
const MOST_BYTES = 2 ** 50;
/** A pause longer than so many intervals is a gap or a clock that was set. */
const GAP_INTERVALS = 2.2;
/** Times that run backwards this often are a file out of order, not a clock that was set. */
const DISORDER_SHARE = 0.02;

/**
 * Mends what monitors do to series.
 *
 * Order: rows out of order are sorted, rows twice are dropped. Clock: an
 * interval that is negative, or much longer than usual, is a set clock unless
 * the operations of that interval say that the time has really passed; then it
 * takes the usual interval's length. Restarts: the count of operations falls.
 * Values that are no memory (negative, infinite, beyond 1 PiB) become missing.
 * Cost: linear, but for the sort of a file that is out of order.
 */
export function sanitise(given: ProcessSeries): CleanSeries {
  const notes: string[] = [];
  const order = orderOf({ ...given, timesMs: given.timesMs.map(possibleTime) }, notes);
  const pick = (values: Float64Array) => Float64Array.from(order, (i) => values[i] as number);
  const rawMs = pick(given.timesMs).map(possibleTime);
  const counted = given.operations && pick(given.operations).map(possible);
  const { cumulative, begins } = countOn(counted, rawMs.length, notes);
  const collapses = counted === undefined ? collapsesOf(given.signals.rss && pick(given.signals.rss)) : [];
  if (collapses.length > 0) notes.push(`memory collapsed ${collapses.length} times, taken for restarts`);
  const timesMs = given.hasSteadyClock ? sinceFirst(rawMs) : mendClock(rawMs, cumulative, notes);
  const signals: CleanSeries['signals'] = {};
  for (const [name, values] of Object.entries(given.signals) as [SignalName, Float64Array | undefined][]) {
    const clean = values && pick(values).map(possible);
    if (clean?.some((value) => !Number.isNaN(value))) signals[name] = clean;
  }
  return {
    id: given.id,
    timesMs,
    ...(cumulative && (cumulative.at(-1) ?? 0) >= 1 ? { operations: cumulative } : {}),
    signals,
    liveAfterGc: mendFloor(given, rawMs, timesMs),
    begins: [...begins, ...collapses],
    notes,
  };
}

/** Resident memory that falls below this share from one sample to the next, and stays there, is another process. */
const COLLAPSE = 0.55;
const STAYS = 3;

function collapsesOf(rss: Float64Array | undefined): number[] {
  const collapses: number[] = [];
  for (let i = 1; rss && i + STAYS <= rss.length; i++) {
    const limit = COLLAPSE * (rss[i - 1] as number);
    if (rss.subarray(i, i + STAYS).every((bytes) => bytes < limit)) collapses.push(i);
  }
  return collapses;
}

function possible(value: number): number {
  return value >= 0 && value <= MOST_BYTES ? value : Number.NaN;
}

/** A thousand years; and nothing is timed to less than a microsecond. */
const MOST_MS = 3e13;

function possibleTime(ms: number): number {
  return Math.abs(ms) <= MOST_MS ? Math.round(ms * 1000) / 1000 : Number.NaN;
}

/** Which rows are kept, in which order. */
function orderOf({ timesMs, operations }: ProcessSeries, notes: string[]): number[] {
  const rows = Array.from(timesMs, (_, i) => i).filter((i) => Number.isFinite(timesMs[i]));
  let falls = 0;
  for (let k = 1; k < rows.length; k++) {
    if ((timesMs[rows[k] as number] as number) < (timesMs[rows[k - 1] as number] as number)) falls++;
  }
  const isDisordered = operations
    ? falls > 0 && descents(operations, rows) > falls / 2
    : falls > DISORDER_SHARE * rows.length || (falls > 0 && rows.length < 3 / DISORDER_SHARE);
  if (falls > 0 && isDisordered) {
    rows.sort((a, b) => (timesMs[a] as number) - (timesMs[b] as number));
    notes.push('rows out of order were sorted by time');
  }
  const unique = rows.filter((row, k) => {
    const before = rows[k - 1];
    if (before === undefined || timesMs[row] !== timesMs[before]) return true;
    // At one time with more work done: the clock stood still, the row is another.
    return operations !== undefined && operations[row] !== operations[before];
  });
  if (unique.length < rows.length)
    notes.push(`${rows.length - unique.length} rows with a time that was there already were left out`);
  return unique;
}

function descents(values: Float64Array, rows: number[]): number {
  let count = 0;
  for (let k = 1; k < rows.length; k++) {
    if ((values[rows[k] as number] as number) < (values[rows[k - 1] as number] as number)) count++;
  }
  return count;
}

/** A count that goes on over restarts, and where those are. */
function countOn(
  counted: Float64Array | undefined,
  length: number,
  notes: string[],
): { cumulative?: Float64Array; begins: number[] } {
  if (counted === undefined || length === 0) return { begins: [0] };
  const cumulative = new Float64Array(length);
  const begins = [0];
  let total = 0;
  let before = Number.NaN;
  for (let i = 0; i < length; i++) {
    const now = counted[i] as number;
    if (!Number.isNaN(now)) {
      if (now < before) {
        begins.push(i);
        total += now;
      } else if (!Number.isNaN(before)) {
        total += now - before;
      }
      before = now;
    }
    cumulative[i] = total;
  }
  if (begins.length > 1) notes.push(`the process started anew ${begins.length - 1} times`);
  return { cumulative, begins };
}

function sinceFirst(timesMs: Float64Array): Float64Array {
  return timesMs.map((ms) => Math.max(0, ms - (timesMs[0] as number)));
}

function mendClock(rawMs: Float64Array, operations: Float64Array | undefined, notes: string[]): Float64Array {
  const mended = new Float64Array(rawMs.length);
  if (rawMs.length < 3) return sinceFirst(rawMs);
  const usualMs = usualInterval(rawMs);
  const perMs = operations && (operations.at(-1) as number) / (usualMs * (rawMs.length - 1));
  let jumps = 0;
  for (let i = 1; i < rawMs.length; i++) {
    let stepMs = (rawMs[i] as number) - (rawMs[i - 1] as number);
    if (stepMs <= 0 || stepMs > GAP_INTERVALS * usualMs) {
      const workedMs =
        operations && perMs ? ((operations[i] as number) - (operations[i - 1] as number)) / perMs : undefined;
      const isGap = stepMs > 0 && (workedMs === undefined || Math.abs(workedMs - stepMs) <= 0.5 * stepMs);
      if (!isGap) {
        // Work tells a clock that was set during a gap from one that was set between two samples.
        stepMs = workedMs !== undefined && workedMs > GAP_INTERVALS * usualMs ? workedMs : usualMs;
        jumps++;
      }
    }
    mended[i] = (mended[i - 1] as number) + stepMs;
  }
  if (jumps > 0) notes.push(`the clock was set ${jumps} times; the time between samples was used instead`);
  return mended;
}

/** Median of the intervals that go forward. */
function usualInterval(timesMs: Float64Array): number {
  const steps = new Float64Array(timesMs.length - 1);
  for (let i = 1; i < timesMs.length; i++) steps[i - 1] = (timesMs[i] as number) - (timesMs[i - 1] as number);
  const forward = steps.filter((step) => step > 0).sort();
  return forward[forward.length >> 1] ?? 1;
}

/** Fewer floor points than this share fit between the samples: they were timed by another clock. */
const PLACED_SHARE = 0.8;

/** Floor points onto the mended clock: each lies between two samples, in the order in which it happened. */
function mendFloor(
  { liveAfterGc }: ProcessSeries,
  rawMs: Float64Array,
  timesMs: Float64Array,
): CleanSeries['liveAfterGc'] {
  const known = Array.from(liveAfterGc?.timesMs ?? [], (ms, k) => ({
    ms: possibleTime(ms),
    live: possible(liveAfterGc?.liveBytes[k] ?? Number.NaN),
  })).filter(({ ms, live }) => Number.isFinite(ms) && !Number.isNaN(live));
  const placed = rawMs.length < 2 ? [] : placeAll(known, rawMs, timesMs);
  if (placed.length >= PLACED_SHARE * known.length) return ascending(placed);
  const startMs =
    rawMs.length > 0 && known.every(({ ms }) => ms >= (rawMs[0] as number))
      ? (rawMs[0] as number)
      : undefined;
  const firstMs = startMs ?? Math.min(...known.map(({ ms }) => ms));
  return ascending(known.map(({ ms, live }) => ({ ms: ms - firstMs, live })));
}

interface FloorPoint {
  ms: number;
  live: number;
}

function placeAll(known: readonly FloorPoint[], rawMs: Float64Array, timesMs: Float64Array): FloorPoint[] {
  let cursor = 0;
  return known.flatMap(({ ms, live }) => {
    const found = placeOf(ms, rawMs, cursor);
    if (found === undefined) return [];
    cursor = found;
    const share = (ms - (rawMs[found] as number)) / ((rawMs[found + 1] as number) - (rawMs[found] as number));
    const within = Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0;
    const fromMs = timesMs[found] as number;
    return [{ ms: fromMs + within * ((timesMs[found + 1] as number) - fromMs), live }];
  });
}

/** The first pair of neighbouring samples from `cursor` on between which the time lies; a point at the edges goes to the edge. */
function placeOf(atMs: number, rawMs: Float64Array, cursor: number): number | undefined {
  for (let i = cursor; i < rawMs.length - 1; i++) {
    if ((rawMs[i] as number) <= atMs && atMs <= (rawMs[i + 1] as number)) return i;
  }
  // Out of order, or a little outside of the samples.
  for (let i = 0; i < cursor; i++) {
    if ((rawMs[i] as number) <= atMs && atMs <= (rawMs[i + 1] as number)) return i;
  }
  const intervalMs = ((rawMs.at(-1) as number) - (rawMs[0] as number)) / (rawMs.length - 1);
  if (Math.abs(atMs - (rawMs[0] as number)) <= 3 * intervalMs) return 0;
  if (Math.abs(atMs - (rawMs.at(-1) as number)) <= 3 * intervalMs) return rawMs.length - 2;
  return undefined;
}

function ascending(points: FloorPoint[]): CleanSeries['liveAfterGc'] {
  const ordered = points.toSorted((a, b) => a.ms - b.ms);
  return {
    timesMs: Float64Array.from(ordered, ({ ms }) => ms),
    liveBytes: Float64Array.from(ordered, ({ live }) => live),
  };
}
