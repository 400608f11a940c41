import type { Ledger, Suspect } from '../diagnosis/index.js';
import { type MeasuredGrowth, totalOf } from './measured-growth.js';

/** Bytes over all rounds, by where they lie. */
export interface Share {
  heapBytes: number;
  externalBytes: number;
  nativeBytes: number;
}

/** What a suspect explains. */
export interface Explained extends Share {
  suspect: Pick<Suspect, 'retainingPath' | 'className' | 'kind'>;
}

/** A whole suspect, and what it explains. */
export interface Charged extends Share {
  suspect: Suspect;
}

/**
 * The books of a leak: what was measured on one side, suspects and the rest by its kind on the other. The rest
 * is what is left of each part, so that the entries sum to what was measured, to the byte; where suspects claim
 * more of a part than it grew, its rest is negative and stands there.
 */
export function ledgerOf(
  growth: MeasuredGrowth,
  explained: readonly Explained[],
  about: { compilerBytes: number; lacks: readonly string[] },
): Ledger {
  const total = totalOf(growth);
  const claimed = {
    heap: sum(explained.map(({ heapBytes }) => heapBytes)),
    external: sum(explained.map(({ externalBytes }) => externalBytes)),
    native: sum(explained.map(({ nativeBytes }) => nativeBytes)),
  };
  const heapRest = growth.heapBytes - claimed.heap;
  // Code is V8's own affair; a suspect may hold some of it, and then only what is left is.
  const code = heapRest > 0 ? Math.min(heapRest, Math.max(about.compilerBytes, growth.codeBytes, 0)) : 0;
  const rest = [
    { name: 'JavaScript heap, unexplained', bytes: heapRest - code },
    { name: 'code and metadata of V8', bytes: code },
    { name: 'external memory, unexplained', bytes: growth.externalBytes - claimed.external },
    { name: 'native allocator in use, unexplained', bytes: growth.nativeBytes - claimed.native },
    { name: 'stacks of threads', bytes: growth.stackBytes },
  ];
  const entries = [
    ...explained.map((one) => ({ name: nameOf(one.suspect), bytes: bytesOf(one) })),
    ...rest.filter(({ bytes }) => bytes !== 0),
  ];
  const operations = Math.max(1, growth.operations);
  const explainedBytes = sum(explained.map(bytesOf));
  return {
    measuredBytesPerOperation: total / operations,
    entries: entries.map(({ name, bytes }) => ({ name, bytesPerOperation: bytes / operations })),
    explainedShare: shareOf(explainedBytes, total) ?? 0,
    operations: growth.operations,
    lacks: [...about.lacks],
  };
}

/** 0 to 1; null where nothing grew. Sampling and rounding may explain a little more than there is. */
export function shareOf(bytes: number, total: number): number | null {
  return total <= 0 ? null : Math.min(1, Math.max(0, bytes / total));
}

export function bytesOf({ heapBytes, externalBytes, nativeBytes }: Share): number {
  return heapBytes + externalBytes + nativeBytes;
}

function nameOf({ retainingPath, className, kind }: Explained['suspect']): string {
  return retainingPath ?? className ?? kind;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
