import assert from 'node:assert/strict';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { type CaptureOptions, startCapture } from '../../../src/capture/index.js';
import { loadCore } from '../../../src/native.js';
import { type Recording, readRecording } from '../../../src/recording/index.js';
import { MIB } from '../../../src/units.js';
import { folderWith } from '../../fixtures/folder.js';

const onLinux = process.platform === 'linux' ? {} : { skip: 'these figures are only known on Linux' };

async function captured(
  t: TestContext,
  work: (capture: ReturnType<typeof startCapture>) => void | Promise<void>,
  options: Partial<CaptureOptions> = {},
): Promise<Recording> {
  const path = join(folderWith(t), 'own.recording');
  const capture = startCapture({ path, rateHz: 1000, detailIntervalMs: 5, header: {}, ...options });
  try {
    await work(capture);
  } finally {
    capture.stop();
  }
  return readRecording(path);
}

/** Waits until the sampler has taken so many more samples, whatever the machine's load. */
async function untilSampled(capture: ReturnType<typeof startCapture>, more: number): Promise<void> {
  const wanted = capture.statistics().samples + more;
  while (capture.statistics().samples < wanted) await new Promise((resolve) => setTimeout(resolve, 1));
}

const last = (recording: Recording, name: string) => recording.series(name)?.values.at(-1) ?? Number.NaN;
const first = (recording: Recording, name: string) => recording.series(name)?.values[0] ?? Number.NaN;

describe('a capture', () => {
  test('samples while JavaScript blocks the event loop', async (t) => {
    const recording = await captured(t, (capture) => {
      capture.beginPhase('load');
      const wanted = capture.statistics().samples + 200;
      while (capture.statistics().samples < wanted);
      capture.endPhase('load');
    });
    const load = recording.phases()[0];
    const rss = recording.series('rss_bytes');
    assert.ok(load?.complete && rss);
    assert.ok(recording.window(rss, load.startMs, load.endMs).values.length >= 199);
    assert.deepEqual(recording.problems, []);
  });

  test('sees 64 MiB come into memory', async (t) => {
    const kept: Buffer[] = [];
    const recording = await captured(t, async (capture) => {
      await untilSampled(capture, 5);
      kept.push(Buffer.alloc(64 * MIB, 1));
      await untilSampled(capture, 20);
    });
    const risen = last(recording, 'rss_bytes') - first(recording, 'rss_bytes');
    assert.ok(risen > 60 * MIB && risen < 80 * MIB, `${risen}`);
    assert.equal(kept.length, 1);
  });

  test('marks phases and events, and appends groups of the application, absent values included', async (t) => {
    const recording = await captured(t, (capture) => {
      const group = capture.group('service', [
        { name: 'cache_bytes', unit: 'bytes', kind: 'integer', description: 'cache' },
        { name: 'hit_ratio', unit: 'ratio', kind: 'real', description: 'hits' },
      ]);
      capture.beginPhase('setup');
      group.append([10, undefined]);
      group.append([undefined, 0.5], process.hrtime.bigint());
      capture.endPhase('setup');
      capture.event('note', { text: 'grüße' });
      capture.event('bare');
    });
    assert.deepEqual(Array.from(recording.series('cache_bytes')?.values ?? []), [10]);
    assert.deepEqual(Array.from(recording.series('hit_ratio')?.values ?? []), [0.5]);
    assert.deepEqual(
      recording.phases().map(({ phase, complete }) => ({ phase, complete })),
      [{ phase: 'setup', complete: true }],
    );
    assert.deepEqual(recording.events('note')[0]?.detail, { text: 'grüße' });
    assert.equal(recording.events('bare')[0]?.detail, undefined);
  });

  test('notes at its end what the sampling cost, and can be stopped twice', async (t) => {
    const path = join(folderWith(t), 'own.recording');
    const capture = startCapture({ path, rateHz: 1000, detailIntervalMs: 0, header: { who: 'test' } });
    await untilSampled(capture, 10);
    const statistics = capture.stop();
    assert.deepEqual(capture.stop(), statistics);
    const recording = await readRecording(path);
    assert.deepEqual(recording.events('sampler')[0]?.detail, statistics);
    assert.equal(recording.count('rss_bytes'), statistics.samples);
    assert.ok(statistics.cpuNs > 0 && statistics.elapsedNs > statistics.cpuNs);
    assert.equal(recording.isClosed, true);
    assert.deepEqual(recording.header.details, { who: 'test' });
    assert.equal(recording.header.pid, process.pid);
    assert.throws(() => capture.event('late'), { code: 'USAGE' });
  });

  test('with a detail interval of 0 records no details', async (t) => {
    const recording = await captured(t, (capture) => untilSampled(capture, 5), { detailIntervalMs: 0 });
    assert.deepEqual(
      recording.channels.map((channel) => channel.name),
      ['rss_bytes'],
    );
  });

  test('keeps what it records to the owner of the process', async (t) => {
    const recording = await captured(t, () => {});
    assert.equal(statSync(recording.path).mode & 0o777, 0o600);
  });

  test('replaces a recording of the same name and nothing that is not a file', (t) => {
    const folder = folderWith(t);
    const options = { rateHz: 10, detailIntervalMs: 0, header: {} };
    const path = join(folder, 'again.recording');
    writeFileSync(path, 'something older', { mode: 0o644 });
    startCapture({ ...options, path }).stop();
    assert.equal(statSync(path).mode & 0o777, 0o600);
    mkdirSync(join(folder, 'taken'));
    assert.throws(() => startCapture({ ...options, path: join(folder, 'taken') }), {
      code: 'RECORDING_UNWRITABLE',
      why: 'Is a directory',
    });
    assert.throws(() => startCapture({ ...options, path: '/dev/null' }), { code: 'RECORDING_UNWRITABLE' });
    assert.ok(statSync('/dev/null').isCharacterDevice());
  });

  test('says when the folder of its recording does not exist, and what to do', (t) => {
    const path = join(folderWith(t), 'missing', 'own.recording');
    assert.throws(() => startCapture({ path, rateHz: 10, detailIntervalMs: 0, header: {} }), {
      name: 'CrucibleMemoryError',
      code: 'RECORDING_UNWRITABLE',
      what: `the recording ${path} cannot be created`,
      why: 'No such file or directory',
      fix: 'create the folder first, or choose another path',
    });
  });

  test('refuses a rate that no system gives, and leaves no file behind', (t) => {
    const path = join(folderWith(t), 'own.recording');
    for (const rateHz of [0, -1, 10_001, Number.NaN])
      assert.throws(() => startCapture({ path, rateHz, detailIntervalMs: 0, header: {} }), { code: 'USAGE' });
    assert.throws(() => statSync(path), { code: 'ENOENT' });
  });
});

describe('figures of the memory map and the allocator', onLinux, () => {
  test('agree with what the kernel and Node say', () => {
    const memory = loadCore().readMemory();
    const rssBytes = process.memoryUsage.rss();
    assert.ok(Math.abs(memory.rssBytes - rssBytes) < 8 * MIB, `${memory.rssBytes} ${rssBytes}`);
    const sum = (memory.anonymousBytes ?? 0) + (memory.fileBytes ?? 0);
    assert.ok(Math.abs(sum - memory.rssBytes) < 8 * MIB, `${sum} ${memory.rssBytes}`);
    assert.ok(memory.pssBytes && memory.pssBytes > 0 && memory.pssBytes <= memory.rssBytes + 8 * MIB);
    assert.ok(memory.threadCount && memory.threadCount > 1);
  });

  test('stack bytes rise by what a deep recursion touches', () => {
    const before = loadCore().readMemory().stackBytes ?? Number.NaN;
    const deep = recurse(6000);
    const after = loadCore().readMemory().stackBytes ?? Number.NaN;
    assert.ok(after - before > 200 * 1024 && after - before < 4 * MIB, `${before} -> ${after} after ${deep}`);
  });

  test('stack bytes hold the stacks of worker threads, busy ones too', async () => {
    const before = loadCore().readMemory().stackBytes ?? Number.NaN;
    // The worker touches most of its stack, then runs without ever waiting.
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads');
       const dive = (depth) => (depth === 0 ? 0 : 1 + dive(depth - 1));
       dive(25_000);
       parentPort.postMessage('deep');
       for (;;);`,
      { eval: true, resourceLimits: { stackSizeMb: 3.5 } },
    );
    await new Promise((resolve) => worker.once('message', resolve));
    const after = loadCore().readMemory().stackBytes ?? Number.NaN;
    await worker.terminate();
    assert.ok(after - before > MIB && after - before < 8 * MIB, `${before} -> ${after}`);
    const ended = loadCore().readMemory().stackBytes ?? Number.NaN;
    assert.ok(ended < after - MIB, `${after} -> ${ended} after the thread has ended`);
  });

  test('what malloc has handed out follows a buffer', () => {
    const before = loadCore().readAllocator();
    assert.ok(before, 'glibc tells');
    const kept = Buffer.alloc(32 * MIB, 1);
    const after = loadCore().readAllocator();
    assert.ok(after);
    const risen = after.inUseBytes - before.inUseBytes;
    // V8's own threads free some kilobytes of theirs in the meantime.
    assert.ok(risen > 31 * MIB && risen < 40 * MIB, `${risen}`);
    assert.ok(after.heldBytes >= after.inUseBytes);
    assert.equal(kept.length, 32 * MIB);
  });

  test('are recorded, all of them', async (t) => {
    const path = join(folderWith(t), 'own.recording');
    const capture = startCapture({ path, rateHz: 100, detailIntervalMs: 5, header: {} });
    while ((await readRecording(path)).count('stack_bytes') < 3)
      await new Promise((resolve) => setTimeout(resolve, 10));
    capture.stop();
    const recording = await readRecording(path);
    for (const { name } of recording.channels) assert.ok(recording.count(name) >= 1, name);
    assert.ok(last(recording, 'thread_count') > 1);
  });
});

function recurse(depth: number): number {
  return depth === 0 ? 0 : 1 + recurse(depth - 1);
}
