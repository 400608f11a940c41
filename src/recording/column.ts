/** Numbers that arrive one by one, kept in 8 bytes each. */
export class NumberColumn {
  #numbers = new Float64Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#numbers.length) {
      const larger = new Float64Array(this.#length * 2);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[this.#length++] = value;
  }

  /** The last one; NaN while there is none. */
  get last(): number {
    return this.#length === 0 ? Number.NaN : (this.#numbers[this.#length - 1] as number);
  }

  /** What was pushed so far, without copying: not to be written to. */
  view(): Float64Array {
    return this.#numbers.subarray(0, this.#length);
  }

  /** Puts the numbers into another order: position i takes what stood at order[i]. */
  reorder(order: Uint32Array): void {
    const before = this.#numbers;
    const after = new Float64Array(order.length);
    for (let i = 0; i < order.length; i++) after[i] = before[order[i] as number] as number;
    this.#numbers = after;
  }
}
