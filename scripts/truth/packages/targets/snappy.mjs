/** Compresses a message of 4 KB. */
import { compressSync } from 'snappy';

export function operation(i) {
  return { bytes: compressSync(Buffer.alloc(4096, `message ${i} `)).length };
}
