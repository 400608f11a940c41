/**
 * A cache that may hold so many bytes; what was not asked for longest goes first.
 *
 * Every value is put in together with its size, so the books say what is held
 * and nothing is estimated. A value larger than the whole budget is not kept.
 */
export class LruCache<V> {
  readonly #budgetBytes: number;
  readonly #onRemove: (value: V) => void;
  /** Oldest first: a Map keeps the order of insertion, and a hit inserts anew. */
  readonly #items = new Map<string, { value: V; bytes: number }>();
  #bytes = 0;
  #hits = 0;
  #misses = 0;

  constructor(budgetBytes: number, onRemove: (value: V) => void = () => undefined) {
    this.#budgetBytes = budgetBytes;
    this.#onRemove = onRemove;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get entries(): number {
    return this.#items.size;
  }

  get hits(): number {
    return this.#hits;
  }

  get misses(): number {
    return this.#misses;
  }

  get(key: string): V | undefined {
    const item = this.#items.get(key);
    if (!item) {
      this.#misses++;
      return undefined;
    }
    this.#hits++;
    this.#items.delete(key);
    this.#items.set(key, item);
    return item.value;
  }

  /** @returns false when the value is larger than the budget and was not kept */
  set(key: string, value: V, bytes: number): boolean {
    this.delete(key);
    if (bytes > this.#budgetBytes) return false;
    for (const oldest of this.#items.keys()) {
      if (this.#bytes + bytes <= this.#budgetBytes) break;
      this.delete(oldest);
    }
    this.#items.set(key, { value, bytes });
    this.#bytes += bytes;
    return true;
  }

  delete(key: string): void {
    const item = this.#items.get(key);
    if (!item) return;
    this.#items.delete(key);
    this.#bytes -= item.bytes;
    this.#onRemove(item.value);
  }

  /** Lets go of everything and starts the count of hits and misses anew. */
  clear(): void {
    for (const key of this.#items.keys()) this.delete(key);
    this.#hits = 0;
    this.#misses = 0;
  }

  /** What is held and how large it is, oldest first. */
  *contents(): Iterable<{ key: string; value: V; bytes: number }> {
    for (const [key, { value, bytes }] of this.#items) yield { key, value, bytes };
  }
}
