import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CrucibleMemoryError, messageOf } from '../errors.js';
import { nearestName } from '../nearest-name.js';
import { foreignKind } from './foreign-file.js';

/** What can be said of a file before it is read, and when it cannot be. */

export function isGzip(beginning: Buffer): boolean {
  return beginning[0] === 0x1f && beginning[1] === 0x8b;
}

/** @throws SNAPSHOT_FOREIGN */
export function requireSnapshot(path: string, beginning: Buffer): void {
  const kind = foreignKind(beginning);
  if (kind === undefined) return;
  throw new CrucibleMemoryError('SNAPSHOT_FOREIGN', {
    what: `${path} is no heap snapshot`,
    why: `it seems to be ${kind}`,
    fix: 'give a file written by v8.writeHeapSnapshot(), --heapsnapshot-signal or DevTools',
    byteOffset: 0,
  });
}

/** SNAPSHOT_UNREADABLE; for a file that is not there, with the one that was probably meant. */
export function unreadable(path: string, cause: unknown): CrucibleMemoryError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code !== 'ENOENT' && code !== 'ENOTDIR') {
    return new CrucibleMemoryError('SNAPSHOT_UNREADABLE', {
      what: `cannot read ${path}`,
      why: messageOf(cause),
      fix: code === 'EACCES' ? 'run as a user who may read it: snapshots are mode 0600' : 'check the path',
      cause,
    });
  }
  const similar = similarName(basename(path), namesIn(dirname(path)));
  return new CrucibleMemoryError('SNAPSHOT_UNREADABLE', {
    what: `there is no file ${path}`,
    why: `nothing of that name is in ${dirname(path)}`,
    fix: similar === undefined ? 'check the path' : `did you mean "${join(dirname(path), similar)}"?`,
    cause,
  });
}

/** Endings are alike in a folder of snapshots, and say nothing about which one was meant. */
function similarName(given: string, names: readonly string[]): string | undefined {
  const stemOf = (name: string) => name.replace(/(\.[a-z]+)+$/i, '');
  const stem = nearestName(stemOf(given), names.map(stemOf));
  return names.find((name) => stemOf(name) === stem);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
