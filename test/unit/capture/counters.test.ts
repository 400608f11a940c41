import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { type Capture, type CaptureOptions, startCapture } from '../../../src/capture/index.js';
import { loadCore } from '../../../src/native.js';
import { type Recording, readRecording } from '../../../src/recording/index.js';
import { Arc, counter, Mutex, trackResource } from '../../../src/refcount/index.js';
import { folderWith } from '../../fixtures/folder.js';

async function captured(
  t: TestContext,
  work: (capture: Capture) => void | Promise<void>,
  options: Partial<CaptureOptions> = {},
): Promise<Recording> {
  const path = join(folderWith(t), 'own.recording');
  const capture = startCapture({ path, rateHz: 1000, detailIntervalMs: 0, header: {}, ...options });
  try {
    await work(capture);
  } finally {
    capture.stop();
  }
  return readRecording(path);
}

/** Blocks the event loop until the sampler has taken so many more samples. */
function blockFor(samples: number, capture: Capture, turn: () => void = () => undefined): void {
  const wanted = capture.statistics().samples + samples;
  while (capture.statistics().samples < wanted) turn();
}

const valuesOf = (recording: Recording, name: string) => Array.from(recording.series(name)?.values ?? []);

test('counts are recorded while JavaScript blocks the event loop, exactly', async (t) => {
  const arc = Arc.of({}, { name: 'recorded.arc' });
  const additions = counter('recorded.additions');
  let turns = 0;
  const recording = await captured(t, (capture) => {
    const clones: Arc<unknown>[] = [];
    blockFor(300, capture, () => {
      additions.add(1);
      turns++;
      if (clones.length < 1000) clones.push(arc.clone());
      else for (const clone of clones.splice(0)) clone.drop();
    });
    for (const clone of clones) clone.drop();
  });
  arc.drop();
  const added = valuesOf(recording, 'counter.recorded.additions');
  assert.ok(added.length > 100, `${added.length} samples`);
  assert.ok(added.every((value, i) => i === 0 || value >= (added[i - 1] as number)));
  assert.equal(added.at(-1), turns);
  const strong = valuesOf(recording, 'arc.recorded.arc.strong_count');
  assert.ok(strong.every((value) => value >= 1 && value <= 1001));
  assert.ok(new Set(strong).size > 20, 'it was seen on its way up and down');
  assert.equal(strong.at(-1), 1);
  assert.deepEqual(recording.problems, []);
});

test('a counter that comes later gets its channels when it comes', async (t) => {
  let cameAtMs = 0;
  const recording = await captured(t, (capture) => {
    blockFor(20, capture);
    capture.event('now');
    counter('later.größe "x" bytes').add(7);
    trackResource('later.handle', process);
    blockFor(20, capture);
  });
  cameAtMs = recording.events('now')[0]?.elapsedMs ?? Number.NaN;
  const series = recording.series('counter.later.größe "x" bytes');
  assert.ok(series?.timesMs[0] !== undefined && series.timesMs[0] >= cameAtMs);
  assert.deepEqual(Array.from(series.values), [7, 7], 'when it came, and at the end');
  const channel = recording.channels.find(({ name }) => name.startsWith('counter.later'));
  assert.deepEqual([channel?.unit, channel?.kind], ['bytes', 'integer']);
  assert.deepEqual(valuesOf(recording, 'resource.later.handle.open_count'), [1, 1]);
});

test('each kind has channels of its own, which describe themselves', async (t) => {
  const mutex = new Mutex(0, { name: 'kinds.lock' });
  const arc = Arc.of({}, { name: 'kinds.arc' });
  const recording = await captured(t, async (capture) => {
    const guard = await mutex.lock();
    const waiting = mutex.lock();
    blockFor(10, capture);
    guard.release();
    (await waiting).release();
    blockFor(10, capture);
  });
  arc.drop();
  const names = recording.channels.map(({ name }) => name).filter((name) => name.includes('kinds.'));
  assert.deepEqual(names.sort(), [
    'arc.kinds.arc.created_count',
    'arc.kinds.arc.leaked_count',
    'arc.kinds.arc.strong_count',
    'arc.kinds.arc.values_count',
    'arc.kinds.arc.weak_count',
    'mutex.kinds.lock.acquired_count',
    'mutex.kinds.lock.holders_count',
    'mutex.kinds.lock.leaked_count',
    'mutex.kinds.lock.longest_hold_ns',
    'mutex.kinds.lock.timed_out_count',
    'mutex.kinds.lock.waiters_count',
  ]);
  for (const { name, description } of recording.channels) assert.ok(description.length > 5, name);
  assert.ok(valuesOf(recording, 'mutex.kinds.lock.waiters_count').includes(1));
  assert.equal(valuesOf(recording, 'mutex.kinds.lock.acquired_count').at(-1), 2);
  assert.ok((valuesOf(recording, 'mutex.kinds.lock.longest_hold_ns').at(-1) ?? 0) > 1000);
});

test('what does not change is not written again, and a plateau has both its ends', async (t) => {
  const plateau = counter('plateau.value');
  plateau.add(1);
  const recording = await captured(t, (capture) => {
    blockFor(50, capture);
    plateau.add(1);
    blockFor(50, capture);
  });
  const series = recording.series('counter.plateau.value');
  assert.ok(series);
  assert.deepEqual(Array.from(series.values), [1, 1, 2, 2]);
  const [start = 0, end = 0, next = 0] = series.timesMs;
  assert.ok(end - start > next - end, 'the old value was written when it was last seen');
});

test('counters can be read more rarely than RSS', async (t) => {
  const often = counter('rare.turns');
  const recording = await captured(t, (capture) => blockFor(200, capture, () => often.add(1)), {
    counterIntervalMs: 50,
  });
  const { timesMs } = recording.series('counter.rare.turns') ?? { timesMs: new Float64Array() };
  assert.ok(timesMs.length >= 3 && timesMs.length < recording.count('rss_bytes') / 10);
});

test('worker threads count into the recording of the main thread', async (t) => {
  const refcount = new URL('../../../src/refcount/index.js', import.meta.url).href;
  counter('threads.total').add(1);
  const recording = await captured(t, async () => {
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads');
       import(${JSON.stringify(refcount)}).then((rc) => { rc.counter('threads.total').add(41); parentPort.postMessage(0); });`,
      { eval: true },
    );
    await once(worker, 'message');
    await worker.terminate();
  });
  assert.equal(valuesOf(recording, 'counter.threads.total').at(-1), 42);
});

test('a channel that is there already is not disturbed by a counter of the same name', async (t) => {
  const recording = await captured(t, (capture) => {
    const group = capture.group('own', [
      { name: 'counter.taken', unit: 'count', kind: 'integer', description: "the program's own" },
    ]);
    counter('taken').add(1);
    counter('not-taken').add(2);
    group.append([77]);
    blockFor(10, capture);
  });
  assert.deepEqual(valuesOf(recording, 'counter.taken'), [77]);
  assert.equal(valuesOf(recording, 'counter.not-taken').at(-1), 2);
  assert.deepEqual(recording.problems, []);
});

test('memory that is not that of counters is refused', (t) => {
  const core = loadCore();
  const path = join(folderWith(t), 'own.recording');
  const recording = core.createRecording({ path, header: '{}' });
  t.after(() => recording.close());
  const start = (counters: Uint8Array) =>
    core.startSampler({ recording, rateHz: 10, detailIntervalMs: 0, counters, counterIntervalMs: 0 });
  for (const bytes of [0, 64, 1_000_000])
    assert.throws(() => start(new Uint8Array(bytes)), { code: 'USAGE', fix: /registryMemory/ });
  assert.throws(() => start(new Float64Array(8) as never), { code: 'USAGE' });
});
