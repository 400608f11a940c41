/** The lowest and highest value of a stretch of time. */
export interface Stretch {
  index: number;
  low: number;
  high: number;
}

/**
 * What a curve looks like when it is drawn `stretches` wide: for each stretch
 * of time its lowest and highest value. A peak of one sample in a million
 * stays visible, and the size of the picture does not depend on the samples.
 *
 * Stretches without samples are left out. Cost: one pass.
 */
export function envelope(
  timesMs: ArrayLike<number>,
  values: ArrayLike<number>,
  range: { fromMs: number; toMs: number; stretches: number },
): Stretch[] {
  const { fromMs, toMs, stretches } = range;
  const found = new Map<number, Stretch>();
  for (let i = 0; i < timesMs.length; i++) {
    const time = timesMs[i] ?? Number.NaN;
    const value = values[i] ?? Number.NaN;
    if (!Number.isFinite(value) || !(time >= fromMs && time <= toMs)) continue;
    const index = Math.min(stretches - 1, Math.floor(((time - fromMs) / (toMs - fromMs || 1)) * stretches));
    const stretch = found.get(index);
    if (!stretch) found.set(index, { index, low: value, high: value });
    else if (value < stretch.low) stretch.low = value;
    else if (value > stretch.high) stretch.high = value;
  }
  return [...found.values()].sort((a, b) => a.index - b.index);
}
