import { CrucibleMemoryError } from '../errors.js';
import { returnTicket, type Ticket, takeTicket } from './custody.js';
import type { Hold } from './holds.js';
import type { LockQueue } from './lock-queue.js';

/** Where a lock keeps what it protects. */
export interface Protected<T> {
  value: T;
}

/** The right to read what a lock protects, until it is released. */
export class ReadGuard<T> implements Disposable {
  readonly #queue: LockQueue;
  readonly #protected: Protected<T>;
  readonly #ticket: Ticket;
  #hold: Hold | undefined;

  /** @internal use lock(), read() or write() */
  constructor(queue: LockQueue, content: Protected<T>, hold: Hold) {
    this.#queue = queue;
    this.#protected = content;
    this.#hold = hold;
    this.#ticket = takeTicket(hold, undefined);
  }

  /** Throws GUARD_RELEASED after release(). */
  get value(): T {
    return this.content('read').value;
  }

  get isReleased(): boolean {
    return this.#hold === undefined;
  }

  /** The next in line holds the lock from now on. Throws GUARD_RELEASED the second time. */
  release(): void {
    const hold = this.#hold;
    this.content('release');
    this.#hold = undefined;
    returnTicket(this.#ticket);
    if (hold) this.#queue.leave(hold);
  }

  /** For `using`: releases unless that was done by hand. */
  [Symbol.dispose](): void {
    if (this.#hold) this.release();
  }

  /** @internal for Guard */
  protected content(action: string): Protected<T> {
    if (this.#hold) return this.#protected;
    throw new CrucibleMemoryError('GUARD_RELEASED', {
      what: `tried to ${action} through a guard that was released before`,
      why: 'somebody else may hold the lock now',
      fix: 'take the lock again, and release() each guard exactly once',
    });
  }
}

/** The right to read and replace what a lock protects, until it is released. */
export class Guard<T> extends ReadGuard<T> {
  /** Throws GUARD_RELEASED after release(). */
  override get value(): T {
    return this.content('read').value;
  }

  override set value(value: T) {
    this.content('write').value = value;
  }
}
