/**
 * Probability that a standard normal deviate is at most z.
 *
 * Complementary error function by Numerical Recipes (erfccheb, 6.2): relative
 * error below 1.2e-7 everywhere, so that tails stay positive where the table of
 * simple-statistics ends at .999.
 */
export function normalCumulative(z: number): number {
  if (z === Number.POSITIVE_INFINITY) return 1;
  if (z === Number.NEGATIVE_INFINITY) return 0;
  const half = 0.5 * complementaryError(Math.abs(z) / Math.SQRT2);
  return z > 0 ? 1 - half : half;
}

function complementaryError(x: number): number {
  const t = 1 / (1 + 0.5 * x);
  const series = [
    0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196,
    1.00002368, -1.26551223,
  ].reduce((sum, coefficient) => sum * t + coefficient, 0);
  return t * Math.exp(-x * x + series);
}

/** The number that a standard normal deviate stays below with this probability, by bisection to twelve digits. */
export function normalQuantile(probability: number): number {
  let [low, high] = [-40, 40];
  while (high - low > 1e-12) {
    const middle = (low + high) / 2;
    if (normalCumulative(middle) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
