import { CALIBRATION } from './calibration-constants.js';

/** How much was known: with the allocator's own figure, or without it. */
export type ChannelSet = 'withAllocator' | 'withoutAllocator';

/**
 * From odds that models give to a probability that is true: so many of the
 * series that get it do leak. Models are surer than they should be, because
 * none of them is quite right; Platt's correction (Platt 1999), on the inverse
 * hyperbolic sine of the log odds, which is linear in the middle and
 * logarithmic in the tails. The constants come from `npm run truth:calibrate`.
 */
export function calibrated(logOdds: number, channels: ChannelSet): number {
  const { slope, offset } = CALIBRATION[channels];
  const probability = logistic(slope * Math.asinh(logOdds) + offset);
  return Math.min(CALIBRATION.highestProbability, Math.max(1 - CALIBRATION.highestProbability, probability));
}

export function logistic(logOdds: number): number {
  return 1 / (1 + Math.exp(-logOdds));
}
