import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { CrucibleMemoryError } from '../errors.js';
import type { HeapSource } from '../snapshot/index.js';

/** What `diff` and `inspect` share of their arguments. */

export interface HeapArguments {
  format: 'text' | 'json' | 'markdown';
  top: number;
  salvage?: boolean;
  redact?: boolean;
  output?: string;
  color?: boolean;
  quiet?: boolean;
}

/** Each row of an object comes with its whole path: many more would be a report that nobody can open. */
const ROWS_MAX = 1000;

/** For --top. */
export function rowCount(given: string): number {
  const count = /^\d+$/.test(given) ? Number(given) : Number.NaN;
  if (count >= 1 && count <= ROWS_MAX) return count;
  throw new InvalidArgumentError(`Expected a whole number from 1 to ${ROWS_MAX}.`);
}

/** For --ops: `1000,1000`. How many there must be is for the comparison to say. */
export function operationCounts(given: string): number[] {
  const counts = given.split(',').map((text) => (text.trim() === '' ? Number.NaN : Number(text)));
  if (counts.some(Number.isNaN)) {
    throw new InvalidArgumentError('Expected operation counts separated by commas, such as 1000,1000.');
  }
  return counts;
}

/** For --node: `1234`, or `@1234` as reports write it. */
export function nodeId(given: string): number {
  const id = Number(given.replace(/^@/, ''));
  if (!/^@?\d+$/.test(given) || !Number.isSafeInteger(id)) {
    throw new InvalidArgumentError('Expected the id of an object, as a report shows it behind an @.');
  }
  return id;
}

/**
 * Files as they are, `-` as standard input.
 * @throws USAGE when standard input is named twice, or is a terminal
 */
export function heapSources(files: readonly string[], stdin: NodeJS.ReadStream): HeapSource[] {
  const fromStdin = files.filter((file) => file === '-').length;
  if (fromStdin > 1) {
    throw new CrucibleMemoryError('USAGE', {
      what: '- was given more than once',
      why: 'standard input can be read only once',
      fix: 'save one of the snapshots to a file',
    });
  }
  if (fromStdin === 1 && stdin.isTTY) {
    throw new CrucibleMemoryError('USAGE', {
      what: '- stands for standard input, which is the terminal',
      why: 'nothing was piped into this command',
      fix: 'pipe a snapshot into it, as in `zcat heap.heapsnapshot.gz | crucible-memory inspect -`, or give its path',
    });
  }
  return files.map((file) => (file === '-' ? stdin : file));
}

/** @throws USAGE when an output would be written over a file that is still to be read */
export function requireNoOverwrite(
  option: string,
  output: string | undefined,
  inputs: readonly string[],
): void {
  if (output === undefined) return;
  const same = inputs.find((input) => isSameFile(input, output));
  if (same === undefined) return;
  throw new CrucibleMemoryError('USAGE', {
    what: `${option} ${output} would overwrite the snapshot that is read`,
    why: `it is the same file as ${same}`,
    fix: `choose another path for ${option}`,
  });
}

function isSameFile(input: string, output: string): boolean {
  if (resolve(input) === resolve(output)) return true;
  try {
    const [a, b] = [statSync(input), statSync(output)];
    return a.ino === b.ino && a.dev === b.dev && a.isFile();
  } catch {
    // What cannot be looked at cannot be overwritten either; why, the writing will say.
    return false;
  }
}
