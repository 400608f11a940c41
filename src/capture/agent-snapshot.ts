import { CrucibleMemoryError } from '../errors.js';
import { writeBoundedSnapshot } from './bounded-snapshot.js';
import { writeHeapSnapshot } from './snapshot-writer.js';

/**
 * A heap snapshot of this thread, by the V8 addon, which gives the memory back afterwards, or by Node itself
 * where that cannot be loaded. Blocks until it is whole.
 * @returns the size of the file, bytes
 */
export function writeAgentSnapshot(path: string): number {
  try {
    return writeBoundedSnapshot({ path }).sizeBytes;
  } catch (error) {
    const isMissing = error instanceof CrucibleMemoryError && error.code === 'ADDON_MISSING';
    if (!isMissing) throw error;
    return writeHeapSnapshot({ path });
  }
}
