import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type ComparisonResult, ComparisonResultSchema } from '../../src/diagnosis/index.js';
import { folderWith } from '../fixtures/folder.js';

const MAIN = join(import.meta.dirname, '../../src/cli/main.js');
const PROGRAMS = join(import.meta.dirname, '../../../test/fixtures/programs');

async function compare(directory: string, ...args: string[]) {
  const child = spawn(process.execPath, [MAIN, 'compare', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: directory,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

const program = (name: string) => join(PROGRAMS, name);
const QUICK = [
  ...['--duration', '2.5', '--rate', '400', '--threshold', '1MiB'],
  ...['--set', 'testDurations.warmUpSeconds=0.3', '--set', 'leakDetection.samplingIntervalMs=60'],
  ...['--set', 'testDurations.drainSeconds=0.1', '--format', 'json', '--quiet'],
];
const parsed = (stdout: string): ComparisonResult => ComparisonResultSchema.parse(JSON.parse(stdout));

describe('crucible-memory compare', () => {
  test('finds the leak of the new build, without the one that both share', async (context) => {
    const folder = folderWith(context);
    const args = ['--baseline', program('build.mjs'), program('build-with-leak.mjs')];
    const { code, stdout, stderr } = await compare(
      folder,
      ...args,
      ...QUICK,
      '--rounds',
      '3',
      '--output',
      'kept',
    );
    assert.equal(code, 1, stderr + stdout);
    const result = parsed(stdout);
    assert.equal(result.verdict, 'leak', result.explanation);
    const each = result.bytesPerOperation ?? 0;
    assert.ok(Math.abs(each - 5 * 1024) <= 512, `${each} bytes per operation, not 5 KiB`);
    const [low, high] = result.bytesPerOperationInterval ?? [0, 0];
    assert.ok(low > 0 && low < each && each < high);
    assert.equal(result.rounds.length, 3);

    const again = await compare(folder, '--baseline', 'kept/base', 'kept/head', '--threshold', '1MiB');
    assert.equal(again.code, 1, again.stderr);
    assert.match(again.stdout, /✗ leak {2}HighFrequencyOperations/);
    assert.match(
      again.stdout,
      /3 rounds, in each so much more is kept per operation: [45]\.\d KiB, [45]\.\d KiB/,
    );
  });

  test('does not blame the new build for a leak that both share', async (context) => {
    const args = ['--baseline', program('build.mjs'), program('build.mjs')];
    const { code, stdout, stderr } = await compare(folderWith(context), ...args, ...QUICK, '--rounds', '2');
    assert.equal(code, 0, stderr + stdout);
    assert.notEqual(parsed(stdout).verdict, 'leak');
    assert.ok(Math.abs(parsed(stdout).bytesPerOperation ?? 0) < 512);
  });

  test('says what is wrong with what it is given', async (context) => {
    const folder = folderWith(context, { 'a.mjs': 'export function operation() {}' });
    for (const [args, code, words] of [
      [['a.mjs'], 2, /required option '--baseline <base>'/],
      [['--baseline', 'a.mjs', 'b.mjs'], 2, /there is no target module b\.mjs/],
      [['--baseline', 'a.mjs', 'a.mjs', 'a.mjs'], 2, /one module with one other/],
      [['--baseline', 'none.cmrec', 'none.cmrec'], 2, /cannot be read/],
      [['--baseline', 'a.mjs', 'a.mjs', '--rounds', '0'], 2, /--rounds 0 is not understood/],
      [
        ['--baseline', 'a.mjs', program('failing-setup.mjs'), '--duration', '1'],
        3,
        /could not be carried out/,
      ],
    ] as const) {
      const found = await compare(folder, ...args);
      assert.equal(found.code, code, found.stderr);
      assert.match(found.stderr, words);
      assert.equal(found.stdout, '');
    }
  });
});
