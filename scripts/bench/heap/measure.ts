import { spawn } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { median } from '../peer.js';
import type { ContenderName, Outcome } from './contender.js';

/** More than any contender needs for the largest file that it gets, so that none is slowed by its limit. */
const HEAP_LIMIT_MB = 16_384;

export type Measured = Outcome | { failure: string };

export interface Job {
  job: 'load' | 'diff';
  files: string[];
}

/** One measurement in a fresh process, given up after `timeoutSeconds`. */
export function measure(
  contender: ContenderName,
  { job, files }: Job,
  timeoutSeconds: number,
): Promise<Measured> {
  const child = spawn(
    process.execPath,
    [
      `--max-old-space-size=${HEAP_LIMIT_MB}`,
      join(import.meta.dirname, 'contender.js'),
      contender,
      job,
      ...files,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let isLate = false;
  const alarm = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, timeoutSeconds * 1000);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(alarm);
      if (isLate) resolve({ failure: `not ready after ${timeoutSeconds} s` });
      else if (code !== 0) resolve({ failure: `ended with ${signal ?? code}: ${lastLine(stderr)}` });
      else resolve(JSON.parse(lastLine(stdout)) as Outcome);
    });
  });
}

/** Every contender in every round, each round beginning with another one; no second try for one that failed. */
export async function inRounds<Name extends ContenderName>(
  contenders: Name[],
  rounds: number,
  measureOne: (contender: Name) => Promise<Measured>,
): Promise<Map<Name, Measured[]>> {
  const measured = new Map<Name, Measured[]>(contenders.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (let i = 0; i < contenders.length; i++) {
      const name = contenders[(i + round) % contenders.length] as Name;
      const before = measured.get(name) as Measured[];
      if (!before.some((one) => 'failure' in one)) before.push(await measureOne(name));
    }
  return measured;
}

/** Median of the rounds with the least and the most. */
export interface Spread {
  median: number;
  least: number;
  most: number;
}

export interface Row {
  contender: ContenderName;
  /** Why there are no figures. */
  failure?: string;
  /** From the start of the process to the answer. */
  seconds?: Spread;
  /** From the call to the answer. */
  callSeconds?: Spread;
  cpuSeconds?: Spread;
  peakBytes?: Spread;
  result?: Outcome['result'];
}

export function rowOf(contender: ContenderName, measured: Measured[]): Row {
  const failed = measured.find((one) => 'failure' in one);
  if (failed) return { contender, failure: failed.failure };
  const outcomes = measured as Outcome[];
  const spread = (pick: (outcome: Outcome) => number): Spread => {
    const numbers = outcomes.map(pick);
    return { median: median(numbers), least: Math.min(...numbers), most: Math.max(...numbers) };
  };
  return {
    contender,
    seconds: spread(({ processMs }) => processMs / 1000),
    callSeconds: spread(({ callMs }) => callMs / 1000),
    cpuSeconds: spread(({ cpuMs }) => cpuMs / 1000),
    peakBytes: spread(({ peakResidentBytes }) => peakResidentBytes),
    ...(outcomes[0] && { result: outcomes[0].result }),
  };
}

/** Reads a file once, so that everybody finds it in memory: what is measured is not the disk. */
export function warm(path: string): void {
  const file = openSync(path, 'r');
  const buffer = Buffer.allocUnsafe(1 << 22);
  while (readSync(file, buffer) > 0);
  closeSync(file);
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
