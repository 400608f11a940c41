import { HELD } from './layout.js';
import { type Row, rowOf, rowTotals } from './registry.js';

/** A number that the program keeps: goes up and down, costs a few nanoseconds a change. */
export class Counter {
  readonly name: string;
  readonly #row: Row;

  /** @internal use counter(name) */
  constructor(row: Row) {
    this.name = row.name;
    this.#row = row;
  }

  /** In all threads together. Takes microseconds. */
  get value(): number {
    return rowTotals('counter').find(({ name }) => name === this.name)?.figures[HELD] ?? 0;
  }

  /** @param difference a whole number, negative too */
  add(difference: number): void {
    this.#row.add(HELD, difference);
  }
}

const countersByName = new Map<string, Counter>();

/**
 * The counter of that name, which comes into being at 0 when it is first asked for.
 * Its recorded channel is in bytes when the name ends in "bytes".
 * @param name after a kind of thing, never after a single one
 * @throws CrucibleMemoryError COUNTERS_EXHAUSTED, USAGE
 */
export function counter(name: string): Counter {
  const known = countersByName.get(name);
  if (known) return known;
  const created = new Counter(rowOf('counter', name));
  countersByName.set(name, created);
  return created;
}

/** Every counter with its value now, all threads together, in the order in which they came into being. */
export function counters(): { name: string; value: number }[] {
  return rowTotals('counter').map(({ name, figures }) => ({ name, value: figures[HELD] ?? 0 }));
}
