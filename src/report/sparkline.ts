const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** Below this share of the highest value a change is noise, and is drawn flat. */
const SMALLEST_SPAN = 0.1;

/**
 * Numbers as a row of bars, the lowest ▁ and the highest █.
 *
 * Longer series are cut into `width` stretches, of which the highest value is
 * shown: a peak is never lost. Values that are not finite leave a gap.
 * @example sparkline([1, 2, 4, 8]) // "▁▂▄█"
 */
export function sparkline(values: readonly number[], width: number = values.length): string {
  const shown = peaks(values, width);
  const finite = shown.filter(Number.isFinite);
  if (finite.length === 0) return ' '.repeat(shown.length);
  const low = Math.min(...finite);
  const high = Math.max(...finite);
  const span = Math.max(high - low, SMALLEST_SPAN * Math.abs(high));
  return shown.map((value) => barOf(value, low, span)).join('');
}

function barOf(value: number, low: number, span: number): string {
  if (!Number.isFinite(value)) return ' ';
  const share = span === 0 ? 0 : (value - low) / span;
  return BARS[Math.min(BARS.length - 1, Math.floor(share * BARS.length))] ?? BARS[0];
}

/** The highest value of each of `width` equal stretches. */
function peaks(values: readonly number[], width: number): number[] {
  if (values.length <= width) return [...values];
  return Array.from({ length: width }, (_, index) => {
    const from = Math.floor((index * values.length) / width);
    const to = Math.floor(((index + 1) * values.length) / width);
    const finite = values.slice(from, to).filter(Number.isFinite);
    return finite.length === 0 ? Number.NaN : Math.max(...finite);
  });
}
