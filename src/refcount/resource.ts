import { CrucibleMemoryError } from '../errors.js';
import type { Owner } from './custody.js';
import { HELD } from './layout.js';
import { begin, LeakLedger } from './leaks.js';
import { type Row, rowOf } from './registry.js';
import { sampledStack } from './stacks.js';

/** Something that has to be given back: a pool, a session, a model, a handle. */
export class TrackedResource implements Disposable {
  readonly #row: Row;
  #isReleased = false;

  /** @internal use trackResource() */
  constructor(row: Row) {
    this.#row = row;
    begin(row);
  }

  get isReleased(): boolean {
    return this.#isReleased;
  }

  /** It was given back. Throws RESOURCE_RELEASED the second time. */
  release(): void {
    if (this.#isReleased) {
      throw new CrucibleMemoryError('RESOURCE_RELEASED', {
        what: `a resource of the kind "${this.#row.name}" was released twice`,
        why: 'two places take themselves for its owner',
        fix: 'release() in one place only',
      });
    }
    this.#isReleased = true;
    watch.unregister(this);
    this.#row.add(HELD, -1);
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    if (!this.#isReleased) this.release();
  }
}

interface Claim {
  owner: Owner;
  stack: string | undefined;
}

/** Resources are few and dear: watching each one by itself is no matter. */
const watch = new FinalizationRegistry<Claim>(({ owner, stack }) => owner.collected(stack));

/**
 * Counts `object` as a resource that is open until release(). One that is
 * collected before counts as leaked, with the stack that tracked it where that
 * was in the sample. Costs about a microsecond.
 * @param kind of thing, never a single one; at most 112 bytes
 * @throws CrucibleMemoryError COUNTERS_EXHAUSTED, USAGE
 */
export function trackResource(kind: string, object: object): TrackedResource {
  const row = rowOf('resource', kind);
  const resource = new TrackedResource(row);
  watch.register(object, { owner: LeakLedger.of(row), stack: sampledStack(row, trackResource) }, resource);
  return resource;
}
