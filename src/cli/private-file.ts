import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { unwritable } from '../report/index.js';

/** What comes out of a heap may hold its secrets. */
const OWNER_ONLY = 0o600;

/**
 * Writes a file that only its owner may read, whole or not at all: beside it
 * first, and then in its place.
 * @throws OUTPUT_UNWRITABLE
 */
export function writePrivateFile(path: string, text: string): void {
  const target = resolve(path);
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  try {
    const file = openSync(temporary, 'wx', OWNER_ONLY);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, target);
  } catch (error) {
    removed(temporary);
    throw unwritable(target, error);
  }
}

/** What could not be written may not be there to be removed: the first failure is the one to tell. */
function removed(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {}
}
