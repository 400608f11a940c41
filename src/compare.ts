import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ANALYSIS_DEFAULTS } from './detect/analysis-defaults.js';
import { judgeDifference } from './detect/difference.js';
import type { JudgeSettings } from './detect/judge.js';
import type { ComparisonResult } from './diagnosis/index.js';
import { CrucibleMemoryError } from './errors.js';
import { readRecording } from './recording/index.js';

/** Recordings of tests of one build: files, and folders that hold some. */
export interface ComparedBuilds {
  base: readonly string[];
  head: readonly string[];
}

/**
 * Compares the tests of a new build with those of a known one. Recordings that
 * show the same test are the rounds of one comparison, in the order of their names;
 * each round holds one of either build, at best recorded one right after the other.
 *
 * @throws CrucibleMemoryError RECORDING_..., USAGE when there is nothing to be compared
 */
export async function compareRecordings(
  { base, head }: ComparedBuilds,
  given: Partial<JudgeSettings> = {},
): Promise<ComparisonResult[]> {
  const settings: JudgeSettings = { ...ANALYSIS_DEFAULTS, significanceThreshold: 0.95, ...given };
  const [known, fresh] = [await byTest(base), await byTest(head)];
  const tests = [...known.keys()].filter((test) => fresh.has(test));
  if (tests.length === 0) throw nothingInCommon(known, fresh);
  const results: ComparisonResult[] = [];
  for (const test of tests) {
    const [before, after] = [known.get(test) ?? [], fresh.get(test) ?? []];
    const rounds = [];
    for (let i = 0; i < Math.min(before.length, after.length); i++)
      rounds.push({
        base: await readRecording(before[i] as string),
        head: await readRecording(after[i] as string),
      });
    results.push(judgeDifference(rounds, settings));
  }
  return results;
}

/** Paths of recordings by the scenario that they show. */
async function byTest(paths: readonly string[]): Promise<Map<string, string[]>> {
  const found = (await Promise.all(paths.map(recordingsIn))).flat();
  const tests = new Map<string, string[]>();
  for (const path of found) {
    const { scenario } = (await readRecording(path)).header.details;
    const test = typeof scenario === 'string' ? scenario : basename(path);
    tests.set(test, [...(tests.get(test) ?? []), path]);
  }
  return tests;
}

async function recordingsIn(path: string): Promise<string[]> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  // What is no folder is read as a recording, which says what is wrong with it.
  if (!isFolder) return [path];
  const names = await readdir(path, { recursive: true });
  return names
    .filter((name) => name.endsWith('.cmrec'))
    .sort()
    .map((name) => join(path, name));
}

function nothingInCommon(base: Map<string, string[]>, head: Map<string, string[]>): CrucibleMemoryError {
  const list = (tests: Map<string, string[]>) => [...tests.keys()].join(', ') || 'no recording';
  return new CrucibleMemoryError('USAGE', {
    what: 'there is nothing to be compared',
    why: `the known build shows ${list(base)}, the new one ${list(head)}`,
    fix: 'give recordings of the same scenario of both builds, or two target modules',
  });
}
