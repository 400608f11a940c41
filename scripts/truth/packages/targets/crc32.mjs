/** Checksums the twenty parts of a message. */
import { crc32 } from '@node-rs/crc32';

const part = Buffer.alloc(1000, 7);

export function operation() {
  let sum = 0;
  for (let k = 0; k < 20; k++) sum ^= crc32(part);
  return sum === 0 ? undefined : { error: 'checksums differ' };
}
