import { KIB, MIB } from '../units.js';
import type { CleanSeries } from './sanitise.js';

/**
 * What is judged: a hundred points or so of one signal, reduced from however
 * many samples there were, with everything that may explain them beside.
 */
export interface SeriesPoints {
  /** In the unit of the series: bytes, or whatever was counted. */
  values: Float64Array;
  precision: Precision;
  /** When, as a share of the run, 0 to 1. */
  x: Float64Array;
  /** The same since the process last started. */
  age: Float64Array;
  /** Operations since then, as a share of all of the run; absent when none were counted. */
  worked?: Float64Array;
  /** Ways in which memory may follow the load, each scaled to a mean of 0 and a deviation of 1. */
  loads: Float64Array[];
  /** Indices of points at which the process starts. */
  begins: number[];
  runSeconds: number;
  /** Operations of the whole run; 0 when none were counted. */
  operations: number;
  /** How many values these points stand for. */
  observed: number;
  /** What was more at rest after the run than at rest before it, bytes: no leak can be larger. */
  retainedBytes?: number;
}

/** In which numbers a series is calculated with, and what rounding leaves of a perfect explanation. */
export interface Precision {
  /** Differences of about this size come out near 1. */
  scale: number;
  /** Standard deviation, in the unit of the series. */
  rounding: number;
}

/** A signal of a whole process, in bytes. */
export interface JudgedPoints extends SeriesPoints {
  signal: JudgedSignal;
}

export const SIGNAL_PRECISION: Record<JudgedSignal, Precision> = {
  floor: { scale: MIB, rounding: 2 * KIB },
  malloc: { scale: MIB, rounding: 2 * KIB },
  resident: { scale: MIB, rounding: 4 * KIB },
};

export type JudgedSignal = 'floor' | 'malloc' | 'resident';

/** Fewer floor points are judged as they are. */
const KEPT_AS_THEY_ARE = 110;
export const BLOCKS = 90;
/** Floating garbage only ever adds: the floor is near the lower end of a block. */
const FLOOR_QUANTILE = 0.3;

/** Points of the floor: each after a collection, or the lower part of blocks of them. */
export function floorPoints(series: CleanSeries, loads: Float64Array[]): JudgedPoints {
  const { timesMs, liveBytes } = series.liveAfterGc;
  const places = Float64Array.from(timesMs, (ms) => placeOf(series.timesMs, ms));
  return reduce(series, 'floor', { places, timesMs, values: liveBytes }, loads, FLOOR_QUANTILE);
}

/** Points of a signal that has a value with every sample: medians of blocks. */
export function samplePoints(
  series: CleanSeries,
  signal: JudgedSignal,
  values: Float64Array,
  loads: Float64Array[],
): JudgedPoints {
  const places = Float64Array.from(values, (_, i) => i);
  return reduce(series, signal, { places, timesMs: series.timesMs, values }, loads, 0.5);
}

interface Observed {
  /** Index of the sample at or before each value. */
  places: Float64Array;
  timesMs: Float64Array;
  values: Float64Array;
}

function reduce(
  series: CleanSeries,
  signal: JudgedSignal,
  observed: Observed,
  loads: Float64Array[],
  quantile: number,
): JudgedPoints {
  const present = Array.from(observed.values, (_, i) => i).filter((i) => !Number.isNaN(observed.values[i]));
  const startMs = series.timesMs[0] ?? 0;
  const runMs = Math.max(
    1e-3,
    (series.timesMs.at(-1) ?? 0) - startMs,
    (observed.timesMs.at(-1) ?? 0) - startMs,
  );
  const groups =
    signal === 'floor' && present.length < KEPT_AS_THEY_ARE
      ? present.map((i) => [i])
      : blocksOf(present, series, observed, startMs, runMs);
  const lives = groups.map((group) => lifeOf(series.begins, observed.places[group[0] as number] as number));
  const meanOf = (group: number[], value: (i: number) => number) =>
    group.reduce((sum, i) => sum + value(i), 0) / group.length;
  const x = groups.map((group) => meanOf(group, (i) => ((observed.timesMs[i] as number) - startMs) / runMs));
  const bornMs = (life: number) => (series.timesMs[series.begins[life] as number] as number) - startMs;
  const total = series.operations?.at(-1) ?? 0;
  const at = (column: Float64Array) => (i: number) => column[observed.places[i] as number] as number;
  const { operations } = series;
  return {
    signal,
    precision: SIGNAL_PRECISION[signal],
    values: Float64Array.from(groups, (group) =>
      rankedAt(
        group.map((i) => observed.values[i] as number),
        quantile,
      ),
    ),
    x: Float64Array.from(x),
    age: Float64Array.from(x, (share, g) => share - bornMs(lives[g] as number) / runMs),
    ...(operations && total > 0
      ? {
          worked: Float64Array.from(groups, (group, g) => {
            const born = operations[series.begins[lives[g] as number] as number] as number;
            return (meanOf(group, at(operations)) - born) / total;
          }),
        }
      : {}),
    loads: loads.map((load) => standardised(groups.map((group) => meanOf(group, at(load))))),
    begins: lives.flatMap((life, g) => (g === 0 || life !== lives[g - 1] ? [g] : [])),
    runSeconds: runMs / 1000,
    operations: total,
    observed: present.length,
  };
}

/** Blocks of equal time; none reaches over a restart. */
function blocksOf(
  present: number[],
  series: CleanSeries,
  { places, timesMs }: Observed,
  startMs: number,
  runMs: number,
): number[][] {
  const groups: number[][] = [];
  let key = '';
  for (const i of present) {
    const block = Math.min(BLOCKS - 1, Math.floor((BLOCKS * ((timesMs[i] as number) - startMs)) / runMs));
    const here = `${block} ${lifeOf(series.begins, places[i] as number)}`;
    if (here === key) groups.at(-1)?.push(i);
    else groups.push([i]);
    key = here;
  }
  return groups;
}

/** The number of starts of the process up to this sample, counted from 0. */
function lifeOf(begins: number[], place: number): number {
  let life = 0;
  while (life + 1 < begins.length && (begins[life + 1] as number) <= place) life++;
  return life;
}

/** Index of the last sample at or before a time, by bisection; 0 before the first. */
function placeOf(timesMs: Float64Array, atMs: number): number {
  let low = 0;
  let high = timesMs.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((timesMs[middle] as number) <= atMs) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * The value of this rank, the lower of two: one that was seen. Between the two
 * lies, in a block in which memory stepped up, a height at which it never was,
 * and one step would look like two.
 */
function rankedAt(values: number[], share: number): number {
  return Float64Array.from(values).sort()[Math.floor(share * (values.length - 1))] as number;
}

/** Linear between the two nearest. */
export function quantileOf(values: number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)] as number;
  const high = sorted[Math.ceil(at)] as number;
  return low + (at - Math.floor(at)) * (high - low);
}

/** All 0 when the values do not vary. */
function standardised(values: number[]): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return Float64Array.from(values, (value) =>
    deviation > 1e-9 * Math.abs(mean) ? (value - mean) / deviation : 0,
  );
}
