import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createColors } from 'picocolors';
import { compareRecordings } from '../compare.js';
import { loadConfig } from '../config/index.js';
import type { ComparisonResult } from '../diagnosis/index.js';
import { CrucibleMemoryError } from '../errors.js';
import { renderComparison } from '../report/index.js';
import { number, size } from './analyze-arguments.js';
import { flagSettings, type RunArguments } from './arguments.js';
import { ExitCode } from './exit-code.js';
import { interruptible } from './interruption.js';
import { scenariosNamed } from './names.js';
import type { Surroundings } from './run-command.js';
import { targetsNamed } from './targets.js';
import { screenOf, writeAll } from './terminal.js';

/** The options of `compare` as commander hands them over. */
export interface CompareArguments
  extends Pick<
    RunArguments,
    | 'profile'
    | 'config'
    | 'output'
    | 'format'
    | 'operations'
    | 'duration'
    | 'concurrency'
    | 'rate'
    | 'set'
    | 'color'
    | 'quiet'
  > {
  baseline: string[];
  scenario: string;
  rounds: string;
  threshold?: string;
}

const ROUNDS_AT_MOST = 100;
const MODULE = /\.[cm]?[jt]sx?$/;

/**
 * `crucible-memory compare`: runs two modules in turns, or takes recordings,
 * and judges the difference.
 *
 * @throws CrucibleMemoryError for wrong usage, input that cannot be read, and tests that could not be carried out
 */
export async function compareCommand(
  heads: string[],
  given: CompareArguments,
  world: Surroundings,
): Promise<ExitCode> {
  const isRun = [...heads, ...given.baseline].some((path) => MODULE.test(path));
  const results = isRun ? await runBoth(heads, given, world) : await compared(heads, given, world);
  const screen = screenOf(world.stdout, given.color, world.env);
  const paint = createColors(screen.colour);
  for (const result of results) {
    const text =
      given.format === 'json'
        ? JSON.stringify(result)
        : renderComparison(result, { paint, width: screen.width });
    await writeAll(world.stdout, `${text}\n`);
  }
  return results.some(({ leakDetected }) => leakDetected) ? ExitCode.Found : ExitCode.NothingFound;
}

function compared(
  heads: string[],
  given: CompareArguments,
  world: Surroundings,
): Promise<ComparisonResult[]> {
  const inFolder = (path: string) => resolve(world.directory, path);
  return compareRecordings(
    { base: given.baseline.map(inFolder), head: heads.map(inFolder) },
    given.threshold === undefined ? {} : { leakThresholdBytes: size('--threshold', given.threshold) },
  );
}

async function runBoth(
  heads: string[],
  given: CompareArguments,
  world: Surroundings,
): Promise<ComparisonResult[]> {
  if (heads.length !== 1 || given.baseline.length !== 1) throw notTwoModules();
  const rounds = Math.floor(number('--rounds', given.rounds, 1, ROUNDS_AT_MOST));
  const [scenario] = scenariosNamed([given.scenario]);
  const [base, head] = targetsNamed([given.baseline[0] as string], world.directory).concat(
    targetsNamed(heads, world.directory),
  );
  if (scenario === undefined || base === undefined || head === undefined) throw notTwoModules();
  const { config } = await loadConfig({
    ...(given.profile !== undefined && { profile: given.profile }),
    ...(given.config !== undefined && { file: given.config }),
    flags: flagSettings(given, undefined),
    env: world.env,
    directory: world.directory,
  });
  const { runInterleaved } = await import('../runner/interleaved.js');
  const interruption = interruptible(world.stderr);
  const { exportToFile, outputDirectory } = config.reporting;
  const kept = given.output ?? (exportToFile ? join(outputDirectory, 'compare') : undefined);
  const folder =
    kept === undefined
      ? await mkdtemp(join(tmpdir(), 'crucible-memory-compare-'))
      : resolve(world.directory, kept);
  try {
    const recordings = await runInterleaved({
      base,
      head,
      scenario,
      rounds,
      config,
      outputDirectory: folder,
      signal: interruption.signal,
      onTest: (which, round) => {
        if (given.quiet) return;
        world.stderr.write(`round ${round} of ${rounds}: ${which === 'base' ? 'known' : 'new'} build\n`);
      },
    });
    const results = await compareRecordings(recordings, {
      ...config.leakDetection,
      leakThresholdBytes:
        given.threshold === undefined
          ? config.thresholds.leakThresholdBytes
          : size('--threshold', given.threshold),
    });
    return kept === undefined ? results.map(withoutRecordings) : results;
  } finally {
    interruption.end();
    if (kept === undefined) await rm(folder, { recursive: true, force: true });
  }
}

function withoutRecordings(result: ComparisonResult): ComparisonResult {
  return { ...result, rounds: result.rounds.map((round) => ({ ...round, base: null, head: null })) };
}

function notTwoModules(): CrucibleMemoryError {
  return new CrucibleMemoryError('USAGE', {
    what: 'it is not clear what to compare',
    why: 'a run compares one module with one other; recordings are compared with recordings',
    fix: 'crucible-memory compare --baseline ./old.mjs ./new.mjs, or see crucible-memory compare --help',
  });
}
