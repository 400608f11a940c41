import { closeSync, openSync, renameSync, rmSync } from 'node:fs';
import { CrucibleMemoryError } from '../errors.js';
import { loadIsolate, type NativeSnapshotOutcome, SNAPSHOT_CONTROL_WORDS } from '../native.js';
import { formatBytes } from '../units.js';
import { partialPathOf, primeLineTablesOfThisThread } from './snapshot-writer.js';

export interface BoundedSnapshotOptions {
  /** A file of that name, mode 0600, appears when the snapshot is whole. */
  path: string;
  /** A file beyond that is given up. Default: no bound. */
  bytesMax?: number;
  /** Numbers become nodes of their own. */
  includesNumbers?: boolean;
  /** As in NativeSnapshotOptions: other threads can follow and cancel while this one is blocked. */
  control?: Int32Array;
}

export interface BoundedSnapshot {
  nodes: number;
  sizeBytes: number;
  /** Building the graph: nine tenths of the whole. */
  takeMs: number;
  writeMs: number;
}

/**
 * A heap snapshot of this thread that can be bounded and cancelled, through the V8 addon: no faster than the
 * inspector's, but it stops at a size, and when another thread says so. Blocks until it is whole. Free memory
 * goes back to the system afterwards: RSS is what it was, not what V8 needed in between.
 *
 * @throws CrucibleMemoryError ADDON_MISSING, INTERRUPTED, OUTPUT_UNWRITABLE, SNAPSHOT_TOO_LARGE; no file is left
 */
export function writeBoundedSnapshot(options: BoundedSnapshotOptions): BoundedSnapshot {
  const isolate = loadIsolate();
  const { path, bytesMax = Number.POSITIVE_INFINITY, includesNumbers = false } = options;
  const control = options.control ?? new Int32Array(SNAPSHOT_CONTROL_WORDS);
  const partial = partialPathOf(path);
  const fd = openForSnapshot(partial, path);
  let isWhole = false;
  try {
    primeLineTablesOfThisThread();
    const outcome = isolate.writeSnapshot({ fd, bytesMax, includesNumbers, control });
    isolate.giveMemoryBack();
    if (outcome.outcome !== 'complete') throw snapshotFailure(outcome, path, bytesMax);
    isWhole = true;
    const { nodes, bytes, takeNs, writeNs } = outcome;
    return { nodes, sizeBytes: bytes, takeMs: takeNs / 1e6, writeMs: writeNs / 1e6 };
  } finally {
    closeSync(fd);
    if (isWhole) renameSync(partial, path);
    else rmSync(partial, { force: true });
  }
}

/** @throws CrucibleMemoryError OUTPUT_UNWRITABLE */
export function openForSnapshot(partial: string, path: string): number {
  try {
    rmSync(partial, { force: true });
    return openSync(partial, 'wx', 0o600);
  } catch (error) {
    throw unwritable(path, (error as Error).message, error);
  }
}

/** Why there is no snapshot, from how writing it ended. */
export function snapshotFailure(
  { outcome, errno }: Pick<NativeSnapshotOutcome, 'outcome' | 'errno'>,
  path: string,
  bytesMax: number,
): CrucibleMemoryError {
  if (outcome === 'cancelled')
    return new CrucibleMemoryError('INTERRUPTED', {
      what: `the heap snapshot ${path} was not finished`,
      why: 'it was cancelled',
      fix: 'take it again',
    });
  if (outcome === 'too-large')
    return new CrucibleMemoryError('SNAPSHOT_TOO_LARGE', {
      what: `the heap snapshot ${path} would be larger than ${formatBytes(bytesMax)}`,
      why: 'that is the bound that was set for it',
      fix: 'raise the bound, or take the snapshot while the heap is smaller',
    });
  // Not imported: Node 26 opens standard error for node:util, which a recorded program would notice.
  const { getSystemErrorMap } = process.getBuiltinModule('node:util');
  const [name, text] = getSystemErrorMap().get(errno) ?? ['EIO', 'the system did not say why'];
  return unwritable(path, `${name}: ${text}`);
}

function unwritable(path: string, why: string, cause?: unknown): CrucibleMemoryError {
  return new CrucibleMemoryError('OUTPUT_UNWRITABLE', {
    what: `the heap snapshot ${path} cannot be written`,
    why,
    fix: 'free some space, or choose a path that can be written to',
    cause,
  });
}
