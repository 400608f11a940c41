/** Writes forward into memory that the caller has made sure is large enough: native/recording/encoding.h. */
export class ByteCursor {
  readonly buffer: Buffer;
  at = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  byte(value: number): void {
    this.buffer[this.at++] = value;
  }

  bytes(bytes: Uint8Array): void {
    this.buffer.set(bytes, this.at);
    this.at += bytes.length;
  }

  varint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) this.byte((rest % 128) | 0x80);
    this.byte(rest);
  }

  real(value: number): void {
    this.at = this.buffer.writeDoubleLE(value, this.at);
  }

  /** Small positive and negative differences become small unsigned numbers: 0, -1, 1, -2 -> 0, 1, 2, 3. */
  zigzagDifference(value: number, base: number): void {
    const difference = value - base;
    if (Math.abs(value) + Math.abs(base) < 2 ** 51) {
      this.varint(difference < 0 ? -2 * difference - 1 : 2 * difference);
      return;
    }
    const exact = BigInt(value) - BigInt(base);
    let rest = exact < 0n ? -2n * exact - 1n : 2n * exact;
    for (; rest >= 0x80n; rest >>= 7n) this.byte(Number(rest & 0x7fn) | 0x80);
    this.byte(Number(rest));
  }
}

export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}
