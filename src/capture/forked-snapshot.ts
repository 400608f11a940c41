import { closeSync, fstatSync, openSync, readFileSync, readSync, renameSync, rmSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';
import { CrucibleMemoryError } from '../errors.js';
import { loadIsolate, type NativeForkedSnapshot, type NativeIsolate } from '../native.js';
import { openForSnapshot, snapshotFailure } from './bounded-snapshot.js';
import { partialPathOf, primeLineTablesOfThisThread } from './snapshot-writer.js';

export interface ForkedSnapshotOptions {
  /** A file of that name, mode 0600, appears when the snapshot is whole. */
  path: string;
  /** A file beyond that is given up. Default: no bound. */
  bytesMax?: number;
  includesNumbers?: boolean;
  /** How often to fork before giving up. Default: 4. */
  attemptsMax?: number;
  /** A child ends itself after so long, even if nobody looks after it any more. Default: 1200. */
  secondsMax?: number;
  signal?: AbortSignal;
  /** Hundredths of a percent of `taking`, then of `writing`. */
  onProgress?: (progress: { phase: 'taking' | 'writing'; progress: number }) => void;
  /** A child has failed; another follows, unless it was the last. */
  onFailedAttempt?: (why: string) => void;
}

export interface ForkedSnapshotResult {
  sizeBytes: number;
  /** How long this process stood still, all attempts together. */
  pauseMs: number;
  attempts: number;
  /** Of the child that finished. */
  childCpuMs: number;
  childRssMaxBytes: number;
}

const POLL_INTERVAL_MS = 25;
/** A child that sleeps and has used no CPU for so long waits for a thread that does not exist in it. */
const HUNG_AFTER_MS = 1500;
/** Collections in the background, which are what disturbs a child, are over by then. */
const PAUSE_BETWEEN_ATTEMPTS_MS = 250;

/**
 * A heap snapshot of this thread that a forked child writes while the program goes on. The program stands
 * still for milliseconds; the snapshot shows it as it was then. Linux only.
 *
 * A child can hang, because only the forking thread exists in it; it is then killed and another one forked.
 * With busy worker threads that happens often. The child's memory counts in the container like the program's:
 * what the program changes meanwhile, and some 400 bytes a node. Should it run out, the child goes first.
 *
 * @throws CrucibleMemoryError SNAPSHOT_FORK_FAILED (every attempt failed: take it in the plain way),
 * INTERRUPTED, OUTPUT_UNWRITABLE, SNAPSHOT_TOO_LARGE; no file is left
 */
export async function forkHeapSnapshot(options: ForkedSnapshotOptions): Promise<ForkedSnapshotResult> {
  const isolate = loadIsolate();
  const { path, attemptsMax = 4 } = options;
  const partial = partialPathOf(path);
  primeLineTablesOfThisThread();
  const reasons: string[] = [];
  let pauseMs = 0;
  try {
    while (reasons.length < attemptsMax) {
      const child = forked(isolate, partial, options);
      pauseMs += child.pauseNs / 1e6;
      const end = await endOf(child, options);
      const why = end.isHung ? 'it hung' : whyNotWhole(end, partial, options);
      if (why === undefined) {
        renameSync(partial, path);
        const { cpuNs, rssMaxBytes: childRssMaxBytes, sizeBytes } = end;
        const childCpuMs = cpuNs / 1e6;
        return { sizeBytes, pauseMs, attempts: reasons.length + 1, childCpuMs, childRssMaxBytes };
      }
      reasons.push(why);
      options.onFailedAttempt?.(why);
      if (reasons.length < attemptsMax) await after(PAUSE_BETWEEN_ATTEMPTS_MS * reasons.length);
    }
  } finally {
    rmSync(partial, { force: true });
  }
  throw new CrucibleMemoryError('SNAPSHOT_FORK_FAILED', {
    what: `no forked child finished the heap snapshot ${path}`,
    why: `${attemptsMax} were tried: ${[...new Set(reasons)].join('; ')}`,
    fix: 'take it in the process itself, which then stands still until it is written',
  });
}

function forked(
  isolate: NativeIsolate,
  partial: string,
  options: ForkedSnapshotOptions,
): NativeForkedSnapshot {
  const { bytesMax = Number.POSITIVE_INFINITY, includesNumbers = false, secondsMax = 1200 } = options;
  const fd = openForSnapshot(partial, options.path);
  try {
    return isolate.forkSnapshot({ fd, bytesMax, includesNumbers, secondsMax });
  } finally {
    closeSync(fd);
  }
}

/** Looks after a child until it has ended, in whatever way. @throws INTERRUPTED */
async function endOf(child: NativeForkedSnapshot, options: ForkedSnapshotOptions) {
  const { signal, onProgress } = options;
  const watch = new IdleWatch(child.pid);
  let isHung = false;
  for (;;) {
    const state = child.poll();
    if (!state.isRunning) {
      if (signal?.aborted) throw snapshotFailure({ outcome: 'cancelled', errno: 0 }, options.path, 0);
      return { ...state, isHung, sizeBytes: sizeOf(partialPathOf(options.path)) };
    }
    if (state.phase === 1 || state.phase === 2)
      onProgress?.({ phase: state.phase === 1 ? 'taking' : 'writing', progress: state.progress });
    isHung ||= watch.isHung();
    if (isHung || signal?.aborted) child.kill();
    await after(POLL_INTERVAL_MS);
  }
}

/** Undefined: it is whole. Throws what another attempt would not change. */
function whyNotWhole(
  { exitCode, errno }: { exitCode: number; errno: number },
  partial: string,
  options: ForkedSnapshotOptions,
): string | undefined {
  const { path, bytesMax = Number.POSITIVE_INFINITY } = options;
  if (exitCode === 11) throw snapshotFailure({ outcome: 'too-large', errno: 0 }, path, bytesMax);
  if (exitCode === 12) throw snapshotFailure({ outcome: 'unwritable', errno }, path, bytesMax);
  if (exitCode < 0) return `signal ${-exitCode} ended it`;
  if (exitCode !== 0) return `it ended with exit code ${exitCode}`;
  return endsLikeASnapshot(partial) ? undefined : 'its file is not whole';
}

/** V8 writes the strings last. */
function endsLikeASnapshot(path: string): boolean {
  const end = Buffer.alloc(2);
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    return size > 2 && readSync(fd, end, 0, 2, size - 2) === 2 && end.toString() === ']}';
  } finally {
    closeSync(fd);
  }
}

function sizeOf(path: string): number {
  const fd = openSync(path, 'r');
  try {
    return fstatSync(fd).size;
  } finally {
    closeSync(fd);
  }
}

/** Tells a child that waits for good from one that only gets no turn: that one does not sleep. */
class IdleWatch {
  readonly #path: string;
  #cpuTicks = '';
  #sinceMs = performance.now();

  constructor(pid: number) {
    this.#path = `/proc/${pid}/stat`;
  }

  isHung(): boolean {
    let fields: string[];
    try {
      // "pid (name) state ppid ..."; the name may hold anything.
      fields = readFileSync(this.#path, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
    } catch {
      return false; // it has ended
    }
    const [state] = fields;
    const cpuTicks = `${fields[11]} ${fields[12]}`;
    if (state !== 'S' || cpuTicks !== this.#cpuTicks) {
      this.#cpuTicks = cpuTicks;
      this.#sinceMs = performance.now();
    }
    return performance.now() - this.#sinceMs > HUNG_AFTER_MS;
  }
}
