import { existsSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { copyFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SnapshotMode } from '../capture/agent-snapshot.js';
import { type SnapshotOptions, type SnapshotWay, snapshotProcess } from '../capture/snapshot-of-process.js';
import { CrucibleMemoryError } from '../errors.js';
import { loadCore } from '../native.js';
import {
  isLauncher,
  type RecordedParty,
  recordedParties,
  snapshotPathOf,
} from '../recording/recording-folder.js';
import { type RunningProgram, runProgram } from './program.js';

export interface ProgramSnapshotOptions extends Omit<SnapshotOptions, 'pid' | 'path'> {
  command: readonly [string, ...string[]];
  /** Path of the snapshot, for the process that it will be of. */
  pathFor: (pid: number) => string;
  /** How long the program runs before. It is taken at its end if that comes first. */
  afterMs: number;
  env: NodeJS.ProcessEnv;
  directory: string;
  stdout: 'inherit' | 'stderr';
  onNews: (sentence: string) => void;
}

export interface TakenSnapshot {
  pid: number;
  path: string;
  way: SnapshotWay | 'agent at its end';
  sizeBytes: number;
  /** Of those that the agent took while the program ran: see AgentSnapshot. */
  mode?: SnapshotMode;
  pauseMs?: number;
  fallback?: string;
}

/**
 * Runs a program, takes one heap snapshot of it after a while or when it ends, and ends it. Of several
 * processes it is the one that holds most memory.
 * @throws PROGRAM_NOT_FOUND, NOTHING_RECORDED, and what snapshotProcess() throws
 */
export async function snapshotProgram(options: ProgramSnapshotOptions): Promise<TakenSnapshot> {
  const folder = mkdtempSync(join(tmpdir(), 'crucible-memory-snapshot-'));
  let taken: Promise<TakenSnapshot | undefined> = Promise.resolve(undefined);
  const ended = new AbortController();
  try {
    await runProgram({
      command: options.command,
      agent: { folder, rateHz: 1, detailIntervalMs: 0, collectEveryMs: 0, snapshotAtExit: true },
      env: options.env,
      directory: options.directory,
      stdout: options.stdout,
      stdin: 'inherit',
      onNews: options.onNews,
      onStarted: (program) => {
        taken = whenItHasRun(program, options, ended.signal);
        taken.catch(() => {});
      },
    });
    ended.abort();
    return (await taken) ?? (await atItsEnd(folder, options));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Undefined when the program ended before. */
async function whenItHasRun(
  program: RunningProgram,
  options: ProgramSnapshotOptions,
  ended: AbortSignal,
): Promise<TakenSnapshot | undefined> {
  await sleep(options.afterMs, undefined, { signal: ended }).catch(() => {});
  if (ended.aborted) return undefined;
  const party = largest(program.parties());
  try {
    if (party === undefined) return undefined;
    const path = options.pathFor(party.pid);
    const { pid } = party;
    return { pid, path, ...(await snapshotProcess({ ...options, pid, path })) };
  } finally {
    program.end();
  }
}

function largest(parties: readonly RecordedParty[]): RecordedParty | undefined {
  const running = parties.filter((party) => party.threadId === 0 && !party.ending && !isLauncher(party));
  return running.toSorted((a, b) => residentBytes(b) - residentBytes(a))[0];
}

function residentBytes({ pid }: RecordedParty): number {
  try {
    return loadCore().readRss(pid) ?? 0;
  } catch {
    return 0;
  }
}

/** Every process of the program has left one; the largest is the one that is meant. */
async function atItsEnd(folder: string, options: ProgramSnapshotOptions): Promise<TakenSnapshot> {
  const left = recordedParties(folder).flatMap((party) => {
    const path = snapshotPathOf(join(folder, party.file));
    return existsSync(path) ? [{ party, path, sizeBytes: statSync(path).size }] : [];
  });
  const [chosen] = left.toSorted((a, b) => b.sizeBytes - a.sizeBytes);
  if (chosen === undefined) throw nothingTaken(folder);
  const path = options.pathFor(chosen.party.pid);
  await move(chosen.path, path);
  return { pid: chosen.party.pid, path, way: 'agent at its end', sizeBytes: chosen.sizeBytes };
}

/** The temporary folder may be on another disk. */
async function move(from: string, to: string): Promise<void> {
  try {
    renameSync(from, to);
  } catch {
    await copyFile(from, to);
    await rm(from);
  }
}

function nothingTaken(folder: string): CrucibleMemoryError {
  const started = recordedParties(folder).length > 0;
  return new CrucibleMemoryError('NOTHING_RECORDED', {
    what: 'there is no heap snapshot of the program',
    why: started
      ? 'it was killed before it was taken, or the snapshot could not be written'
      : 'no Node process came up in it, or it was started without the NODE_OPTIONS of its parent',
    fix: started
      ? 'take it earlier, with --after'
      : 'give a Node program, or a launcher that hands its environment on (env -i, sudo and `docker run` do not)',
  });
}

/** One heap snapshot of a process that runs already; see snapshotProcess(). */
export async function snapshotRunning(options: SnapshotOptions): Promise<TakenSnapshot> {
  const { pid, path } = options;
  return { pid, path, ...(await snapshotProcess(options)) };
}
