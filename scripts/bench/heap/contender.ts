/**
 * One measurement in a process of its own: a contender reads a snapshot and
 * computes dominators and retained sizes, or compares two.
 *
 *   node contender.js CONTENDER load FILE
 *   node contender.js CONTENDER diff BEFORE AFTER
 *
 * Prints one line of JSON: what was computed, and what it took.
 */
import { readFileSync } from 'node:fs';

/** What a contender computed, so that one can see that all did the same. */
export interface Loaded {
  nodeCount: number;
  edgeCount: number;
  /** Of the root: the sum of everything, if the dominators and sizes are right. */
  rootRetainedBytes: number;
  /** Of all the time, reading the text alone, where it can be told apart. */
  parseMs?: number;
}

/** Null where the contender does not say it. */
export interface Compared {
  newCount: number;
  deletedCount: number | null;
  /** All that it knows of the change in bytes. */
  deltaBytes: number | null;
}

export interface Contender {
  /** Reads a snapshot, with dominators and retained sizes. What it gives back tells of it, off the clock. */
  load(path: string): Promise<() => Loaded | Promise<Loaded>>;
  diff(before: string, after: string): Promise<Compared>;
}

export const CONTENDERS = {
  'crucible-memory': async () => (await import('./contenders/crucible-memory.js')).contender,
  'chrome-devtools-frontend': async () => (await import('./contenders/devtools-frontend.js')).contender,
  'heap-snapshot-toolkit': async () => (await import('./contenders/toolkit.js')).contender,
  memlab: async () => (await import('./contenders/memlab.js')).contender,
} satisfies Record<string, () => Promise<Contender>>;
export type ContenderName = keyof typeof CONTENDERS;

export interface Outcome {
  result: Loaded | Compared;
  /** From the start of the process to the answer: Node.js and the contender's code are loaded in it. */
  processMs: number;
  /** From the call to the answer. */
  callMs: number;
  /** User and system time of all threads, until the answer. */
  cpuMs: number;
  /** Until the answer. */
  peakResidentBytes: number;
}

/**
 * The most that this process ever had resident. Not ru_maxrss: that also counts
 * the program that was here before this one, a copy of the parent.
 */
function peakResidentBytes(): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  if (line === null) throw new Error('/proc/self/status does not tell the peak of this process');
  return Number(line[1]) * 1024;
}

if (process.argv[1] === import.meta.filename) {
  const [name = '', job = '', first = '', second = ''] = process.argv.slice(2);
  const load = CONTENDERS[name as ContenderName];
  if (load === undefined) throw new Error(`there is no contender ${name}`);
  const contender = await load();
  const start = performance.now();
  const answer = await (job === 'diff' ? contender.diff(first, second) : contender.load(first));
  const processMs = performance.now();
  const { user, system } = process.cpuUsage();
  const outcome: Outcome = {
    processMs,
    callMs: processMs - start,
    cpuMs: (user + system) / 1000,
    peakResidentBytes: peakResidentBytes(),
    result: typeof answer === 'function' ? await answer() : answer,
  };
  console.log(JSON.stringify(outcome));
}
