import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LeakDetectionResult, MemoryTestResult, RunReport } from '../../../src/diagnosis/index.js';
import type { Leak } from './cases.js';
import { ROOT } from './install.js';

const run = promisify(execFile);
const BUFFER_BYTES = 512 * 2 ** 20;

/** What `crucible-memory run` says of a target. */
export async function judged(
  target: string,
  options: { operationsPerSecond: number; seconds: number },
): Promise<MemoryTestResult> {
  const argv = [
    join(ROOT, 'dist/src/cli/main.js'),
    'run',
    target,
    ...['--scenario', 'HighFrequencyOperations'],
    ...['--duration', `${options.seconds}s`, '--rate', String(options.operationsPerSecond)],
    ...['--format', 'json', '--quiet'],
    ...['--output', join(target, '../results')],
  ];
  const stdout = await run(process.execPath, argv, { maxBuffer: BUFFER_BYTES, cwd: join(target, '..') }).then(
    (done) => done.stdout,
    // Exit code 1 is a verdict.
    (error: Error & { code?: unknown; stdout?: string; stderr?: string }) => {
      if (error.code === 1 && error.stdout) return error.stdout;
      throw new Error(`${target}: ${error.stderr || error.message}`);
    },
  );
  const [result] = (JSON.parse(stdout) as RunReport).results;
  if (result === undefined) throw new Error(`${target}: no result`);
  return result;
}

/** Operations whose remains outweigh what comes and goes by itself; the bare loop sends them without pause. */
const BARE = { operations: 20_000, atMostSeconds: 20 };

/** Bytes that an operation leaves behind in a bare Node process. */
export async function bareBytesPerOperation(
  target: string,
  { isNative = false }: Leak,
  operationsPerSecond: number,
): Promise<number> {
  const operations = Math.min(BARE.operations, BARE.atMostSeconds * operationsPerSecond);
  const script = join(ROOT, 'scripts/truth/packages/bare.mjs');
  const argv = ['--no-warnings', '--expose-gc', script, target, String(operations)];
  const { stdout } = await run(process.execPath, argv, { cwd: join(target, '..') });
  const measured = JSON.parse(stdout) as { counted: number; resident: number };
  return isNative ? measured.resident : measured.counted;
}

/** The place of the first suspect that names the culprit, counted from 1; undefined: none of the first three does. */
export function culpritPlace({ suspects = [] }: LeakDetectionResult, { culprit }: Leak): number | undefined {
  const place = suspects.slice(0, 3).findIndex((suspect) => {
    const { statement, className, retainingPath, holder, allocationSite, counters } = suspect;
    const said = [statement, className, retainingPath, holder?.script, allocationSite?.script, ...counters];
    return said.some((text) => culprit.some((name) => name.test(text ?? '')));
  });
  return place < 0 ? undefined : place + 1;
}
