import { linearRegression, mean } from 'simple-statistics';
import { studentTCumulative, studentTQuantile } from './student-t.js';

/** A straight line through points, and how sure its slope is. */
export interface Trend {
  slope: number;
  intercept: number;
  /** Standard error of the slope, widened for autocorrelated residuals. */
  slopeError: number;
  /** Degrees of freedom that are left after that. */
  degreesOfFreedom: number;
  /** Share of the variance that the line explains, 0 to 1. */
  rSquared: number;
}

/**
 * Least squares with an honest standard error: neighbouring floor points
 * resemble each other, so that n points hold less than n points' worth of
 * evidence. The effective number is n (1 - r) / (1 + r), r being the lag-one
 * autocorrelation of the residuals (Bartlett; negative r counts as 0).
 *
 * x is centred first: simple-statistics sums squares of x.
 * @returns undefined for fewer than three points, or when x does not vary
 */
export function fitTrend(x: ArrayLike<number>, y: ArrayLike<number>): Trend | undefined {
  const n = Math.min(x.length, y.length);
  if (n < 3) return undefined;
  const xs = Array.from({ length: n }, (_, i) => x[i] as number);
  const ys = Array.from({ length: n }, (_, i) => y[i] as number);
  const xMean = mean(xs);
  const centred = xs.map((value) => value - xMean);
  const xVariation = centred.reduce((sum, value) => sum + value * value, 0);
  if (!(xVariation > 0)) return undefined;

  const { m: slope, b: middle } = linearRegression(centred.map((value, i) => [value, ys[i] as number]));
  const residuals = ys.map((value, i) => value - (middle + slope * (centred[i] as number)));
  const unexplained = residuals.reduce((sum, value) => sum + value * value, 0);
  const variation = ys.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  const effective = effectiveCount(residuals, unexplained);
  return {
    slope,
    intercept: middle - slope * xMean,
    slopeError: Math.sqrt(unexplained / Math.max(1, effective - 2) / xVariation) * Math.sqrt(n / effective),
    degreesOfFreedom: Math.max(1, effective - 2),
    rSquared: variation > 0 ? Math.min(1, Math.max(0, 1 - unexplained / variation)) : 0,
  };
}

function effectiveCount(residuals: number[], sumOfSquares: number): number {
  if (sumOfSquares === 0) return residuals.length;
  let lagged = 0;
  for (let i = 1; i < residuals.length; i++)
    lagged += (residuals[i] as number) * (residuals[i - 1] as number);
  const r = Math.min(0.95, Math.max(0, lagged / sumOfSquares));
  return Math.max(3, (residuals.length * (1 - r)) / (1 + r));
}

/** Probability that the true slope is above `value`, given the points. */
export function probabilitySlopeAbove(trend: Trend, value: number): number {
  if (trend.slopeError === 0) return trend.slope > value ? 1 : 0;
  return studentTCumulative((trend.slope - value) / trend.slopeError, trend.degreesOfFreedom);
}

/** Two-sided 95 % confidence interval of the slope. */
export function slopeInterval(trend: Trend): [number, number] {
  const reach = trend.slopeError * studentTQuantile(0.975, trend.degreesOfFreedom);
  return [trend.slope - reach, trend.slope + reach];
}
