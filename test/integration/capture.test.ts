import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { loadCore, type ProcessMemory } from '../../src/native.js';
import { readRecording } from '../../src/recording/index.js';
import { MIB } from '../../src/units.js';
import { folderWith } from '../fixtures/folder.js';

const PROGRAMS = resolve(import.meta.dirname, '../../../test/fixtures/programs');
const JEMALLOC = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib']
  .map((folder) => join(folder, 'libjemalloc.so.2'))
  .find(existsSync);

const run = promisify(execFile);
const program = (name: string) => join(PROGRAMS, name);
const onLinux = process.platform === 'linux' ? {} : { skip: 'Linux only' };

/** Mounting needs a mount namespace of its own, which takes root. */
const mountNamespace =
  spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0
    ? {}
    : { skip: 'no mount namespace can be made here (needs root)' };

/** Runs shell commands in a mount namespace of their own; what they print last is JSON. */
async function inMountNamespace(commands: string): Promise<unknown> {
  const { stdout } = await run('unshare', ['-m', 'sh', '-ec', commands]);
  return JSON.parse(stdout);
}

interface Figures {
  memory: Partial<ProcessMemory> & { code?: string; why?: string; fix?: string };
  allocator: { inUseBytes: number; heldBytes: number } | null;
  rss: number | null | { code: string; why: string; fix: string };
}

describe('a process that is killed', onLinux, () => {
  test('leaves a readable recording behind up to its last moment, its event loop blocked for good', async (t) => {
    const folder = folderWith(t);
    for (const round of [1, 2, 3, 4, 5]) {
      const path = join(folder, `${round}.recording`);
      const child = spawn(process.execPath, [program('sampled-and-blocked.mjs'), path], { stdio: 'pipe' });
      await once(child.stdout, 'data');
      const samplesBefore = (await readRecording(path)).count('rss_bytes');
      await untilSampled(path, samplesBefore + 100 * round);
      await killed(child);

      const recording = await readRecording(path);
      assert.deepEqual(recording.problems, [], 'no torn record');
      assert.equal(recording.isClosed, false);
      const rss = recording.series('rss_bytes');
      const turns = recording.series('turns');
      assert.ok(rss && turns);
      assert.ok(rss.values.length >= samplesBefore + 100 * round);
      assert.ok((rss.values.at(-1) ?? 0) > 64 * MIB);
      assert.ok(
        turns.values.every((value, i) => value === i),
        'no turn is missing',
      );
      const seen = recording.series('samples_seen')?.values.at(-1) ?? Number.NaN;
      assert.ok(
        rss.values.length >= seen,
        `${rss.values.length} samples, ${seen} were written before it died`,
      );
      assert.deepEqual(
        recording.phases().map(({ phase, complete }) => ({ phase, complete })),
        [{ phase: 'load', complete: false }],
      );
    }
  });

  test('process.exit in the middle of a sample keeps its exit code and its samples', async (t) => {
    const path = join(folderWith(t), 'exiting.recording');
    for (let round = 0; round < 5; round++) {
      const child = spawn(process.execPath, [program('sampled-and-exiting.mjs'), path]);
      assert.deepEqual(await once(child, 'exit'), [7, null]);
      const recording = await readRecording(path);
      assert.ok(recording.count('rss_bytes') >= 50);
      assert.deepEqual(recording.problems, []);
    }
  });
});

describe('worker threads', () => {
  test('record themselves, end in any manner, and leave readable recordings behind', async (t) => {
    const folder = folderWith(t);
    const { stdout } = await run(process.execPath, [program('sampled-workers.mjs'), folder]);
    assert.equal(stdout, 'all ended\n');
    const names = readdirSync(folder);
    assert.equal(names.length, 16);
    for (const name of names) {
      const recording = await readRecording(join(folder, name));
      assert.ok(recording.count('rss_bytes') >= 20, name);
      assert.deepEqual(recording.problems, []);
      const wasStopped = Number.parseInt(name, 10) % 3 === 2;
      if (wasStopped) assert.equal(recording.events('sampler').length, 1);
    }
  });
});

describe('a full disk', mountNamespace, () => {
  test('costs the samples it has no room for, and they are counted; recording goes on when there is room', async () => {
    const result = (await inMountNamespace(`
      mount -t tmpfs -o size=4m none /mnt
      head -c 1500000 /dev/zero > /mnt/ballast
      '${process.execPath}' '${program('sampled-on-a-full-disk.mjs')}' /mnt /mnt/ballast
    `)) as {
      full: { samplesDropped: number; failure: string; bytesWritten: number };
      problems: string[];
      isClosed: boolean;
      events: string[];
      samples: number;
    };
    assert.equal(result.full.failure, 'No space left on device');
    assert.ok(result.full.samplesDropped >= 1);
    assert.ok(result.full.bytesWritten <= 4 * MIB);
    assert.deepEqual(result.events.slice(-2), ['afterwards', 'sampler']);
    assert.ok(result.samples > 0);
    assert.equal(result.isClosed, true);
    const dropped = result.problems.find((sentence) => sentence.endsWith('No space left on device'));
    assert.match(dropped ?? '', /^\d+ records were not written: /);
  });

  test('that has no room for the first block is said at once', async () => {
    const result = await inMountNamespace(`
      mount -t tmpfs -o size=64k none /mnt
      '${process.execPath}' --input-type=module -e "
        import { startCapture } from '${join(PROGRAMS, '../../../dist/src/capture/index.js')}';
        try {
          startCapture({ path: '/mnt/own.recording', rateHz: 10, detailIntervalMs: 0, header: {} });
        } catch ({ code, why }) {
          console.log(JSON.stringify({ code, why }));
        }"
    `);
    assert.deepEqual(result, { code: 'RECORDING_UNWRITABLE', why: 'No space left on device' });
  });
});

describe('/proc that may not be read', mountNamespace, () => {
  test('when it is not mounted, every figure of the memory map is an error that names the remedy', async () => {
    const { memory, allocator } = (await inMountNamespace(`
      mount -t tmpfs none /proc
      '${process.execPath}' '${program('memory-figures.mjs')}'
    `)) as Figures;
    assert.equal(memory.code, 'PROC_UNREADABLE');
    assert.match(memory.why ?? '', /\/proc is not mounted here, or a sandbox hides it/);
    assert.match(memory.fix ?? '', /mount -t proc proc \/proc/);
    assert.ok(allocator && allocator.inUseBytes > 0, 'the allocator needs no /proc');
  });

  // Another user, who may still read this repository wherever it lies.
  test('with hidepid, the memory of others is an error and not a dead process; our own is known', async () => {
    const { memory, rss } = (await inMountNamespace(`
      mount -t proc -o hidepid=2 proc /proc
      setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=+dac_read_search \
        --ambient-caps=+dac_read_search '${process.execPath}' '${program('memory-figures.mjs')}' 1
    `)) as Figures;
    assert.ok(memory.rssBytes && memory.stackBytes);
    assert.ok(rss !== null && typeof rss === 'object');
    assert.equal(rss.code, 'PROC_UNREADABLE');
    assert.match(rss.why, /hidepid/);
    assert.match(rss.fix, /remount/);
  });
});

describe('figures of other processes and limits of this one', onLinux, () => {
  test("a child's RSS is what it says itself; a process that has ended has none", async () => {
    const child = spawn(process.execPath, [
      '-e',
      'console.log(process.memoryUsage.rss()); process.stdin.resume()',
    ]);
    const [said] = await once(child.stdout, 'data');
    const rssBytes = loadCore().readRss(child.pid as number);
    assert.ok(rssBytes !== null && Math.abs(rssBytes - Number(said)) < 16 * MIB, `${rssBytes} ${said}`);
    await killed(child);
    assert.equal(loadCore().readRss(child.pid as number), null);
    for (const pid of [0, -1, 1.5, Number.NaN])
      assert.throws(() => loadCore().readRss(pid), { code: 'USAGE' });
  });

  test('a limit on growth makes larger allocations fail until it is lifted', async () => {
    const { stdout } = await run(process.execPath, [program('limited-memory.mjs')]);
    const result = JSON.parse(stdout);
    assert.ok(result.limitBytes > 128 * MIB);
    assert.match(result.limited, /allocation failed|Failed to allocate/i);
    assert.equal(result.unlimited, 256 * MIB);
  });
});

describe('another allocator', JEMALLOC ? {} : { skip: 'libjemalloc.so.2 is not installed' }, () => {
  test("jemalloc's own figures are read, and agree with what is held", async () => {
    const env = { ...process.env, LD_PRELOAD: JEMALLOC };
    const { stdout } = await run(process.execPath, [program('memory-figures.mjs')], { env });
    const { allocator, memory } = JSON.parse(stdout) as Figures;
    assert.ok(allocator && allocator.inUseBytes > MIB && allocator.inUseBytes <= allocator.heldBytes);
    assert.ok(allocator.heldBytes < (memory.rssBytes ?? 0));
  });
});

async function killed(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

async function untilSampled(path: string, count: number): Promise<void> {
  while ((await readRecording(path)).count('rss_bytes') < count) await new Promise((r) => setTimeout(r, 20));
}
