import type { JudgeSettings } from './judge.js';
import type { SignalEvidence } from './signal-evidence.js';

/**
 * The growth over the whole run that would have been called a leak: so many
 * standard errors of steady growth that its likelihood outweighs the penalty
 * for one more parameter and the odds that a verdict needs.
 *
 * The error is that of the fit in this very noise, its memory included, which
 * is why slow noise hides so much more than fast noise of the same size.
 *
 * @returns bytes, at least the threshold; undefined when steady growth could not be fitted
 */
export function detectableGrowthBytes(
  { steadyErrorBytes, points }: SignalEvidence,
  { leakThresholdBytes, significanceThreshold }: JudgeSettings,
): number | undefined {
  if (steadyErrorBytes === undefined || !Number.isFinite(steadyErrorBytes)) return undefined;
  const needed =
    Math.log(points.values.length) + 2 * Math.log(significanceThreshold / (1 - significanceThreshold));
  return Math.max(leakThresholdBytes, steadyErrorBytes * Math.sqrt(Math.max(4, needed)));
}
