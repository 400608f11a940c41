import { Guard, type Protected } from './guard.js';
import { type LockOptions, LockQueue, type WaitOptions } from './lock-queue.js';

/**
 * A value for one at a time, across `await`. Belongs to one thread.
 *
 *   using guard = await mutex.lock();
 *   guard.value.push(await next());
 *
 * First come, first served. Not re-entrant: who locks twice waits for himself.
 * Not poisoned by what a holder throws. A guard that is never released keeps
 * the lock locked, and is found by heldGuards() and leakedReferences().
 */
export class Mutex<T> {
  readonly #queue: LockQueue;
  readonly #protected: Protected<T>;

  /** @throws CrucibleMemoryError COUNTERS_EXHAUSTED, USAGE for a name that is too long */
  constructor(value: T, options: LockOptions) {
    this.#queue = new LockQueue('mutex', options);
    this.#protected = { value };
  }

  get isLocked(): boolean {
    return this.#queue.holders > 0;
  }

  get waiters(): number {
    return this.#queue.waiters;
  }

  /** Rejects with LOCK_TIMEOUT, or with the reason of the signal. */
  async lock(options: WaitOptions = {}): Promise<Guard<T>> {
    const hold = await this.#queue.enter('exclusive', options, Mutex.prototype.lock);
    return new Guard(this.#queue, this.#protected, hold);
  }

  /** Undefined when the lock is held or others wait for it. */
  tryLock(): Guard<T> | undefined {
    const hold = this.#queue.tryEnter('exclusive', Mutex.prototype.tryLock);
    return hold && new Guard(this.#queue, this.#protected, hold);
  }
}
