import { linearRegression, mean } from 'simple-statistics';

/** A straight line through points: a description of them, not a verdict. */
export interface Trend {
  slope: number;
  intercept: number;
  /** Share of the variance that the line explains, 0 to 1. */
  rSquared: number;
}

/**
 * Least squares. x is centred first: simple-statistics sums squares of x.
 * @returns undefined for fewer than three points, or when x does not vary
 */
export function fitTrend(x: ArrayLike<number>, y: ArrayLike<number>): Trend | undefined {
  const n = Math.min(x.length, y.length);
  if (n < 3) return undefined;
  const xs = Array.from({ length: n }, (_, i) => x[i] as number);
  const ys = Array.from({ length: n }, (_, i) => y[i] as number);
  const xMean = mean(xs);
  const centred = xs.map((value) => value - xMean);
  if (!(centred.reduce((sum, value) => sum + value * value, 0) > 0)) return undefined;
  const { m: slope, b: middle } = linearRegression(centred.map((value, i) => [value, ys[i] as number]));
  const unexplained = ys.reduce(
    (sum, value, i) => sum + (value - middle - slope * (centred[i] as number)) ** 2,
    0,
  );
  const variation = ys.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return {
    slope,
    intercept: middle - slope * xMean,
    rSquared: variation > 0 ? Math.min(1, Math.max(0, 1 - unexplained / variation)) : 0,
  };
}
