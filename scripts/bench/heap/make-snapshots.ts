/**
 * The snapshots that the bench reads, made when they are missing, in
 * build/bench-heap/<version of Node>. To have them made anew, delete that folder.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../peer.js';
import type { HeapSize } from './compiler-heap.js';
import { repeatHeap } from './repeated-heap.js';

export const SNAPSHOTS = join(ROOT, 'build', 'bench-heap', process.version);

/** Sizes between the large snapshot and 4 GB, as multiples of it: about 0.5, 1, 2 and 4 GB. */
const COPIES = [2, 4, 7, 14];

/** What the files take together, with some to spare. */
const BYTES_NEEDED: Record<HeapSize, number> = { small: 20e6, medium: 150e6, large: 700e6 };
const REPEATED_BYTES_NEEDED = 9e9;

export interface SnapshotPair {
  first: string;
  /** Of the same process, after more work. */
  second: string;
}

export function makePair(size: HeapSize, log: (line: string) => void): SnapshotPair {
  const [first, second] = [
    join(SNAPSHOTS, `${size}.heapsnapshot`),
    join(SNAPSHOTS, `${size}-later.heapsnapshot`),
  ];
  if (existsSync(first) && existsSync(second)) return { first, second };
  requireDisk(BYTES_NEEDED[size]);
  log(`making the ${size} snapshots`);
  execFileSync(
    process.execPath,
    ['--max-old-space-size=8192', join(import.meta.dirname, 'compiler-heap.js'), size, first, second],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  return { first, second };
}

/** Snapshots of about 0.5, 1, 2 and 4 GB, made out of the large one. */
export function makeRepeated(large: string, log: (line: string) => void): string[] {
  const paths = COPIES.map((copies) => ({ copies, path: join(SNAPSHOTS, `large-x${copies}.heapsnapshot`) }));
  const missing = paths.filter(({ path }) => !existsSync(path));
  if (missing.length > 0) requireDisk(REPEATED_BYTES_NEEDED);
  for (const { copies, path } of missing) {
    log(`making a snapshot of ${((copies * statSync(large).size) / 1e9).toFixed(1)} GB`);
    repeatHeap(large, path, copies);
  }
  return paths.map(({ path }) => path);
}

function requireDisk(bytes: number): void {
  mkdirSync(SNAPSHOTS, { recursive: true });
  const { bavail, bsize } = statfsSync(SNAPSHOTS);
  if (bavail * bsize < bytes)
    throw new Error(
      `${SNAPSHOTS} needs ${(bytes / 1e9).toFixed(1)} GB, and ${((bavail * bsize) / 1e9).toFixed(1)} GB are free there: ` +
        'make room, or measure --size small',
    );
}
