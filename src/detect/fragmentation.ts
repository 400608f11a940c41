import { formatBytes } from '../units.js';
import { type JudgedPoints, quantileOf } from './points.js';
import type { ProcessEvidence } from './process-evidence.js';
import type { CleanSeries } from './sanitise.js';

/** Resident memory must rise by so many thresholds, and by this share of itself, to be worth a word. */
const NOTEWORTHY = { thresholds: 2, share: 0.05 } as const;
/** The allocator has handed out at most this share of the rise. */
const UNUSED_SHARE = 0.25;

/**
 * Resident memory outside the heap that rises while the allocator has no more
 * in use is not leaked: the allocator keeps pages that it cannot give back.
 *
 * @returns what happened and what to do about it; undefined when it did not, or cannot be known
 */
export function fragmentationOf(
  { signals }: ProcessEvidence,
  { signals: recorded }: CleanSeries,
  leastBytes: number,
): string | undefined {
  const { resident, malloc } = signals;
  if (resident === undefined || malloc === undefined || recorded.rss === undefined) return undefined;
  const rise = riseOf(resident);
  const least = Math.max(NOTEWORTHY.thresholds * leastBytes, NOTEWORTHY.share * (recorded.rss.at(-1) ?? 0));
  if (!(rise >= least) || riseOf(malloc) > UNUSED_SHARE * rise) return undefined;
  return `resident memory outside the heap rose by ${formatBytes(rise)} while the allocator had no more in use: fragmentation, not a leak. MALLOC_ARENA_MAX=2, or jemalloc by LD_PRELOAD, lowers it`;
}

/** From the first sixth to the last, by medians. */
function riseOf({ values }: JudgedPoints): number {
  const part = Math.max(1, Math.floor(values.length / 6));
  return (
    quantileOf(Array.from(values.subarray(values.length - part)), 0.5) -
    quantileOf(Array.from(values.subarray(0, part)), 0.5)
  );
}
