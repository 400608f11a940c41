/** Lets so many tasks in at once; the others wait their turn, first come first served. */
export class Gate {
  readonly #capacity: number;
  readonly #queue: (() => void)[] = [];
  #inside = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get inside(): number {
    return this.#inside;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    const leave = await this.enter();
    try {
      return await task();
    } finally {
      leave();
    }
  }

  /** Waits for a place. @returns gives it back; to be called exactly once */
  async enter(): Promise<() => void> {
    if (this.#inside < this.#capacity) this.#inside++;
    else await new Promise<void>((enter) => this.#queue.push(enter));
    return () => this.#leave();
  }

  #leave(): void {
    // Who leaves hands the place over instead of freeing it, so that a
    // newcomer cannot slip in before those who wait.
    const next = this.#queue.shift();
    if (next) next();
    else this.#inside--;
  }
}
