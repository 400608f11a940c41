/**
 * CRC-32C (Castagnoli) of bytes, as in native/recording/checksum.h; four bytes
 * at a time with a table for each (Kounavis and Berry 2008).
 * @param start the checksum of what came before, to go on with
 * @example crc32c(Buffer.from('123456789')) // 0xe3069283
 */
export function crc32c(bytes: Uint8Array, start = 0, from = 0, to = bytes.length): number {
  let crc = ~start;
  let i = from;
  for (; i + 3 < to; i += 4) {
    crc ^=
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24);
    crc =
      (FOURTH[crc & 0xff] as number) ^
      (THIRD[(crc >>> 8) & 0xff] as number) ^
      (SECOND[(crc >>> 16) & 0xff] as number) ^
      (FIRST[crc >>> 24] as number);
  }
  for (; i < to; i++) crc = (FIRST[(crc ^ (bytes[i] as number)) & 0xff] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}

const FIRST = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});
/** What a byte does to the checksum one place further on. */
const moved = (table: Int32Array) => table.map((crc) => (FIRST[crc & 0xff] as number) ^ (crc >>> 8));
const SECOND = moved(FIRST);
const THIRD = moved(SECOND);
const FOURTH = moved(THIRD);
