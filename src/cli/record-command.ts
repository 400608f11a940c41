import { constants } from 'node:os';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { type LoadedConfig, loadConfig, parseQuantity } from '../config/index.js';
import type { RunReport } from '../diagnosis/index.js';
import { CrucibleMemoryError, messageOf } from '../errors.js';
import { unwritable } from '../report/index.js';
import { KIB, MIB } from '../units.js';
import { collect, duration, flagSettings, oneOf } from './arguments.js';
import { nextAfterRecording } from './record-next-step.js';
import { exitCodeOfFindings, showRecording } from './recording-output.js';
import type { Surroundings } from './run-command.js';
import { writeAll } from './terminal.js';

/** The options of `record` as commander hands them over. */
export interface RecordArguments {
  rate: number;
  output?: string;
  duration?: string;
  collectEvery?: string;
  recordingSize?: number;
  snapshotMode?: 'plain' | 'fork';
  snapshotNearLimit?: boolean;
  /** false: no profile. */
  allocationProfile?: number | boolean;
  keys?: boolean;
  diagnose?: boolean;
  set?: string[];
  config?: string;
  format: 'text' | 'json';
  color?: boolean;
  quiet?: boolean;
}

/** What a shell adds to the number of the signal that ended a program. */
const KILLED_BY_SIGNAL = 128;
const DETAIL_INTERVAL_MS = 1000;
/** Within noise of the program's speed. */
const ALLOCATION_INTERVAL_BYTES = 512 * KIB;
/** Some days of a process at 100 Hz. */
const RECORDING_BYTES_MAX = 256 * MIB;
const RECORDING_BYTES_MIN = 4 * MIB;
/** Below, V8 would do little else. */
const ALLOCATION_INTERVAL_MIN_BYTES = KIB;

export function addRecordCommand(program: Command, done: (exitCode: number) => void): void {
  program
    .command('record')
    .summary('run any Node program under the sampler; the diagnosis when it ends')
    .description(
      'Runs a Node program, whatever starts it, with the sampler inside all of its processes and worker threads, and judges the recordings when it ends. The program is not changed, has the terminal, gets every signal, and keeps its exit code.',
    )
    .argument('<command...>', 'the program and its arguments, after --')
    .option('--rate <hz>', 'RSS samples a second, up to 10000', rate, 100)
    .option('--output <dir>', 'folder for the recordings (default: crucible-memory-results/record-<time>)')
    .option(
      '--duration <time>',
      'end the program with SIGTERM after this time, or when it leaks some seconds later, after its heap snapshots',
      duration,
    )
    .option(
      '--collect-every <time>',
      'force a full collection so often: a closer floor, for pauses of 15 ms per 10 MB',
      duration,
    )
    .option('--no-diagnose', 'take no heap snapshots of a process that is seen to leak')
    .option(
      '--recording-size <bytes>',
      'size of a recording beyond which its oldest samples are summarised (default: 256MiB)',
      recordingBytes,
    )
    .option(
      '--snapshot-mode <mode>',
      'how `snapshot` takes one of it: plain, or fork (Linux): a child writes it, the program stands still for milliseconds',
      oneOf(['plain', 'fork']),
    )
    .option('--snapshot-near-limit', 'a heap snapshot before memory runs out, if there is room for one')
    .option(
      '--allocation-profile <interval>',
      'who allocated what lives: a sample every so many bytes (default: 512KiB)',
      byteInterval,
    )
    .option('--no-allocation-profile', 'none')
    .option('--keys', 'take the keyboard: m begins and ends the load that is judged (also: SIGUSR2)')
    .option(
      '--set <name=value>',
      'any setting, such as thresholds.leakThresholdBytes=5MiB; repeatable',
      collect,
    )
    .option('--config <file>', 'settings; default: crucible-memory.config.* if there is one')
    .option(
      '--format <format>',
      'text or json; json sends what the program prints to stderr',
      oneOf(['text', 'json']),
      'text',
    )
    .option('--quiet', 'say nothing before the result')
    .option('--color', 'colours also where there is no terminal')
    .option('--no-color', 'no colours')
    .passThroughOptions()
    .addHelpText('after', EXAMPLES)
    .action(async (command: string[], given: RecordArguments) => {
      const { stdout, stderr, env } = process;
      done(await recordCommand(command, given, { stdout, stderr, env, directory: process.cwd() }));
    });
}

const EXAMPLES = `
Examples:
  crucible-memory record -- node server.js --port 8080    until it ends, or Ctrl-C
  crucible-memory record --duration 5m -- npm start       for five minutes
  crucible-memory record --collect-every 2s -- node job.mjs

Exit codes:
  the program's own, if it is not 0; else 0 nothing found, 1 a leak or a threshold violation
  2 wrong usage, or no such program   3 nothing was recorded
`;

/** Samples a second, as a person writes them. */
export function rate(given: string): number {
  const hz = Number(given);
  if (!(hz > 0 && hz <= 10_000))
    throw new InvalidArgumentError('Expected samples per second, above 0 and up to 10000.');
  return hz;
}

/** `crucible-memory record`: runs the program, then judges what it recorded. */
export async function recordCommand(
  command: string[],
  given: RecordArguments,
  world: Surroundings,
): Promise<number> {
  const loaded = await loadConfig({
    ...(given.config !== undefined && { file: given.config }),
    flags: flagSettings(
      {
        ...(given.set && { set: given.set }),
        ...(given.diagnose !== undefined && { diagnose: given.diagnose }),
      },
      undefined,
    ),
    env: world.env,
    directory: world.directory,
  });
  const folder = resolve(world.directory, given.output ?? defaultFolder(loaded));
  const terminal = terminalFor(given);
  const startTime = new Date();
  const { ending, results } = await carryOut({ command, given, world, folder, loaded, terminal });
  const { programReport } = await import('../runner/program-results.js');
  const record = {
    command,
    folder,
    rateHz: given.rate,
    exitCode: ending.exitCode,
    signal: ending.signal,
    files: results.files,
  };
  const report = programReport(results, { loaded, startTime, record });
  const next = nextAfterRecording(report, command, given);
  const { leftOut, files } = results;
  await showRecording({ report, folder, ending: endingText(ending), leftOut, files, next }, given, world);
  return exitCodeFor(ending, report);
}

type Recorded = Awaited<ReturnType<typeof carryOut>>;

interface Task {
  command: string[];
  given: RecordArguments;
  world: Surroundings;
  folder: string;
  loaded: LoadedConfig;
  terminal: NodeJS.ReadStream | undefined;
}

async function carryOut({ command, given, world, folder, loaded, terminal }: Task) {
  const { runProgram } = await import('../runner/program.js');
  const { judgeFolder } = await import('../runner/program-results.js');
  const { markFromOutside } = await import('../runner/phase-keys.js');
  const { diagnoseWhileRunning } = await import('../runner/program-diagnosis.js');
  const say = (text: string) => void (given.quiet || world.stderr.write(`crucible-memory: ${text}\n`));
  say(`recording at ${given.rate} Hz into ${folder}`);
  let releaseMarks = () => {};
  let diagnosis: ReturnType<typeof diagnoseWhileRunning> | undefined;
  const ending = await runProgram({
    command: command as [string, ...string[]],
    agent: {
      folder,
      rateHz: given.rate,
      detailIntervalMs: DETAIL_INTERVAL_MS,
      collectEveryMs: milliseconds(given.collectEvery) ?? 0,
      recordingBytesMax: given.recordingSize ?? RECORDING_BYTES_MAX,
      allocationIntervalBytes:
        given.allocationProfile === false ? 0 : Number(given.allocationProfile ?? ALLOCATION_INTERVAL_BYTES),
      ...(given.snapshotMode && { snapshotMode: given.snapshotMode }),
      ...(given.snapshotNearLimit && { snapshotNearLimit: true }),
    },
    env: world.env,
    directory: world.directory,
    durationMs: milliseconds(given.duration),
    beforeTimeIsUp: async () => diagnosis?.complete(),
    stdout: given.format === 'json' ? 'stderr' : 'inherit',
    stdin: terminal ? 'ignore' : 'inherit',
    onStarted: (program) => {
      releaseMarks = markFromOutside(program, { terminal, onMark: (phase) => say(`phase ${phase} begins`) });
      diagnosis = diagnoseWhileRunning(program, { folder, config: loaded.config, say });
    },
    onNews: say,
  })
    .catch((error) => {
      throw isFolderError(error) ? unwritable(folder, error) : error;
    })
    .finally(() => {
      releaseMarks();
      diagnosis?.end();
    });
  try {
    return { ending, results: await judgeFolder(folder, loaded) };
  } catch (error) {
    const failed = ownFailure(ending);
    if (failed === 0) throw error;
    await writeAll(world.stderr, `crucible-memory: ${messageOf(error)}\n`);
    return { ending, results: { results: [], leftOut: [], files: [] } };
  }
}

function endingText({ exitCode, signal, timeWasUp }: Recorded['ending']): string {
  const how = signal === null ? `with exit code ${exitCode}` : `by ${signal}`;
  return timeWasUp ? `${how}, told to because its time was up` : how;
}

/** The program's own code comes first: it is what scripts and containers look at. */
function exitCodeFor(ending: Recorded['ending'], report: RunReport): number {
  const failed = ownFailure(ending);
  return failed === 0 ? exitCodeOfFindings(report) : failed;
}

/** What we did to the program is not its failure. */
function ownFailure({ exitCode, signal, timeWasUp }: Recorded['ending']): number {
  if (timeWasUp) return 0;
  return signal === null ? (exitCode ?? 0) : KILLED_BY_SIGNAL + signalNumber(signal);
}

function signalNumber(signal: NodeJS.Signals): number {
  return constants.signals[signal];
}

/** Colons are not allowed in names on Windows. */
export function defaultFolder({ config }: LoadedConfig, command = 'record'): string {
  const time = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `${config.reporting.outputDirectory}/${command}-${time}`;
}

function terminalFor({ keys }: RecordArguments): NodeJS.ReadStream | undefined {
  if (!keys) return undefined;
  if (process.stdin.isTTY) return process.stdin;
  throw new CrucibleMemoryError('USAGE', {
    what: '--keys was given, and standard input is no terminal',
    why: 'keys come from a terminal only',
    fix: 'leave --keys out and send SIGUSR2 to this process, or call mark() in the program',
  });
}

/** Size of a recording, as a person writes it. */
function recordingBytes(given: string): number {
  const bytes = parseQuantity(given, 'bytes');
  if (!(bytes !== undefined && bytes >= RECORDING_BYTES_MIN))
    throw new InvalidArgumentError('Expected a size from 4MiB, such as 1GiB.');
  return bytes;
}

/** Bytes between two samples of an allocation profile, as a person writes them. */
function byteInterval(given: string): number {
  const bytes = /^\d+$/.test(given) ? Number(given) : parseQuantity(given, 'bytes');
  if (!(bytes !== undefined && bytes >= ALLOCATION_INTERVAL_MIN_BYTES))
    throw new InvalidArgumentError('Expected a size from 1KiB, such as 128KiB.');
  return bytes;
}

export function milliseconds(time: string | undefined): number | undefined {
  if (time === undefined) return undefined;
  return /^\d+(\.\d+)?$/.test(time) ? Number(time) * 1000 : parseQuantity(time, 'milliseconds');
}

export function isFolderError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && !(error instanceof CrucibleMemoryError);
}
