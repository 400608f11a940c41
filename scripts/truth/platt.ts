/** The odds that were given, and what was true. */
export interface Outcome {
  logOdds: number;
  isLeak: boolean;
}

/**
 * Logistic regression of truth on asinh(log odds), by Newton's method, with
 * Platt's own protection against certainty: a truth counts as (n + 1)/(n + 2)
 * instead of 1, n being how many there are of it (Platt 1999; Lin, Lin and
 * Weng 2007).
 */
export function fitPlatt(outcomes: readonly Outcome[]): { slope: number; offset: number } {
  const leaks = outcomes.filter(({ isLeak }) => isLeak).length;
  const leakTarget = (leaks + 1) / (leaks + 2);
  const cleanTarget = 1 / (outcomes.length - leaks + 2);
  let slope = 1;
  let offset = 0;
  for (let round = 0; round < 100; round++) {
    let [gradientSlope, gradientOffset, ss, so, oo] = [0, 0, 1e-9, 0, 1e-9];
    for (const { logOdds, isLeak } of outcomes) {
      const x = Math.asinh(logOdds);
      const p = 1 / (1 + Math.exp(-(slope * x + offset)));
      const error = p - (isLeak ? leakTarget : cleanTarget);
      const weight = Math.max(1e-12, p * (1 - p));
      gradientSlope += error * x;
      gradientOffset += error;
      ss += weight * x * x;
      so += weight * x;
      oo += weight;
    }
    const determinant = ss * oo - so * so;
    const stepSlope = (oo * gradientSlope - so * gradientOffset) / determinant;
    const stepOffset = (ss * gradientOffset - so * gradientSlope) / determinant;
    // Far from the solution Newton's step may be too long.
    const damping = Math.min(1, 2 / (Math.abs(stepSlope) + Math.abs(stepOffset) + 1e-12));
    slope -= damping * stepSlope;
    offset -= damping * stepOffset;
    if (Math.abs(stepSlope) + Math.abs(stepOffset) < 1e-9) break;
  }
  return { slope, offset };
}
