import type { Owner } from './custody.js';
import { HELD, LONGEST_HOLD_MS } from './layout.js';
import { begin, LeakLedger } from './leaks.js';
import type { Row } from './registry.js';

export type HoldMode = 'exclusive' | 'read' | 'write';

/** A guard that has not been released. */
export interface HeldGuard {
  kind: 'mutex' | 'rwlock';
  /** Of the lock. */
  name: string;
  mode: HoldMode;
  heldMs: number;
  /** The guard was collected without having been released: its lock stays locked for ever. */
  isLeaked: boolean;
  /** Where it was taken, innermost frame first; undefined when it was not in the sample. */
  stack: string | undefined;
}

/** Of those that were leaked, so many are kept for heldGuards(); all are counted. */
const LEAKED_KEPT_MAX = 256;

const held = new Set<Hold>();
const leaked: Hold[] = [];

/** The time from when a lock was taken until its guard is released; what is known of the guard without holding it. */
export class Hold implements Owner {
  readonly row: Row;
  readonly mode: HoldMode;
  readonly stack: string | undefined;
  readonly #sinceMs = performance.now();
  #isLeaked = false;

  constructor(row: Row, mode: HoldMode, stack: string | undefined) {
    this.row = row;
    this.mode = mode;
    this.stack = stack;
    begin(row);
    held.add(this);
  }

  get heldMs(): number {
    return performance.now() - this.#sinceMs;
  }

  end(): void {
    held.delete(this);
    this.row.add(HELD, -1);
    this.row.raiseTo(LONGEST_HOLD_MS, this.heldMs);
  }

  collected(): void {
    this.#isLeaked = true;
    LeakLedger.of(this.row).collected(this.stack);
    held.delete(this);
    leaked.push(this);
    if (leaked.length > LEAKED_KEPT_MAX) leaked.shift();
  }

  describe(): HeldGuard {
    const { row, mode, heldMs, stack } = this;
    return {
      kind: row.kind as HeldGuard['kind'],
      name: row.name,
      mode,
      heldMs,
      isLeaked: this.#isLeaked,
      stack,
    };
  }
}

/** The guards of this thread that have not been released, longest first; of the leaked ones the last 256. */
export function heldGuards(): HeldGuard[] {
  return [...leaked, ...held].map((hold) => hold.describe()).sort((a, b) => b.heldMs - a.heldMs);
}
