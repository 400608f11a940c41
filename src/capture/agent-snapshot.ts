import { CrucibleMemoryError, messageOf } from '../errors.js';
import { loadIsolate } from '../native.js';
import { writeBoundedSnapshot } from './bounded-snapshot.js';
import { writeHeapSnapshot } from './snapshot-writer.js';

/** plain: the program stands still for seconds; fork: a child writes it, and it stands still for milliseconds. */
export type SnapshotMode = 'plain' | 'fork';

/** A heap snapshot that the agent took of its own thread. */
export interface AgentSnapshot {
  sizeBytes: number;
  /** The way in which it was taken in the end. */
  mode: SnapshotMode;
  /** How long the program stood still for it, failed attempts included. */
  pauseMs: number;
  /** Why it was taken plainly although a fork was asked for. */
  fallback?: string;
}

/**
 * A heap snapshot of this thread in the way that was asked for; where no forked child finishes it, plainly.
 * @throws CrucibleMemoryError OUTPUT_UNWRITABLE, SNAPSHOT_TOO_LARGE; no file is left
 */
export async function takeAgentSnapshot(path: string, mode: SnapshotMode): Promise<AgentSnapshot> {
  if (mode === 'plain') return writeAgentSnapshot(path);
  const forked = await forkedOr(path);
  return typeof forked === 'string' ? { ...writeAgentSnapshot(path), fallback: forked } : forked;
}

/** Why there is none, where the plain way may still give one. */
async function forkedOr(path: string): Promise<AgentSnapshot | string> {
  try {
    if (!loadIsolate().canForkSnapshot) return 'a heap can be forked on Linux only, on x64 and arm64';
    // Not before it is wanted: what it imports of Node would show among the program's resources.
    const { forkHeapSnapshot } = await import('./forked-snapshot.js');
    const { sizeBytes, pauseMs } = await forkHeapSnapshot({ path });
    return { sizeBytes, pauseMs, mode: 'fork' };
  } catch (error) {
    const isOfTheWay =
      error instanceof CrucibleMemoryError && ['ADDON_MISSING', 'SNAPSHOT_FORK_FAILED'].includes(error.code);
    if (!isOfTheWay) throw error;
    return messageOf(error);
  }
}

/**
 * A heap snapshot of this thread, by the V8 addon, which gives the memory back afterwards, or by Node itself
 * where that cannot be loaded. Blocks until it is whole.
 */
export function writeAgentSnapshot(path: string): AgentSnapshot {
  const beganMs = performance.now();
  const sizeBytes = written(path);
  return { sizeBytes, mode: 'plain', pauseMs: performance.now() - beganMs };
}

function written(path: string): number {
  try {
    return writeBoundedSnapshot({ path }).sizeBytes;
  } catch (error) {
    const isMissing = error instanceof CrucibleMemoryError && error.code === 'ADDON_MISSING';
    if (!isMissing) throw error;
    return writeHeapSnapshot({ path });
  }
}
