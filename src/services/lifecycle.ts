import { CrucibleMemoryError } from '../errors.js';
import { Mutex } from '../refcount/index.js';

/**
 * Starting, stopping and the tasks in between, the same for all services:
 * start() and stop() wait for each other in the order in which they were
 * called, work is accepted only in between, and stop() lets accepted work end
 * before it closes anything.
 */
export interface LifecycleOptions {
  service: string;
  open: () => Promise<void>;
  /** Must give back whatever open() took, also when open() failed half-way. */
  close: () => Promise<void>;
}

export class Lifecycle {
  readonly #options: LifecycleOptions;
  #accepting = false;
  #opened = false;
  #tasks = 0;
  #whenIdle: (() => void) | undefined;
  /** Held by the start() or stop() that is under way. */
  readonly #turn: Mutex<undefined>;

  constructor(options: LifecycleOptions) {
    this.#options = options;
    this.#turn = new Mutex(undefined, { name: `${options.service}.lifecycle` });
  }

  /** Tasks accepted and not yet ended, those that wait in a queue included. */
  get tasks(): number {
    return this.#tasks;
  }

  start(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#opened) return;
      try {
        await this.#options.open();
      } catch (error) {
        await this.#options.close();
        throw error;
      }
      this.#opened = true;
      this.#accepting = true;
    });
  }

  stop(): Promise<void> {
    this.#accepting = false;
    return this.#inTurn(async () => {
      this.#accepting = false;
      await this.#idle();
      if (!this.#opened) return;
      this.#opened = false;
      await this.#options.close();
    });
  }

  /** Runs a task. Rejects with SERVICE_NOT_STARTED outside start() and stop(). */
  async run<T>(task: () => Promise<T>): Promise<T> {
    const leave = this.enter();
    try {
      return await task();
    } finally {
      leave();
    }
  }

  /**
   * Begins a task that is not one call, such as a stream. Throws SERVICE_NOT_STARTED.
   * @returns ends it; to be called exactly once
   */
  enter(): () => void {
    if (!this.#accepting) throw notStarted(this.#options.service);
    this.#tasks++;
    return () => {
      this.#tasks--;
      if (this.#tasks === 0) this.#whenIdle?.();
    };
  }

  #idle(): Promise<void> {
    if (this.#tasks === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenIdle = () => {
        this.#whenIdle = undefined;
        resolve();
      };
    });
  }

  async #inTurn(step: () => Promise<void>): Promise<void> {
    using _turn = await this.#turn.lock();
    await step();
  }
}

function notStarted(service: string): CrucibleMemoryError {
  return new CrucibleMemoryError('SERVICE_NOT_STARTED', {
    what: `${service} cannot work now`,
    why: 'it has not been started, or it was stopped',
    fix: 'await start() before the first operation, and send none after stop()',
  });
}
