/** Where a group's progress, its times and its channels are in SampleColumns.arrays. */
export const PROGRESS = 0;
export const TIMES = 1;
export const FIRST_CHANNEL = 2;

/** The samples of a group while they are decoded: 8 bytes for the time and for each channel of a sample. */
export class SampleColumns {
  /**
   * `[progress, timesMs, channel, channel, ...]`, of which decoders fill in what there is room for.
   * progress is the number of samples so far, followed by what the next difference of each channel counts from.
   */
  readonly arrays: Float64Array[];
  /** Whether a value is NaN. */
  hasAbsent = false;

  constructor(channels: number) {
    this.arrays = [new Float64Array(1 + channels)];
    for (let i = 0; i <= channels; i++) this.arrays.push(new Float64Array(256));
  }

  get length(): number {
    return (this.arrays[PROGRESS] as Float64Array)[0] as number;
  }

  get isFull(): boolean {
    return this.length === (this.arrays[TIMES] as Float64Array).length;
  }

  /** @param samples that there will probably be. Memory that was asked for and is not used is never touched. */
  grow(samples: number): void {
    const capacity = Math.max(2 * this.length, Math.ceil(samples));
    for (let i = TIMES; i < this.arrays.length; i++) {
      const larger = new Float64Array(capacity);
      larger.set(this.#filled(i));
      this.arrays[i] = larger;
    }
  }

  /** @param at below what there is room for. @param value NaN: absent */
  set(at: number, channel: number, value: number): void {
    if (Number.isNaN(value)) this.hasAbsent = true;
    (this.arrays[FIRST_CHANNEL + channel] as Float64Array)[at] = value;
  }

  /** Differences count from 0 in every block. */
  startBlock(): void {
    (this.arrays[PROGRESS] as Float64Array).fill(0, 1);
  }

  get timesMs(): Float64Array {
    return this.#filled(TIMES);
  }

  /** One array a channel; NaN: absent. */
  get values(): Float64Array[] {
    return this.arrays.slice(FIRST_CHANNEL).map((_, i) => this.#filled(FIRST_CHANNEL + i));
  }

  #filled(i: number): Float64Array {
    return (this.arrays[i] as Float64Array).subarray(0, this.length);
  }

  /** Several threads may write the same group, and a writer may give times of its own. */
  orderByTime(): void {
    const times = this.timesMs;
    let sorted = 1;
    while (sorted < times.length && (times[sorted] as number) >= (times[sorted - 1] as number)) sorted++;
    if (sorted >= times.length) return;
    const order = Uint32Array.from(times, (_, i) => i).sort(
      (a, b) => (times[a] as number) - (times[b] as number),
    );
    for (let i = TIMES; i < this.arrays.length; i++) {
      const before = this.arrays[i] as Float64Array;
      this.arrays[i] = Float64Array.from(order, (place) => before[place] as number);
    }
  }
}
