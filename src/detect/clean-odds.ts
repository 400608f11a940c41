import { CALIBRATION } from './calibration-constants.js';

/**
 * How the log odds for a leak are distributed where there is none, as measured
 * on clean series: what a p-value is read from.
 *
 * Models are compared that were chosen to fit, so no theory says how often
 * odds come out as high as this by chance. A p-value from calibration data
 * holds all the same, as long as the clean series there are like the clean
 * series here (conformal p-values, and their false discovery rate: Bates,
 * Candès, Lei, Romano and Sesia 2023). Beyond the calibration data, an
 * exponential tail is fitted to the highest twentieth (Knijnenburg, Wessels,
 * Reinders and Shmulevich 2009); odds that were true odds would fall off
 * exponentially too, with rate 1.
 */
export interface CleanOdds {
  /** Ascending log odds, of which the share `shares[i]` of clean series has as much or more. */
  logOdds: readonly number[];
  shares: readonly number[];
  /** Mean excess over the last of them. */
  tailMean: number;
}

export type Judged = keyof typeof CALIBRATION.clean;

/** The chance that a clean series gets odds as high as these. Never 0: nobody knows what no data has shown. */
export function pValueOf(logOdds: number, judged: Judged): number {
  const { logOdds: known, shares, tailMean }: CleanOdds = CALIBRATION.clean[judged];
  const last = known.length - 1;
  if (logOdds >= (known[last] as number))
    return Math.max(
      LEAST,
      (shares[last] as number) * Math.exp(((known[last] as number) - logOdds) / tailMean),
    );
  const above = known.findIndex((value) => value > logOdds);
  if (above === 0) return 1;
  const [low, high] = [known[above - 1] as number, known[above] as number];
  const [from, until] = [Math.log(shares[above - 1] as number), Math.log(shares[above] as number)];
  return Math.exp(from + ((until - from) * (logOdds - low)) / (high - low));
}

const LEAST = 1e-12;
