import { CrucibleMemoryError } from '../errors.js';

/**
 * Named counters in one block of shared memory.
 *
 * Shared, so that a native thread can read every count while no JavaScript
 * runs. A counter costs 4 bytes and one atomic add a change; it is never given
 * back, so names are kinds of things ("ScriptEngine.script"), not single things.
 */

const MAX_COUNTERS = 1024;
const slots = new Int32Array(new SharedArrayBuffer(MAX_COUNTERS * Int32Array.BYTES_PER_ELEMENT));
const countersByName = new Map<string, Counter>();

export class Counter {
  readonly name: string;
  readonly #slot: number;

  /** @internal use counter(name) */
  constructor(name: string, slot: number) {
    this.name = name;
    this.#slot = slot;
  }

  get value(): number {
    return Atomics.load(slots, this.#slot);
  }

  /** @returns the value after the change */
  add(difference: number): number {
    return Atomics.add(slots, this.#slot, difference) + difference;
  }
}

/** The counter of that name, which comes into being at 0 when it is first asked for. */
export function counter(name: string): Counter {
  const known = countersByName.get(name);
  if (known) return known;
  if (countersByName.size === MAX_COUNTERS) {
    throw new CrucibleMemoryError('COUNTERS_EXHAUSTED', {
      what: `there is no room for a counter named "${name}"`,
      why: `the registry holds ${MAX_COUNTERS} names and none is ever given back`,
      fix: 'name counters after a kind of thing, not after each single thing',
    });
  }
  const created = new Counter(name, countersByName.size);
  countersByName.set(name, created);
  return created;
}

/** Every counter with its value now, in the order in which they came into being. */
export function counters(): { name: string; value: number }[] {
  return Array.from(countersByName.values(), ({ name, value }) => ({ name, value }));
}
