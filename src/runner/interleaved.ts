import { join } from 'node:path';
import { checkConfig, type MemoryTestConfigInput } from '../config/index.js';
import { CrucibleMemoryError } from '../errors.js';
import { loadCore } from '../native.js';
import { makeFolder } from '../report/index.js';
import type { TestScenario } from '../vocabulary.js';
import type { TestProgress } from './progress.js';
import { runTest } from './test-run.js';

export interface InterleavedOptions {
  /** Target modules: the known build, and the new one. */
  base: string;
  head: string;
  scenario: TestScenario;
  /** Tests of each. */
  rounds: number;
  config: MemoryTestConfigInput;
  /** Recordings go into `base` and `head` below it. */
  outputDirectory: string;
  signal?: AbortSignal;
  onTest?: (which: 'base' | 'head', round: number) => void;
  onProgress?: (progress: TestProgress) => void;
}

/** Where the recordings are, in the order of the rounds. */
export interface InterleavedRecordings {
  base: string[];
  head: string[];
}

/**
 * Runs the same test on two builds in turns, A B, B A, A B, ...: what the
 * machine does in the meantime, warming up or slowing down, hits both alike.
 *
 * @throws ConfigError, ADDON_MISSING; TEST_CRASHED when a test could not be
 * carried out, INTERRUPTED when the signal was aborted
 */
export async function runInterleaved(options: InterleavedOptions): Promise<InterleavedRecordings> {
  loadCore();
  const config = checkConfig(options.config);
  const recordings: InterleavedRecordings = { base: [], head: [] };
  for (let round = 0; round < options.rounds; round++) {
    const order = round % 2 === 0 ? (['base', 'head'] as const) : (['head', 'base'] as const);
    for (const which of order) {
      options.onTest?.(which, round + 1);
      const recordingDirectory = join(options.outputDirectory, which);
      makeFolder(recordingDirectory);
      const result = await runTest({
        target: {
          kind: 'module',
          path: options[which],
          name: `${which}-${String(round + 1).padStart(3, '0')}`,
        },
        scenario: options.scenario,
        config,
        recordingDirectory,
        signal: options.signal ?? new AbortController().signal,
        ...(options.onProgress && { onProgress: options.onProgress }),
      });
      if (result === null) throw interrupted();
      if (result.failure !== undefined || result.recording === null)
        throw notCarriedOut(options[which], result.failure?.reason ?? 'it left no recording');
      recordings[which].push(result.recording);
    }
  }
  return recordings;
}

function interrupted(): CrucibleMemoryError {
  return new CrucibleMemoryError('INTERRUPTED', {
    what: 'the comparison was not finished',
    why: 'it was stopped',
    fix: 'run it again, with fewer or shorter rounds if time is short',
  });
}

function notCarriedOut(path: string, reason: string): CrucibleMemoryError {
  return new CrucibleMemoryError('TEST_CRASHED', {
    what: `the test of ${path} could not be carried out`,
    why: reason,
    fix: 'make `crucible-memory run` of this module succeed first',
  });
}
