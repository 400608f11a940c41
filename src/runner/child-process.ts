import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { TestFailure } from '../diagnosis/index.js';
import { formatDuration } from '../units.js';
import { Phase } from '../vocabulary.js';
import type { ChildMessage, JudgedAnswer, ProgressMessage, TestRequest } from './messages.js';

const CHILD_ENTRY = fileURLToPath(new URL('./child.js', import.meta.url));
const STDERR_KEPT_CHARACTERS = 4000;
/** After a stop request, a child has this long to close its recording. */
const STOP_GRACE_MS = 5000;
const SNAPSHOT_SILENCE_MS = 120_000;

export interface ChildOptions {
  request: TestRequest;
  /** V8 heap limit of the child, MiB; absent: Node's own. */
  heapLimitMib?: number | undefined;
  /** Silence of this length means that the event loop is blocked for good, milliseconds. */
  silenceLimitMs: number;
  /** The test may not take longer than this in any case, milliseconds. */
  deadlineMs: number;
  signal: AbortSignal;
  /** `endLoad` may be called at any time: it ends the load before its time, and nothing else. */
  onStarted(pid: number, endLoad: EndLoad): void;
  onProgress(progress: ProgressMessage): void;
  onLog(line: string): void;
  /** The child wants to know what its load has shown. */
  onJudge(): Promise<JudgedAnswer>;
}

export type EndLoad = (verdict: 'leak' | 'no-leak', reason: string) => void;

/** How the child ended. */
export interface ChildEnding {
  /** Null: the test was carried out. */
  failure: TestFailure | null;
  /** The run was interrupted: the test is neither passed nor failed. */
  interrupted: boolean;
}

/** Starts a process for one test and sees it to its end, whatever that is. Never rejects. */
export function runInChild(options: ChildOptions): Promise<ChildEnding> {
  return new TestProcess(options).ending;
}

class TestProcess {
  readonly ending: Promise<ChildEnding>;
  readonly #options: ChildOptions;
  readonly #child: ChildProcess;
  #stderr = '';
  #phase: Phase | null = null;
  #ended: (ChildMessage & { type: 'end' }) | null = null;
  /** Why this side killed it, if it did. */
  #killedFor: Pick<TestFailure, 'code' | 'reason'> | null = null;
  #lastSignMs = performance.now();

  constructor(options: ChildOptions) {
    this.#options = options;
    this.#child = spawn(process.execPath, [...nodeFlags(options), CHILD_ENTRY], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => this.#log(chunk));
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-STDERR_KEPT_CHARACTERS);
      this.#log(chunk);
    });
    this.#child.on('message', (message) => this.#receive(message as ChildMessage));
    this.ending = this.#watch();
  }

  #log(chunk: Buffer): void {
    for (const line of chunk.toString().split('\n')) if (line.trim() !== '') this.#options.onLog(line);
  }

  #receive(message: ChildMessage): void {
    this.#lastSignMs = performance.now();
    if (message.type === 'progress') {
      this.#phase = message.phase;
      this.#options.onProgress(message);
    } else if (message.type === 'judge') void this.#judge();
    else this.#ended = message;
  }

  async #judge(): Promise<void> {
    const nothing: JudgedAnswer = { type: 'judged', isWorthDiagnosing: false, bytesPerOperation: null };
    const answer = await this.#options.onJudge().catch(() => nothing);
    if (this.#child.connected) this.#child.send(answer, () => {});
  }

  async #watch(): Promise<ChildEnding> {
    const { signal, request } = this.#options;
    const beganMs = performance.now();
    const onAbort = () => this.#stop();
    // A child whose event loop is blocked would not notice that nobody waits for it any more.
    const onExit = () => this.#child.kill('SIGKILL');
    process.once('exit', onExit);
    const watchdog = setInterval(() => this.#checkLife(beganMs), 250);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await new Promise<ChildEnding>((resolve) => {
        this.#child.once('error', (error) => resolve(this.#couldNotStart(error)));
        // 'close' comes after the last of stderr, which may hold the reason.
        this.#child.once('close', (code, by) => resolve(this.#closed(code, by)));
        this.#child.once('spawn', () => {
          this.#options.onStarted(this.#child.pid ?? 0, (verdict, reason) => {
            if (this.#child.connected) this.#child.send({ type: 'end-load', verdict, reason }, () => {});
          });
          this.#child.send(request, () => {});
          if (signal.aborted) this.#stop();
        });
      });
    } finally {
      clearInterval(watchdog);
      process.off('exit', onExit);
      signal.removeEventListener('abort', onAbort);
    }
  }

  #stop(): void {
    if (this.#child.connected) this.#child.send({ type: 'stop' }, () => {});
    setTimeout(() => this.#child.kill('SIGKILL'), STOP_GRACE_MS).unref();
  }

  #checkLife(beganMs: number): void {
    const { deadlineMs } = this.#options;
    // A heap snapshot blocks the event loop for as long as it takes.
    const silenceLimitMs =
      this.#options.silenceLimitMs + (this.#phase === Phase.Diagnosis ? SNAPSHOT_SILENCE_MS : 0);
    const nowMs = performance.now();
    if (nowMs - this.#lastSignMs > silenceLimitMs) {
      this.#kill(
        'TEST_HUNG',
        `the process gave no sign of life for ${formatDuration(silenceLimitMs)}: its event loop is blocked`,
      );
    } else if (nowMs - beganMs > deadlineMs) {
      this.#kill('TEST_HUNG', `the test did not end within ${formatDuration(deadlineMs)}`);
    }
  }

  #kill(code: TestFailure['code'], reason: string): void {
    this.#killedFor ??= { code, reason };
    this.#child.kill('SIGKILL');
  }

  #couldNotStart(error: Error): ChildEnding {
    return {
      failure: this.#failure('TEST_CRASHED', `the process could not be started: ${error.message}`),
      interrupted: false,
    };
  }

  #closed(code: number | null, by: NodeJS.Signals | null): ChildEnding {
    if (this.#options.signal.aborted) return { failure: null, interrupted: true };
    if (this.#ended !== null) {
      const { failure } = this.#ended;
      return {
        failure: failure && { ...this.#failure(failure.code, failure.reason), phase: failure.phase },
        interrupted: false,
      };
    }
    const { code: failureCode, reason } = this.#killedFor ?? causeOfDeath(code, by, this.#stderr);
    return {
      failure: { ...this.#failure(failureCode, reason), exitCode: code, signal: by },
      interrupted: false,
    };
  }

  #failure(code: string, reason: string): TestFailure {
    return {
      code,
      reason,
      phase: this.#phase,
      exitCode: null,
      signal: null,
      ...(this.#stderr.trim() === '' ? {} : { stderr: this.#stderr.trim() }),
    };
  }
}

function nodeFlags({ heapLimitMib }: ChildOptions): string[] {
  return heapLimitMib === undefined ? [] : [`--max-old-space-size=${heapLimitMib}`];
}

const OUT_OF_MEMORY = /heap out of memory|Allocation failed|out of memory|bad_alloc|Cannot allocate memory/i;

function causeOfDeath(
  code: number | null,
  by: NodeJS.Signals | null,
  stderr: string,
): Pick<TestFailure, 'code' | 'reason'> {
  if (OUT_OF_MEMORY.test(stderr)) {
    return { code: 'TEST_OUT_OF_MEMORY', reason: `the process ran out of memory (${how(code, by)})` };
  }
  if (by === 'SIGKILL') {
    return {
      code: 'TEST_OUT_OF_MEMORY',
      reason:
        "the process was killed from outside with SIGKILL, most likely by the system's out-of-memory killer",
    };
  }
  const lastError = stderr
    .split('\n')
    .find((line) => /^\w*Error\b|^Uncaught|^FATAL|^\s*throw /.test(line.trim()));
  const said = lastError === undefined ? '' : `: ${lastError.trim()}`;
  return {
    code: 'TEST_CRASHED',
    reason: `the process ended in the middle of the test (${how(code, by)})${said}`,
  };
}

function how(code: number | null, by: NodeJS.Signals | null): string {
  return by === null ? `exit code ${code}` : `signal ${by}`;
}
