/** Reads forward through the bytes of records. What lies behind the end reads as 0. */
export class RecordBytes {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #end: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.length;
  }

  get at(): number {
    return this.#at;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  /** Until leaveLimit() only the next `length` bytes are there. */
  limitTo(length: number): void {
    this.#end = this.#at + length;
  }

  /** Goes on behind what limitTo() allowed, however much of it was read. */
  leaveLimit(): void {
    this.#at = this.#end;
    this.#end = this.#bytes.length;
  }

  /** To a place that something else has read up to. */
  skipTo(at: number): void {
    this.#at = at;
  }

  byte(): number {
    return this.#at < this.#end ? (this.#bytes[this.#at++] as number) : 0;
  }

  uint16(): number {
    return this.byte() | (this.byte() << 8);
  }

  /** All that is left, without moving on. */
  peek(): Uint8Array {
    return this.#bytes.subarray(this.#at, this.#end);
  }

  take(length: number): Uint8Array {
    const taken = this.#bytes.subarray(this.#at, Math.min(this.#at + length, this.#end));
    this.#at += taken.length;
    return taken;
  }

  real(): number {
    if (this.left < 8) return Number.NaN;
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  /** Below 2^53. */
  varint(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let scale = 128; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  /** `base` plus a signed difference that may itself lie beyond 2^53. */
  zigzag(base = 0): number {
    const start = this.#at;
    const value = this.varint();
    if (value < Number.MAX_SAFE_INTEGER) return base + (value % 2 === 0 ? value / 2 : -(value + 1) / 2);
    this.#at = start;
    return Number(BigInt(base) + this.#bigZigzag());
  }

  #bigZigzag(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return value & 1n ? -(value >> 1n) - 1n : value >> 1n;
  }
}
