import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { readRecording } from '../../src/recording/index.js';
import { folderWith } from '../fixtures/folder.js';

const ROOT = resolve(import.meta.dirname, '../../..');
const PROGRAMS = join(ROOT, 'test/fixtures/programs');
const run = promisify(execFile);
const program = (name: string) => join(PROGRAMS, name);

describe('a program whose V8 figures are recorded', () => {
  test('and that is killed with its event loop blocked leaves all of them behind', async (t) => {
    const folder = folderWith(t);
    for (const round of [1, 2, 3]) {
      const path = join(folder, `${round}.recording`);
      const child = spawn(process.execPath, [program('heap-sampled.mjs'), path, 'block']);
      await once(child.stdout, 'data');
      while ((await readRecording(path)).count('heap_used_bytes') < 100 * round)
        await new Promise((r) => setTimeout(r, 20));
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      const recording = await readRecording(path);
      assert.deepEqual(recording.problems, [], 'no torn record');
      assert.ok(recording.count('heap_used_bytes') >= 100 * round);
      assert.ok(recording.count('gc_pause_ns') > 0);
    }
  });

  test('has them of the collections at least while it calls nothing but built-in functions', async (t) => {
    const path = join(folderWith(t), 'built-in.recording');
    const child = spawn(process.execPath, [program('heap-sampled.mjs'), path, 'block-in-built-ins']);
    await once(child.stdout, 'data');
    while ((await readRecording(path)).count('gc_pause_ns') < 20) await new Promise((r) => setTimeout(r, 50));
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    const recording = await readRecording(path);
    const ticksMs = recording.series('rss_bytes')?.timesMs ?? new Float64Array();
    /** Numbers of the ticks after which something of a channel was recorded. */
    const ticksOf = (channel: string) =>
      new Set(
        Array.from(recording.series(channel)?.timesMs ?? [], (at) => ticksMs.findLastIndex((ms) => ms <= at)),
      );
    const answered = ticksOf('heap_used_bytes');
    const collected = [...ticksOf('gc_pause_ns')];
    const both = collected.filter((tick) => answered.has(tick)).length;
    assert.ok(both >= 0.8 * collected.length, `${both} of ${collected.length} ticks with a collection`);
  });

  test('keeps its exit code when it calls process.exit in the middle of a sample', async (t) => {
    const path = join(folderWith(t), 'exiting.recording');
    for (let round = 0; round < 5; round++) {
      const child = spawn(process.execPath, [program('heap-sampled.mjs'), path, 'exit']);
      assert.deepEqual(await once(child, 'exit'), [7, null]);
      const recording = await readRecording(path);
      assert.ok(recording.count('heap_used_bytes') >= 50);
      assert.deepEqual(recording.problems, []);
    }
  });

  test('ends in order without stopping anything', async (t) => {
    const path = join(folderWith(t), 'abandoned.recording');
    const child = spawn(process.execPath, [program('heap-sampled.mjs'), path, 'abandon'], {
      stdio: 'inherit',
    });
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    assert.ok((await readRecording(path)).count('heap_used_bytes') >= 50);
  });

  test('may have thirty worker threads that come and go, each with its figures in the same recording', async (t) => {
    const path = join(folderWith(t), 'workers.recording');
    const { stdout } = await run(process.execPath, [program('heap-sampled-workers.mjs'), path]);
    assert.equal(stdout, 'all ended\n');
    const recording = await readRecording(path);
    assert.deepEqual(recording.problems, []);
    assert.equal(recording.isClosed, true);
    assert.equal(recording.events('worker').length, 30);
    for (let number = 0; number < 30; number++)
      assert.ok(recording.count(`worker${number}.heap_used_bytes`) >= 20, `worker ${number}`);
  });
});

describe('an addon that was built for another Node', () => {
  test('is not loaded, and the error says what is there and what builds the right one', async (t) => {
    const copy = join(folderWith(t), 'package');
    const built = join(copy, 'build/Release');
    mkdirSync(built, { recursive: true });
    cpSync(join(ROOT, 'dist/src'), join(copy, 'dist/src'), { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(copy, 'package.json'));
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    const load = `import('${join(copy, 'dist/src/native.js')}').then(({ loadIsolate }) => loadIsolate()).catch((error) => console.log(JSON.stringify(error)))`;
    const errorOf = async () => JSON.parse((await run(process.execPath, ['-e', load])).stdout);

    const missing = await errorOf();
    assert.equal(missing.code, 'ADDON_MISSING');
    assert.match(missing.why, /has not been built/);

    const abi = process.versions.modules;
    const own = readdirSync(join(ROOT, 'build/Release')).find((name) => name === `isolate.abi${abi}.node`);
    assert.ok(own && existsSync(join(ROOT, 'build/Release', own)));
    cpSync(join(ROOT, 'build/Release', own), join(built, 'isolate.abi1.node'));
    const foreign = await errorOf();
    assert.equal(foreign.code, 'ADDON_MISSING');
    assert.match(foreign.why, new RegExp(`there is isolate\\.abi1\\.node, and Node \\S+ has ABI ${abi}`));
    assert.match(foreign.fix, /scripts\/install\.mjs/);

    renameSync(join(built, 'isolate.abi1.node'), join(built, own));
    const { stdout } = await run(process.execPath, ['-e', load]);
    assert.equal(stdout, '');
  });
});
