import type { WriteStream } from 'node:tty';
import { createColors } from 'picocolors';
import { type LoadedConfig, loadConfig } from '../config/index.js';
import type { MemoryTestResult, RunReport } from '../diagnosis/index.js';
import { messageOf } from '../errors.js';
import { renderText, reportToJson } from '../report/index.js';
import type { MemoryTestRunner } from '../runner/memory-test-runner.js';
import type { PlannedTest } from '../runner/progress.js';
import { KIB } from '../units.js';
import { flagSettings, type RunArguments } from './arguments.js';
import { type Destination, destinationFor, requireWritable } from './destination.js';
import { type ExitCode, exitCodeOf } from './exit-code.js';
import { footer, header } from './greeting.js';
import { interruptible } from './interruption.js';
import { scenariosNamed, servicesNamed } from './names.js';
import type { Asked } from './next-step.js';
import { showProgress } from './progress-display.js';
import { targetsNamed } from './targets.js';
import { type Screen, screenOf, writeAll } from './terminal.js';

/** The world outside, so that the command itself has no other way to reach it. */
export interface Surroundings {
  stdout: WriteStream;
  stderr: WriteStream;
  env: NodeJS.ProcessEnv;
  directory: string;
}

interface Run {
  runner: MemoryTestRunner;
  loaded: LoadedConfig;
  /** Undefined when nothing is to be exported. */
  destination: Destination | undefined;
  screen: { out: Screen; err: Screen };
}

/**
 * `crucible-memory run`: plans, runs, shows, saves.
 * @throws CrucibleMemoryError for what is wrong before the first test starts
 */
export async function runCommand(
  targets: string[],
  given: RunArguments,
  world: Surroundings,
): Promise<ExitCode> {
  const interruption = interruptible(world.stderr);
  try {
    const run = await prepare(targets, given, world, interruption.signal);
    const results = await carryOut(run, given, world, interruption.signal);
    return await conclude(run, results, { targets, given }, world);
  } finally {
    interruption.end();
  }
}

async function prepare(
  targets: string[],
  given: RunArguments,
  world: Surroundings,
  signal: AbortSignal,
): Promise<Run> {
  const named = [...servicesNamed(given.service ?? []), ...targetsNamed(targets, world.directory)];
  const scenarios = scenariosNamed(given.scenario ?? []);
  const asked = given.output === undefined ? undefined : destinationFor(given.output);
  const loaded = await loadConfig({
    ...(given.profile !== undefined && { profile: given.profile }),
    ...(given.config !== undefined && { file: given.config }),
    flags: flagSettings(given, asked?.directory),
    env: world.env,
    directory: world.directory,
  });
  const { exportToFile, outputDirectory } = loaded.config.reporting;
  const destination = asked ?? (exportToFile ? destinationFor(outputDirectory) : undefined);
  // Loaded after everything that the user typed was checked: a typo needs no native addon.
  const { MemoryTestRunner } = await import('../runner/memory-test-runner.js');
  const runner = await MemoryTestRunner.create(loaded.config, {
    profile: loaded.profile,
    ...(named.length > 0 && { targets: [...new Set(named)] }),
    ...(scenarios.length > 0 && { scenarios }),
    ...(given.inject !== undefined && { inject: given.inject }),
    ...(destination && { outputDirectory: destination.directory }),
    signal,
  });
  if (destination) requireWritable(destination, recordingsBytes(runner.plan(), loaded));
  const screen = {
    out: screenOf(world.stdout, given.color, world.env),
    err: screenOf(world.stderr, given.color, world.env),
  };
  return { runner, loaded, destination, screen };
}

/** Each sample takes at most a few bytes; the rest of a recording is small beside it. */
const BYTES_PER_SAMPLE = 8;
const BYTES_PER_TEST = 256 * KIB;

function recordingsBytes(plan: readonly PlannedTest[], { config }: LoadedConfig): number {
  const bytesPerMs = (config.sampling.rateHz / 1000) * BYTES_PER_SAMPLE;
  return plan.reduce((total, { plannedMs }) => total + BYTES_PER_TEST + plannedMs * bytesPerMs, 0);
}

async function carryOut(
  run: Run,
  given: RunArguments,
  world: Surroundings,
  signal: AbortSignal,
): Promise<MemoryTestResult[]> {
  const { runner, destination } = run;
  const finished: MemoryTestResult[] = [];
  runner.on('testEnd', (result) => {
    finished.push(result);
    // Whatever happens to this process later, what is finished is on the disk.
    if (destination) void runner.exportResults([...finished], destination.reportPath).catch(() => {});
  });
  if (given.quiet) return runner.runComprehensiveTests();

  world.stderr.write(
    `${header(runner.plan(), run.loaded, destination, createColors(run.screen.err.colour))}\n`,
  );
  const display = await showProgress(runner, world.stderr, run.screen.err, signal);
  try {
    return await runner.runComprehensiveTests();
  } finally {
    await display.finish();
  }
}

async function conclude(
  run: Run,
  results: MemoryTestResult[],
  asked: Asked,
  world: Surroundings,
): Promise<ExitCode> {
  const report = run.runner.report(results);
  const saved = await save(run, results);
  if (asked.given.format === 'json') {
    await writeAll(world.stdout, reportToJson(report));
    if (saved.error) await writeAll(world.stderr, `crucible-memory: ${saved.error}\n`);
    return exitCodeOf(report);
  }
  const { out } = run.screen;
  const paint = createColors(out.colour);
  await writeAll(
    world.stdout,
    `${renderText(report, out)}\n${footer(report, asked, saved.error ? undefined : run.destination, paint)}\n`,
  );
  if (saved.error) await writeAll(world.stderr, lastResort(saved.error, report));
  return exitCodeOf(report);
}

async function save({ runner, destination }: Run, results: MemoryTestResult[]): Promise<{ error?: string }> {
  if (!destination) return {};
  try {
    await runner.exportResults(results, destination.reportPath);
    return {};
  } catch (error) {
    return { error: error instanceof Error ? error.message : messageOf(error) };
  }
}

/** Results that took hours are not lost to a full disk. */
function lastResort(error: string, report: RunReport): string {
  return `crucible-memory: ${error}\nThe report follows, so that it is not lost:\n${reportToJson(report)}`;
}
