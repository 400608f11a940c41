import { Arc, counter, Mutex, sampleStacks, trackResource } from '../../../src/refcount/index.js';

/** One way of owning something, in a process of its own. */
export interface Contender {
  name: string;
  /** The contender that does the same without counting; absent: this is one. */
  baseline?: string;
  /** How often it is done in one turn, so that turns take some tens of milliseconds. */
  times: number;
  /** @returns does it so many times */
  start(): (times: number) => void | Promise<void>;
}

interface Owner {
  clone(): Owner;
  drop(): void;
}

/** What a program does that does not count its owners. */
class PlainOwner implements Owner {
  #value: object | undefined;

  constructor(value: object) {
    this.#value = value;
  }

  clone(): PlainOwner {
    return new PlainOwner(this.#value as object);
  }

  drop(): void {
    this.#value = undefined;
  }
}

/** The obvious way: atomic counts, and every reference watched. */
class WatchedOwner implements Owner {
  static readonly counts = new Int32Array(new SharedArrayBuffer(8));
  static readonly registry = new FinalizationRegistry<number>(() => undefined);
  #value: object | undefined;

  constructor(value: object) {
    this.#value = value;
    Atomics.add(WatchedOwner.counts, 0, 1);
    WatchedOwner.registry.register(this, 0, this);
  }

  clone(): WatchedOwner {
    return new WatchedOwner(this.#value as object);
  }

  drop(): void {
    this.#value = undefined;
    Atomics.add(WatchedOwner.counts, 1, 1);
    WatchedOwner.registry.unregister(this);
  }
}

/** Some owners live a little: what never leaves the loop would be optimised away altogether. */
const LIVING = 16;

function cloneAndDrop(first: Owner): (times: number) => void {
  const living = Array.from({ length: LIVING }, () => first.clone());
  return (times) => {
    for (let i = 0; i < times; i++) {
      living[i % LIVING]?.drop();
      living[i % LIVING] = first.clone();
    }
  };
}

function arcWithStacks(every: number): Owner {
  sampleStacks({ every });
  return Arc.of({}, { name: 'bench.arc' });
}

const CLONE = 'plain object: clone + drop';
const NEW = 'plain object: new + drop';
const AWAIT = 'plain object: await + drop';
const VALUE = { some: 'value' };

export const CONTENDERS: Contender[] = [
  { name: CLONE, times: 1e6, start: () => cloneAndDrop(new PlainOwner(VALUE)) },
  {
    name: 'Arc: clone + drop',
    baseline: CLONE,
    times: 1e6,
    start: () => cloneAndDrop(arcWithStacks(0)),
  },
  {
    name: 'Arc: clone + drop, a stack for 1 in 128',
    baseline: CLONE,
    times: 3e5,
    start: () => cloneAndDrop(arcWithStacks(128)),
  },
  {
    name: 'atomic counts, FinalizationRegistry',
    baseline: CLONE,
    times: 1e5,
    start: () => cloneAndDrop(new WatchedOwner(VALUE)),
  },
  {
    name: NEW,
    times: 1e6,
    start: () => (times) => {
      for (let i = 0; i < times; i++) new PlainOwner({ i }).drop();
    },
  },
  {
    name: 'Arc: of + drop',
    baseline: NEW,
    times: 3e5,
    start: () => {
      sampleStacks({ every: 0 });
      return (times) => {
        for (let i = 0; i < times; i++) Arc.of({ i }, { name: 'bench.of' }).drop();
      };
    },
  },
  {
    name: 'trackResource + release',
    baseline: NEW,
    times: 1e5,
    start: () => {
      sampleStacks({ every: 0 });
      return (times) => {
        for (let i = 0; i < times; i++) trackResource('bench.resource', { i }).release();
      };
    },
  },
  {
    name: 'counter.add',
    times: 3e6,
    start: () => {
      const additions = counter('bench.additions');
      return (times) => {
        for (let i = 0; i < times; i++) additions.add(1);
      };
    },
  },
  {
    name: AWAIT,
    times: 2e5,
    start: () => async (times) => {
      for (let i = 0; i < times; i++) (await Promise.resolve(new PlainOwner(VALUE))).drop();
    },
  },
  {
    name: 'Mutex: lock + release',
    baseline: AWAIT,
    times: 5e4,
    start: () => {
      sampleStacks({ every: 0 });
      const mutex = new Mutex(VALUE, { name: 'bench.mutex' });
      return async (times) => {
        for (let i = 0; i < times; i++) (await mutex.lock()).release();
      };
    },
  },
];
