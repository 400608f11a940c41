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

  /** What was pushed so far, without copying: not to be written to. */
  view(): Float64Array {
    return this.#numbers.subarray(0, this.#length);
  }
}
