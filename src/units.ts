/** Bytes, durations and rates: their sizes and how a person reads them. */

export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;

const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** @example formatBytes(10_240) // "10.0 KiB" */
export function formatBytes(bytes: number): string {
  const sign = bytes < 0 ? '-' : '';
  let size = Math.abs(bytes);
  let unit = 0;
  while (size >= 1024 && unit < SIZES.length - 1) {
    size /= 1024;
    unit++;
  }
  const digits = unit === 0 || size >= 100 ? 0 : 1;
  const amount = size.toFixed(digits);
  return `${Number(amount) === 0 ? '' : sign}${amount} ${SIZES[unit]}`;
}

/** @example formatBytesChange(10_240) // "+10.0 KiB" */
export function formatBytesChange(bytes: number): string {
  return withSign(bytes, formatBytes(bytes));
}

/** @example formatCount(12_345) // "12,345" */
export function formatCount(count: number): string {
  // Adding zero takes the minus from a negative zero.
  return (Math.round(count) + 0).toLocaleString('en-US');
}

/** @example formatCountChange(1000) // "+1,000" */
export function formatCountChange(count: number): string {
  return withSign(count, formatCount(count));
}

function withSign(value: number, text: string): string {
  return value > 0 ? `+${text}` : text;
}

/** @example formatBytesPerSecond(2048) // "2.0 KiB/s" */
export function formatBytesPerSecond(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** @example formatDuration(65_000) // "1m 5s" */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1000) return `${Math.round(durationMs)}ms`;
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${seconds % 60}s`;
  return `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
}

/** @example formatPercent(0.956) // "95.6 %" */
export function formatPercent(share: number): string {
  const percent = share * 100;
  return `${Number(percent.toFixed(1))} %`;
}

/** @example formatLatency(1.234) // "1.23 ms" */
export function formatLatency(latencyMs: number): string {
  return latencyMs < 999.5 ? `${threeDigits(latencyMs)} ms` : `${threeDigits(latencyMs / 1000)} s`;
}

/** A rate per second without its unit. @example formatRate(12.34) // "12.3" */
export function formatRate(perSecond: number): string {
  return perSecond === 0 ? '0' : threeDigits(perSecond);
}

/** More would pretend; numbers above 1000 keep their whole part. */
function threeDigits(value: number): string {
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}
