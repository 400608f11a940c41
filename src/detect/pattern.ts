import { max, mean, sampleCorrelation, standardDeviation, sum } from 'simple-statistics';
import type { LeakPatternAnalysis, LeakPatternType } from '../diagnosis/index.js';
import type { FloorSeries } from './floor.js';
import { fitTrend, type Trend } from './trend.js';

/** Growth that comes in so few of the intervals is stepped, not steady. */
const STEP_SHARE_OF_INTERVALS = 0.2;
const STEP_SHARE_OF_GROWTH = 0.8;
/** Steps whose distances vary by more than half of their mean come at no regular time. */
const SPORADIC_VARIATION = 0.5;

/**
 * Names the shape of a growth that was already found to be a leak.
 *
 * stepped or sporadic: a fifth of the intervals holds four fifths of the
 * growth, at regular distances or not. exponential: the logarithm of the
 * growth is straighter than the growth. cyclic: the floor falls back again and
 * again while it rises. linear: everything else.
 */
export function analysePattern(floor: FloorSeries, trend: Trend): LeakPatternAnalysis {
  const seconds = floor.timesMs.map((ms) => ms / 1000);
  const operationsVary = new Set(floor.operations).size > 1;
  return {
    patternType: shapeOf(floor, seconds, trend),
    growthCharacteristics: {
      rate: trend.slope,
      acceleration: accelerationOf(seconds, floor.liveBytes),
      consistency: trend.rSquared,
    },
    ...(operationsVary
      ? { operationCorrelation: clampCorrelation(sampleCorrelation(floor.operations, floor.liveBytes)) }
      : {}),
    timePatterns: [],
  };
}

function shapeOf(floor: FloorSeries, seconds: number[], trend: Trend): LeakPatternType {
  const increments = floor.liveBytes.slice(1).map((bytes, i) => bytes - (floor.liveBytes[i] as number));
  const steps = stepIndices(increments);
  if (steps !== undefined) return areRegular(steps) ? 'stepped' : 'sporadic';
  const falls = increments.filter((increment) => increment < 0);
  if (
    falls.length >= increments.length / 4 &&
    -sum([0, ...falls]) > 0.5 * trend.slope * (seconds.at(-1) ?? 0)
  ) {
    return 'cyclic';
  }
  return isExponential(floor, seconds, trend) ? 'exponential' : 'linear';
}

/** Where the few large increments are, or undefined when growth is spread out. */
function stepIndices(increments: number[]): number[] | undefined {
  const rising = increments.filter((increment) => increment > 0);
  if (rising.length === 0) return undefined;
  const few = Math.max(1, Math.floor(increments.length * STEP_SHARE_OF_INTERVALS));
  const largest = increments
    .map((increment, index) => ({ increment, index }))
    .sort((a, b) => b.increment - a.increment)
    .slice(0, few)
    .filter(({ increment }) => increment > 0.05 * max(rising));
  const share = sum(largest.map(({ increment }) => increment)) / sum(rising);
  return share >= STEP_SHARE_OF_GROWTH ? largest.map(({ index }) => index).sort((a, b) => a - b) : undefined;
}

function areRegular(steps: number[]): boolean {
  const distances = steps.slice(1).map((at, i) => at - (steps[i] as number));
  return distances.length < 2 || standardDeviation(distances) <= SPORADIC_VARIATION * mean(distances);
}

function isExponential(floor: FloorSeries, seconds: number[], trend: Trend): boolean {
  const first = floor.liveBytes[0] as number;
  const grown = floor.liveBytes
    .map((bytes, i) => ({ at: seconds[i] as number, bytes: bytes - first }))
    .slice(1);
  if (grown.some(({ bytes }) => bytes <= 0)) return false;
  const logarithmic = fitTrend(
    grown.map(({ at }) => at),
    grown.map(({ bytes }) => Math.log(bytes)),
  );
  // The logarithm of a straight line is bent: only a real exponential is straighter than the line itself.
  return logarithmic !== undefined && trend.rSquared < 0.95 && logarithmic.rSquared > trend.rSquared + 0.02;
}

/** Difference of the slopes of the two halves over half the time. Bytes per second per second. */
function accelerationOf(seconds: number[], liveBytes: number[]): number {
  const half = Math.floor(seconds.length / 2);
  const early = fitTrend(seconds.slice(0, half), liveBytes.slice(0, half));
  const late = fitTrend(seconds.slice(half), liveBytes.slice(half));
  const span = ((seconds.at(-1) ?? 0) - (seconds[0] ?? 0)) / 2;
  return early && late && span > 0 ? (late.slope - early.slope) / span : 0;
}

function clampCorrelation(correlation: number): number {
  return Number.isFinite(correlation) ? Math.min(1, Math.max(-1, correlation)) : 0;
}
