import { setMaxListeners } from 'node:events';
import { CrucibleMemoryError } from '../errors.js';
import { Hold, type HoldMode } from './holds.js';
import { TIMED_OUT, WAITING } from './layout.js';
import { type Row, rowOf } from './registry.js';
import { sampledStack } from './stacks.js';

/**
 * Who may enter, and in which order: strictly first come, first served. A
 * reader that comes while a writer waits goes behind it, so that no writer
 * starves; readers next to each other in the queue enter together.
 *
 * A lock is handed over: at the moment of release the next in line holds it,
 * and nobody can slip in between. There is no poison: what a holder throws is
 * the caller's, and whether the value is whole is for the program to know.
 */

export interface LockOptions {
  /** Kind of thing that is locked; counted under this name, at most 112 bytes. */
  name: string;
}

export interface WaitOptions {
  /** Rejects with LOCK_TIMEOUT after so long in the queue. Default: waits for ever. */
  timeoutMs?: number;
  /** Gives up the place in the queue and rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** Node's timers end at once when they are asked for more: 25 days, which is for ever. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

interface Waiter {
  mode: HoldMode;
  stack: string | undefined;
  enter(hold: Hold): void;
}

export class LockQueue {
  readonly #row: Row;
  /** First come, first served: a Set keeps the order, and lets those go that give up. */
  readonly #waiters = new Set<Waiter>();
  readonly #holds = new Set<Hold>();

  /** @throws CrucibleMemoryError COUNTERS_EXHAUSTED, USAGE */
  constructor(kind: 'mutex' | 'rwlock', { name }: LockOptions) {
    this.#row = rowOf(kind, name);
  }

  get holders(): number {
    return this.#holds.size;
  }

  get waiters(): number {
    return this.#waiters.size;
  }

  /** @param above our function that the program called */
  tryEnter(mode: HoldMode, above: (...args: never[]) => unknown): Hold | undefined {
    if (!this.#isFree(mode)) return undefined;
    return this.#begin(mode, sampledStack(this.#row, above));
  }

  /** Rejects with LOCK_TIMEOUT, or with the reason of the signal. */
  async enter(mode: HoldMode, options: WaitOptions, above: (...args: never[]) => unknown): Promise<Hold> {
    options.signal?.throwIfAborted();
    return this.tryEnter(mode, above) ?? this.#wait(mode, options, sampledStack(this.#row, above));
  }

  leave(hold: Hold): void {
    hold.end();
    this.#holds.delete(hold);
    this.#admit();
  }

  #isFree(mode: HoldMode): boolean {
    return this.#waiters.size === 0 && this.#goesWith(mode);
  }

  /** Readers go with readers; everyone else goes alone. */
  #goesWith(mode: HoldMode): boolean {
    for (const hold of this.#holds) return mode === 'read' && hold.mode === 'read';
    return true;
  }

  #begin(mode: HoldMode, stack: string | undefined): Hold {
    const hold = new Hold(this.#row, mode, stack);
    this.#holds.add(hold);
    return hold;
  }

  #wait(mode: HoldMode, { timeoutMs, signal }: WaitOptions, stack: string | undefined): Promise<Hold> {
    return new Promise<Hold>((resolve, reject) => {
      const giveUp = (reason: unknown) => {
        leaveQueue();
        reject(reason);
        // Who stood behind it may be able to go now.
        this.#admit();
      };
      const onAbort = () => giveUp(signal?.reason);
      const onTimeout = () => {
        this.#row.add(TIMED_OUT, 1);
        giveUp(this.#tooLate(timeoutMs as number));
      };
      const isTimed = timeoutMs !== undefined && timeoutMs <= TIMEOUT_MS_MAX;
      const timer = isTimed ? setTimeout(onTimeout, timeoutMs) : undefined;
      const leaveQueue = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#waiters.delete(waiter);
        this.#row.add(WAITING, -1);
      };
      const waiter: Waiter = {
        mode,
        stack,
        enter: (hold) => {
          leaveQueue();
          resolve(hold);
        },
      };
      // Many may wait with the signal of one shutdown; Node 20 would take that for a leak.
      if (signal) setMaxListeners(0, signal);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
      this.#row.add(WAITING, 1);
    });
  }

  #admit(): void {
    for (const waiter of this.#waiters) {
      if (!this.#goesWith(waiter.mode)) return;
      waiter.enter(this.#begin(waiter.mode, waiter.stack));
    }
  }

  #tooLate(timeoutMs: number): CrucibleMemoryError {
    // The first of them began first.
    const [longest] = Array.from(this.#holds, (hold) => hold.describe());
    const by = longest?.isLeaked ? 'a guard that was collected without having been released' : 'a guard';
    const where = longest?.stack === undefined ? '' : `, taken ${longest.stack.split('\n')[0]}`;
    return new CrucibleMemoryError('LOCK_TIMEOUT', {
      what: `the lock "${this.#row.name}" could not be taken within ${timeoutMs} ms`,
      why: `it has been held by ${by} for ${Math.round(longest?.heldMs ?? 0)} ms${where}`,
      fix: 'release every guard, best with `using`; heldGuards() shows those that are held',
    });
  }
}
