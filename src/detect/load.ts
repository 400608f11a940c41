import type { CleanSeries } from './sanitise.js';

/** Widths over which the rate is averaged, shares of the run. */
const WINDOWS = [0, 0.01, 0.03, 0.08];
/** Lags with which memory follows it, shares of the run. */
const LAGS = [0, 0.01, 0.03];

/**
 * Ways in which memory may follow the load: operations a second, averaged over
 * windows and followed with lags. What is in flight is the rate times how long
 * it stays, and nobody knows how long that is.
 *
 * @returns columns with one value a sample; none when operations are not counted or come evenly
 */
export function loadColumns({ timesMs, operations }: CleanSeries): Float64Array[] {
  if (operations === undefined || timesMs.length < 20) return [];
  const n = timesMs.length;
  const rates = new Float64Array(n);
  for (let i = 1; i < n; i++) {
    const stepMs = (timesMs[i] as number) - (timesMs[i - 1] as number);
    rates[i] =
      stepMs > 0
        ? ((operations[i] as number) - (operations[i - 1] as number)) / stepMs
        : (rates[i - 1] as number);
  }
  rates[0] = rates[1] as number;
  return WINDOWS.flatMap((window) => {
    const averaged = movingMean(rates, Math.round((window * n) / 2));
    return LAGS.map((lag) => followed(averaged, lag * n));
  });
}

/** Mean over the values within `reach` to both sides, by running sums. */
function movingMean(values: Float64Array, reach: number): Float64Array {
  if (reach === 0) return values;
  const sums = new Float64Array(values.length + 1);
  for (let i = 0; i < values.length; i++) sums[i + 1] = (sums[i] as number) + (values[i] as number);
  return values.map((_, i) => {
    const from = Math.max(0, i - reach);
    const until = Math.min(values.length, i + reach + 1);
    return ((sums[until] as number) - (sums[from] as number)) / (until - from);
  });
}

/** Exponentially weighted mean of what was, `lag` samples behind on average. */
function followed(values: Float64Array, lag: number): Float64Array {
  if (lag === 0) return values;
  let state = values[0] as number;
  return values.map((value) => {
    state += (value - state) / (1 + lag);
    return state;
  });
}
