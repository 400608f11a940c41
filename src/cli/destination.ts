import { closeSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { CrucibleMemoryError } from '../errors.js';
import { makeFolder, unwritable } from '../report/index.js';
import { formatBytes, KIB } from '../units.js';

/** Where a run leaves its results. */
export interface Destination {
  /** The report. */
  reportPath: string;
  /** Recordings and charts go into `recordings` below it. */
  directory: string;
}

/**
 * A folder gets `results.json` and `recordings/`; a path that ends in `.json`
 * is the report itself, and its recordings go into a folder of the same name.
 */
export function destinationFor(output: string): Destination {
  const path = resolve(output);
  if (extname(path) !== '.json') return { reportPath: join(path, 'results.json'), directory: path };
  return { reportPath: path, directory: path.slice(0, -'.json'.length) };
}

const PROBE_BYTES = 64 * KIB;

/**
 * Says before a run, and not hours later, that its results cannot be written:
 * makes the folders, writes a file into them, and looks at the free space.
 * @param neededBytes what the recordings will take, roughly
 * @throws OUTPUT_UNWRITABLE
 */
export function requireWritable({ reportPath, directory }: Destination, neededBytes: number): void {
  for (const folder of new Set([directory, dirname(reportPath)])) {
    try {
      makeFolder(folder);
      probe(join(folder, `.crucible-memory-probe-${process.pid}`));
    } catch (error) {
      throw unwritable(folder, error);
    }
  }
  if (isFolder(reportPath)) {
    throw new CrucibleMemoryError('OUTPUT_UNWRITABLE', {
      what: `cannot write ${reportPath}`,
      why: 'there is a folder of that name',
      fix: 'choose another path with --output',
    });
  }
  requireSpace(directory, neededBytes);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function probe(path: string): void {
  const file = openSync(path, 'w');
  try {
    writeSync(file, Buffer.alloc(PROBE_BYTES, 1));
    fsyncSync(file);
  } finally {
    closeSync(file);
    rmSync(path, { force: true });
  }
}

function requireSpace(directory: string, neededBytes: number): void {
  const freeBytes = freeSpace(directory);
  if (freeBytes === undefined || freeBytes >= neededBytes) return;
  throw new CrucibleMemoryError('OUTPUT_UNWRITABLE', {
    what: `${directory} has ${formatBytes(freeBytes)} of free space`,
    why: `the recordings of this run need about ${formatBytes(neededBytes)}`,
    fix: 'free space, write to another disk with --output, or record less with --set sampling.rateHz=100',
  });
}

/** Undefined where the system does not say. */
function freeSpace(directory: string): number | undefined {
  try {
    const { bavail, bsize, blocks } = statfsSync(directory);
    // Some network and virtual file systems report no size at all.
    return blocks === 0 ? undefined : bavail * bsize;
  } catch {
    return undefined;
  }
}
