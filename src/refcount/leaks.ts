import type { Owner } from './custody.js';
import { CREATED, HELD, LEAKED, type ReferenceKind } from './layout.js';
import type { Row } from './registry.js';

/** References of one kind, name and place that were collected without having been given back. */
export interface LeakedReferences {
  kind: ReferenceKind;
  name: string;
  /** How many. They still count as held: their value is never disposed of. */
  count: number;
  /** Where they were taken, innermost frame first; undefined for those that were not in the sample. */
  stack: string | undefined;
}

/** Further places of the same row are counted together, without a stack. */
const PLACES_MAX = 100;

const ledgers = new Map<Row, LeakLedger>();

/** The references of one row that were leaked, by the place where they were taken. */
export class LeakLedger implements Owner {
  readonly row: Row;
  readonly countsByStack = new Map<string | undefined, number>();

  private constructor(row: Row) {
    this.row = row;
  }

  static of(row: Row): LeakLedger {
    const known = ledgers.get(row);
    if (known) return known;
    const created = new LeakLedger(row);
    ledgers.set(row, created);
    return created;
  }

  collected(stack: string | undefined): void {
    this.row.add(LEAKED, 1);
    const isKnown = this.countsByStack.has(stack) || this.countsByStack.size < PLACES_MAX;
    const place = isKnown ? stack : undefined;
    this.countsByStack.set(place, (this.countsByStack.get(place) ?? 0) + 1);
  }
}

/** Notes one more reference of a row. */
export function begin(row: Row): void {
  row.add(HELD, 1);
  row.add(CREATED, 1);
}

/**
 * What this thread has leaked so far, most first, by where it was taken. A
 * reference is known to be leaked some time after it was: after a full
 * collection, once the event loop has had a turn.
 */
export function leakedReferences(): LeakedReferences[] {
  const leaked: LeakedReferences[] = [];
  for (const { row, countsByStack } of ledgers.values())
    for (const [stack, count] of countsByStack)
      leaked.push({ kind: row.kind as ReferenceKind, name: row.name, count, stack });
  return leaked.sort((a, b) => b.count - a.count);
}
