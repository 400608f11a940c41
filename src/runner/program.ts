import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, rmdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AgentOptions, environmentWithAgent } from '../capture/agent-options.js';
import { askAgent, forgetAgent } from '../capture/control-client.js';
import { CrucibleMemoryError } from '../errors.js';
import { makeRecordingFolder, type RecordedParty, recordedParties } from '../recording/recording-folder.js';
import { catchInterruptions, type Interruption } from './interruptions.js';

/** A second Ctrl-C within this time means: now. */
const IMPATIENT_MS = 2000;
/** How long a program that was told twice, or whose time is up, may take to end by itself. */
const GRACE_MS = 1000;
const GRACE_AFTER_DURATION_MS = 10_000;
/** What a launcher started may outlive it by this much. */
const LINGER_MS = 2000;
const LOOK_INTERVAL_MS = 20;
/** A Node process starts to record itself within a tenth of a second. */
const UNRECORDED_MS = 5000;

export interface ProgramOptions {
  /** The program and its arguments. */
  command: readonly [string, ...string[]];
  agent: AgentOptions;
  env: NodeJS.ProcessEnv;
  directory: string;
  /** Ends the program with SIGTERM after this time. */
  durationMs?: number | undefined;
  /** Waited for when the time is up, while the program still runs. */
  beforeTimeIsUp?: () => Promise<void>;
  /** Where the program's standard output goes: to ours, or to our standard error. */
  stdout: 'inherit' | 'stderr';
  /** Whether the program has our standard input. */
  stdin: 'inherit' | 'ignore';
  onStarted?: (program: RunningProgram) => void;
  /** A sentence for a person: that it was told to end, that it was killed. */
  onNews?: (sentence: string) => void;
}

export interface ProgramEnding {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** We ended it because its time was up. */
  timeWasUp: boolean;
}

/** The signals that a person may send the program by way of us. */
export interface RunningProgram {
  mark(phase: string): Promise<void>;
  interrupt(interruption: Interruption): void;
  /** As when its time is up. */
  end(): void;
  parties(): RecordedParty[];
}

/**
 * Runs a program, whatever launches it, with the agent in all of its Node processes, and sees it to its end.
 *
 * SIGINT, SIGTERM, SIGHUP and SIGQUIT go on to the program, which ends in its own way. Told twice within two
 * seconds, it is killed if it has not ended a second later.
 * @throws PROGRAM_NOT_FOUND; NOTHING_RECORDED when no Node process came up in it
 */
export async function runProgram(options: ProgramOptions): Promise<ProgramEnding> {
  makeRecordingFolder(options.agent.folder);
  const [file, ...args] = options.command;
  const child = spawn(file, args, {
    cwd: options.directory,
    env: environmentWithAgent(options.env, options.agent),
    stdio: [options.stdin, options.stdout === 'inherit' ? 'inherit' : 2, 'inherit'],
  });
  const program = new Program(child, options);
  const release = catchInterruptions((interruption) => program.interrupt(interruption));
  try {
    const ended = program.ending(file);
    options.onStarted?.(program);
    const ending = await ended;
    await program.lingering();
    return ending;
  } catch (error) {
    removeIfEmpty(options.agent.folder);
    throw error;
  } finally {
    release();
    program.finish();
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // There is something in it.
  }
}

class Program implements RunningProgram {
  readonly #child: ChildProcess;
  readonly #options: ProgramOptions;
  readonly #timers: NodeJS.Timeout[] = [];
  #toldMs = Number.NEGATIVE_INFINITY;
  #isEnding = false;
  #hasFinished = false;
  #timeWasUp = false;

  constructor(child: ChildProcess, options: ProgramOptions) {
    this.#child = child;
    this.#options = options;
    const { durationMs } = options;
    this.#after(UNRECORDED_MS, () => {
      if (this.parties().length === 0)
        options.onNews?.('nothing has begun to record itself yet: is it a Node program?');
    });
    if (durationMs !== undefined) this.#after(durationMs, () => void this.#endInTime());
  }

  ending(file: string): Promise<ProgramEnding> {
    return new Promise((resolve, reject) => {
      this.#child.on('error', (error) => reject(notStarted(file, error)));
      this.#child.on('exit', (exitCode, signal) => resolve({ exitCode, signal, timeWasUp: this.#timeWasUp }));
    });
  }

  parties(): RecordedParty[] {
    return recordedParties(this.#options.agent.folder);
  }

  /** All processes of the program are told. */
  async mark(phase: string): Promise<void> {
    await Promise.all(
      this.#running().map(({ pid }) => askAgent(pid, { command: 'mark', name: phase }).catch(() => {})),
    );
  }

  interrupt({ signal, reachedProgram }: Interruption): void {
    const isImpatient = performance.now() - this.#toldMs < IMPATIENT_MS;
    this.#toldMs = performance.now();
    if (!reachedProgram) this.#child.kill(signal);
    if (this.#isEnding) return;
    if (!isImpatient) {
      this.#options.onNews?.(`${signal} passed on; waiting for the program to end (twice kills it)`);
      return;
    }
    this.#isEnding = true;
    this.#after(GRACE_MS, () => this.#kill('it was told twice and did not end'));
  }

  /** What a launcher started is still at its work when the launcher is gone: its last records are waited for. */
  async lingering(): Promise<void> {
    const untilMs = performance.now() + LINGER_MS;
    while (this.#running().length > 0 && performance.now() < untilMs) await sleep(LOOK_INTERVAL_MS);
  }

  finish(): void {
    this.#hasFinished = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const { pid, threadId } of this.parties()) if (threadId === 0 && !isAlive(pid)) forgetAgent(pid);
  }

  end(): void {
    this.#timeWasUp = true;
    this.#child.kill('SIGTERM');
    // Launchers that do not pass it on leave what they launched behind.
    this.#after(GRACE_MS, () => this.#signal('SIGTERM'));
    this.#after(GRACE_AFTER_DURATION_MS, () => this.#kill('its time is up and it did not end'));
  }

  async #endInTime(): Promise<void> {
    await this.#options.beforeTimeIsUp?.();
    if (!this.#hasFinished) this.end();
  }

  #kill(why: string): void {
    this.#options.onNews?.(`killing the program: ${why}`);
    this.#signal('SIGKILL');
    this.#child.kill('SIGKILL');
  }

  #signal(signal: NodeJS.Signals): void {
    for (const { pid } of this.#running()) {
      if (pid === this.#child.pid || !this.#isOurs(pid)) continue;
      try {
        process.kill(pid, signal);
      } catch {
        // It ended meanwhile.
      }
    }
  }

  /** Processes that began to record and are still there. */
  #running(): RecordedParty[] {
    return this.parties().filter(
      ({ threadId, ending, pid }) => threadId === 0 && ending === undefined && isAlive(pid),
    );
  }

  /** A process id may belong to somebody else by now: the environment says whether it is one of the program. */
  #isOurs(pid: number): boolean {
    if (process.platform !== 'linux') return true;
    try {
      const { folder } = this.#options.agent;
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(JSON.stringify({ folder }).slice(1, -1));
    } catch {
      return false;
    }
  }

  #after(delayMs: number, action: () => void): void {
    this.#timers.push(setTimeout(action, delayMs));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function notStarted(file: string, error: NodeJS.ErrnoException): CrucibleMemoryError {
  const reasons: Record<string, [string, string]> = {
    ENOENT: [
      'there is no such program on the PATH',
      'check its name; what follows `--` is run as it stands, so a script needs `node` before it',
    ],
    EACCES: ['it may not be executed', 'make it executable, or run it with `node` before it'],
  };
  const [why, fix] = reasons[error.code ?? ''] ?? [error.message, 'see whether it runs by itself'];
  return new CrucibleMemoryError('PROGRAM_NOT_FOUND', {
    what: `cannot start ${file}`,
    why,
    fix,
    cause: error,
  });
}
