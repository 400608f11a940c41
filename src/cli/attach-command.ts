import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../config/index.js';
import type { RunReport } from '../diagnosis/index.js';
import { unwritable } from '../report/index.js';
import { collect, duration, flagSettings, oneOf } from './arguments.js';
import { interruptible } from './interruption.js';
import type { NextStep } from './next-step.js';
import { defaultFolder, isFolderError, milliseconds, rate } from './record-command.js';
import { exitCodeOfFindings, showRecording } from './recording-output.js';
import type { Surroundings } from './run-command.js';

/** The options of `attach` as commander hands them over. */
export interface AttachArguments {
  rate: number;
  output?: string;
  duration?: string;
  collectEvery?: string;
  inspector: boolean;
  snapshots?: boolean;
  set?: string[];
  config?: string;
  format: 'text' | 'json';
  color?: boolean;
  quiet?: boolean;
}

export function addAttachCommand(program: Command, done: (exitCode: number) => void): void {
  program
    .command('attach')
    .summary('record a process that is already running, from outside')
    .description(
      'Records a running process without changing it: resident memory, PSS and its container by the kernel, and V8’s figures, collections and an allocation profile through its inspector, which is opened with SIGUSR1 on loopback and closed again. Ends with --duration, Ctrl-C, or the process, which goes on.',
    )
    .argument('<pid>', 'the process', processId)
    .option('--rate <hz>', 'RSS samples a second, up to 1000', rate, 100)
    .option('--output <dir>', 'folder for the recording (default: crucible-memory-results/attach-<time>)')
    .option('--duration <time>', 'how long, such as 30s or 5m (default: until Ctrl-C)', duration)
    .option(
      '--collect-every <time>',
      'force a full collection so often: a closer floor, for pauses of 15 ms per 10 MB',
      duration,
    )
    .option('--no-inspector', 'leave the process alone: only what the kernel tells')
    .option(
      '--snapshots',
      'a heap snapshot at the beginning and one at the end; the process stands still meanwhile',
    )
    .option(
      '--set <name=value>',
      'any setting, such as thresholds.leakThresholdBytes=5MiB; repeatable',
      collect,
    )
    .option('--config <file>', 'settings; default: crucible-memory.config.* if there is one')
    .option('--format <format>', 'text or json: what stdout gets', oneOf(['text', 'json']), 'text')
    .option('--quiet', 'say nothing before the result')
    .option('--color', 'colours also where there is no terminal')
    .option('--no-color', 'no colours')
    .action(async (pid: number, given: AttachArguments) => {
      const { stdout, stderr, env } = process;
      done(await attachCommand(pid, given, { stdout, stderr, env, directory: process.cwd() }));
    });
}

const PID_MAX = 2 ** 31 - 1;

export function processId(given: string): number {
  const pid = Number(given);
  if (!(Number.isInteger(pid) && pid > 0 && pid <= PID_MAX))
    throw new InvalidArgumentError('Expected a process id; `pgrep -a node` lists them.');
  return pid;
}

/** `crucible-memory attach`: records a running process, then judges it. */
export async function attachCommand(
  pid: number,
  given: AttachArguments,
  world: Surroundings,
): Promise<number> {
  const loaded = await loadConfig({
    ...(given.config !== undefined && { file: given.config }),
    flags: flagSettings({ ...(given.set && { set: given.set }) }, undefined),
    env: world.env,
    directory: world.directory,
  });
  const folder = resolve(world.directory, given.output ?? defaultFolder(loaded, 'attach'));
  const { processName, recordAttached } = await import('../runner/attached-process.js');
  const { judgeFolder, programReport } = await import('../runner/program-results.js');
  const say = (text: string) => void (given.quiet || world.stderr.write(`crucible-memory: ${text}\n`));
  const startTime = new Date();
  const interruption = interruptible(world.stderr);
  try {
    const name = processName(pid);
    if (name !== undefined)
      say(`recording ${name} at ${given.rate} Hz into ${folder}; Ctrl-C ends the recording`);
    const outcome = await recordAttached({
      pid,
      folder,
      rateHz: given.rate,
      durationMs: milliseconds(given.duration),
      inspector: given.inspector,
      snapshots: given.snapshots ?? false,
      collectEveryMs: milliseconds(given.collectEvery) ?? 0,
      signal: interruption.signal,
      onNews: say,
    }).catch((error) => {
      throw isFolderError(error) ? unwritable(folder, error) : error;
    });
    const judged = await judgeFolder(folder, loaded);
    const report = programReport(judged, { loaded, startTime, record: { pid, folder, rateHz: given.rate } });
    await showRecording(
      {
        report,
        folder,
        ending: outcome.ended ? 'with the process' : 'the process goes on',
        leftOut: [...judged.leftOut, ...notesOf(report)],
        files: outcome.files,
        next: outcome.ended ? undefined : nextAfterAttaching(pid, report, outcome.files),
      },
      given,
      world,
    );
    return exitCodeOfFindings(report);
  } finally {
    interruption.end();
  }
}

/** What could not be had, for whoever did not see it said. */
function notesOf({ results }: RunReport): string[] {
  return results.flatMap(({ sampling }) => sampling?.problems ?? []);
}

function nextAfterAttaching(
  pid: number,
  { summary }: RunReport,
  files: readonly string[],
): NextStep | undefined {
  const [before, after] = files.filter((path) => path.endsWith('.heapsnapshot'));
  if (before !== undefined && after !== undefined)
    return {
      command: `crucible-memory diff ${before} ${after}`,
      reason: 'what grew between the two snapshots',
    };
  if (summary.leaks > 0)
    return {
      command: `crucible-memory snapshot ${pid}`,
      reason: 'a heap snapshot: what is held, and by whom',
    };
  return summary.inconclusive === 0
    ? undefined
    : {
        command: `crucible-memory attach --snapshots --collect-every 5s --duration 5m ${pid}`,
        reason: 'longer, with two snapshots to compare',
      };
}
