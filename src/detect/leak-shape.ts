import { max, min, sampleCorrelation } from 'simple-statistics';
import type { LeakPatternAnalysis, LeakPatternType, TimePattern } from '../diagnosis/index.js';
import { type Contender, logSum } from './contest.js';
import { patternOf } from './explanations.js';
import type { SeriesPoints } from './points.js';
import type { SignalEvidence } from './signal-evidence.js';

/** How fast a leak is. Of the whole run: what was leaked over how long it lasted. */
export interface LeakRate {
  bytesPerSecond: number;
  /** Null: the series does not say how sure the rate is. */
  interval: [number, number] | null;
  bytesPerOperation: number | null;
  operationInterval: [number, number] | null;
}

/** Two-sided 95 % of a normal distribution. */
const REACH = 1.96;

/**
 * Of a leak: the growth of its best explanation, and an interval that also
 * holds what the other leak explanations say, by how likely they are. Of what
 * is no leak: what is to be expected, explanations without growth included.
 */
export function leakRate(evidence: SignalEvidence<SeriesPoints>, isLeak: boolean): LeakRate | undefined {
  const weighed = evidence.contenders
    .map(({ growth, evidence: log }) => ({
      growth,
      weight: Math.exp(log - (evidence.contenders[0]?.evidence ?? 0)),
    }))
    .filter(({ growth }) => growth !== undefined || !isLeak);
  const total = weighed.reduce((sum, { weight }) => sum + weight, 0);
  const best = weighed.find(({ growth }) => growth !== undefined)?.growth;
  if (best === undefined || !(total > 0)) return undefined;
  const mean = (value: (growth: { bytes: number; error: number }) => number) =>
    weighed.reduce((sum, { growth, weight }) => sum + weight * value(growth ?? NO_GROWTH), 0) / total;
  const bytes = isLeak ? best.bytes : mean((growth) => growth.bytes);
  const reach = REACH * Math.sqrt(mean((growth) => growth.error ** 2 + (growth.bytes - bytes) ** 2));
  const per = (divisor: number): [number, number] | null =>
    Number.isFinite(reach) ? [(bytes - reach) / divisor, (bytes + reach) / divisor] : null;
  const { runSeconds, operations } = evidence.points;
  return {
    bytesPerSecond: bytes / runSeconds,
    interval: per(runSeconds),
    bytesPerOperation: operations > 0 ? bytes / operations : null,
    operationInterval: operations > 0 ? per(operations) : null,
  };
}

const NO_GROWTH = { bytes: 0, error: 0 };

/** The pattern with the most evidence, and what is known of the growth. */
export function analyseShape(evidence: SignalEvidence<SeriesPoints>): LeakPatternAnalysis | undefined {
  const patternType = likeliestPattern(evidence.contenders);
  if (patternType === undefined) return undefined;
  const best = evidence.contenders.find(({ name }) => patternOf(name) === patternType) as Contender;
  const { points } = evidence;
  const operationCorrelation = points.worked && correlationOf(points.worked, points.values);
  return {
    patternType,
    growthCharacteristics: {
      rate: (best.growth?.bytes ?? 0) / points.runSeconds,
      acceleration: accelerationOf(points),
      consistency: explainedShare(best, points),
    },
    ...(operationCorrelation !== undefined && { operationCorrelation }),
    timePatterns: timePatterns(best, points),
  };
}

function likeliestPattern(contenders: readonly Contender[]): LeakPatternType | undefined {
  const byPattern = new Map<LeakPatternType, number[]>();
  for (const { name, evidence } of contenders) {
    const pattern = patternOf(name);
    if (pattern) byPattern.set(pattern, [...(byPattern.get(pattern) ?? []), evidence]);
  }
  return [...byPattern].sort((a, b) => logSum(b[1]) - logSum(a[1]))[0]?.[0];
}

/** Share of the variance that is not noise of the best explanation, 0 to 1. */
function explainedShare({ fit }: Contender, { values, precision }: SeriesPoints): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const noise = (fit.deviation * precision.scale) ** 2 / (1 - fit.memory * fit.memory);
  return variance > 0 ? Math.min(1, Math.max(0, 1 - noise / variance)) : 0;
}

/** Difference of the slopes of the two halves over half the time, from the medians of thirds. */
function accelerationOf({ values, x, runSeconds }: SeriesPoints): number {
  const third = Math.floor(values.length / 3);
  const middleOf = (array: Float64Array, part: number) => {
    const sorted = array.slice(part * third, (part + 1) * third).sort();
    return sorted[sorted.length >> 1] as number;
  };
  const [a, b, c] = [0, 1, 2].map((part) => middleOf(values, part)) as [number, number, number];
  const [from, middle, until] = [0, 1, 2].map((part) => middleOf(x, part) * runSeconds) as [
    number,
    number,
    number,
  ];
  if (!(middle > from && until > middle)) return 0;
  const acceleration = ((c - b) / (until - middle) - (b - a) / (middle - from)) / ((until - from) / 2);
  return Number.isFinite(acceleration) ? acceleration : 0;
}

function timePatterns(
  { details, fit, columns }: Contender,
  { runSeconds, precision }: SeriesPoints,
): TimePattern[] {
  if (details.cycles === undefined) return [];
  // The waves come last but for the growth: sine, cosine, and perhaps the same at twice the pace.
  const waves = columns.length - 1;
  const pairs = details.waves ?? 1;
  return Array.from({ length: pairs }, (_, k) => {
    const sine = (fit.coefficients[waves - 2 * (pairs - k)] as number) * precision.scale;
    const cosine = (fit.coefficients[waves - 2 * (pairs - k) + 1] as number) * precision.scale;
    const periodMs = (1000 * runSeconds) / ((details.cycles as number) * (k + 1));
    return {
      periodMs,
      amplitudeBytes: Math.hypot(sine, cosine),
      phaseMs: ((Math.atan2(cosine, sine) / (2 * Math.PI) + 1) % 1) * periodMs,
    };
  });
}

function correlationOf(a: Float64Array, b: Float64Array): number | undefined {
  const [x, y] = [Array.from(a), Array.from(b)];
  if (x.length < 3 || min(x) === max(x) || min(y) === max(y)) return undefined;
  const correlation = sampleCorrelation(x, y);
  return Number.isFinite(correlation) ? Math.min(1, Math.max(-1, correlation)) : undefined;
}
