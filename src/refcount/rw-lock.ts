import { Guard, type Protected, ReadGuard } from './guard.js';
import { type LockOptions, LockQueue, type WaitOptions } from './lock-queue.js';

/**
 * A value for many readers or one writer, across `await`. Belongs to one thread.
 *
 * First come, first served: a reader that comes while a writer waits goes
 * behind it, so no writer starves, and who holds a read guard must not ask for
 * another one. Not poisoned by what a holder throws.
 */
export class RwLock<T> {
  readonly #queue: LockQueue;
  readonly #protected: Protected<T>;

  /** @throws CrucibleMemoryError COUNTERS_EXHAUSTED, USAGE for a name that is too long */
  constructor(value: T, options: LockOptions) {
    this.#queue = new LockQueue('rwlock', options);
    this.#protected = { value };
  }

  /** Readers, or one writer. */
  get holders(): number {
    return this.#queue.holders;
  }

  get waiters(): number {
    return this.#queue.waiters;
  }

  /** Rejects with LOCK_TIMEOUT, or with the reason of the signal. */
  async read(options: WaitOptions = {}): Promise<ReadGuard<T>> {
    const hold = await this.#queue.enter('read', options, RwLock.prototype.read);
    return new ReadGuard(this.#queue, this.#protected, hold);
  }

  /** Rejects with LOCK_TIMEOUT, or with the reason of the signal. */
  async write(options: WaitOptions = {}): Promise<Guard<T>> {
    const hold = await this.#queue.enter('write', options, RwLock.prototype.write);
    return new Guard(this.#queue, this.#protected, hold);
  }

  /** Undefined when a writer holds the lock or anyone waits for it. */
  tryRead(): ReadGuard<T> | undefined {
    const hold = this.#queue.tryEnter('read', RwLock.prototype.tryRead);
    return hold && new ReadGuard(this.#queue, this.#protected, hold);
  }

  /** Undefined when the lock is held or others wait for it. */
  tryWrite(): Guard<T> | undefined {
    const hold = this.#queue.tryEnter('write', RwLock.prototype.tryWrite);
    return hold && new Guard(this.#queue, this.#protected, hold);
  }
}
