import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import v8 from 'node:v8';
import vm from 'node:vm';
import {
  type HeapSamplerStatistics,
  loadCore,
  loadIsolate,
  type NativeHeapSampler,
  type NativeSampler,
} from '../../../src/native.js';
import { type Recording, readRecording } from '../../../src/recording/index.js';
import { MIB } from '../../../src/units.js';
import { folderWith } from '../../fixtures/folder.js';

v8.setFlagsFromString('--expose-gc');
const gc: (options?: object) => void = vm.runInNewContext('gc');

interface Sampled {
  recording: Recording;
  statistics: HeapSamplerStatistics;
}

/** Records this thread while `work` runs. */
async function sampled(
  t: TestContext,
  work: (heap: NativeHeapSampler, sampler: NativeSampler) => void | Promise<void>,
  options: { rateHz?: number; ticksPerSample?: number } = {},
): Promise<Sampled> {
  const path = join(folderWith(t), 'own.recording');
  const recording = loadCore().createRecording({ path, header: '{}' });
  const { rateHz = 1000, ticksPerSample = 1 } = options;
  const sampler = loadCore().startSampler({ recording, rateHz, detailIntervalMs: 0 });
  const heap = loadIsolate().startHeapSampler({
    link: sampler.link(),
    prefix: '',
    ticksPerSample,
    spacesIntervalMs: 10,
  });
  let statistics: HeapSamplerStatistics;
  try {
    await work(heap, sampler);
  } finally {
    statistics = heap.stop();
    sampler.stop();
    recording.close();
  }
  return { recording: await readRecording(path), statistics };
}

const valuesOf = (recording: Recording, name: string) => Array.from(recording.series(name)?.values ?? []);

describe("V8's figures", () => {
  test('come while plain JavaScript blocks the event loop, and agree with what V8 tells JavaScript', async (t) => {
    const { recording, statistics } = await sampled(t, (heap) => {
      while (heap.statistics().answers < 300);
    });
    assert.equal(recording.count('heap_used_bytes'), statistics.answers);
    assert.deepEqual(recording.problems, []);
    const told = v8.getHeapStatistics();
    const last = valuesOf(recording, 'heap_used_bytes').at(-1) ?? Number.NaN;
    assert.ok(Math.abs(last - told.used_heap_size) < 16 * MIB, `${last} ${told.used_heap_size}`);
    for (const delayNs of valuesOf(recording, 'v8_delay_ns')) assert.ok(delayNs >= 0);
  });

  test('follow what a blocked program allocates', async (t) => {
    const kept: object[] = [];
    const { recording } = await sampled(t, (heap) => {
      while (heap.statistics().answers < 20);
      while (kept.length < 400_000) kept.push({ n: kept.length });
      const wanted = heap.statistics().answers + 20;
      while (heap.statistics().answers < wanted);
    });
    const used = valuesOf(recording, 'heap_used_bytes');
    const risen = (used.at(-1) ?? Number.NaN) - (used[0] ?? Number.NaN);
    assert.ok(risen > 8 * MIB, `${risen} for ${kept.length} objects`);
  });

  test('hold the heap spaces under their own names, and they add up to the heap', async (t) => {
    const { recording } = await sampled(t, (heap) => {
      while (heap.statistics().answers < 100);
    });
    const names = v8.getHeapSpaceStatistics().map(({ space_name }) => `${space_name}_used_bytes`);
    const spaces = names.map((name) => recording.series(name));
    const heap = recording.series('heap_used_bytes');
    for (const [i, space] of spaces.entries()) assert.ok(space && space.values.length >= 1, names[i]);
    // In the same answer of V8: a collection between two answers changes the heap by any amount.
    for (const [i, timeMs] of spaces[0]?.timesMs.entries() ?? []) {
      const sum = spaces.reduce((all, space) => all + (space?.values[i] ?? Number.NaN), 0);
      const total = heap?.values[heap.timesMs.indexOf(timeMs)] ?? Number.NaN;
      assert.ok(Math.abs(sum - total) < 4 * MIB, `${sum} ${total}`);
    }
    assert.ok((spaces[0]?.values.length ?? 0) < (heap?.values.length ?? 0), 'more rarely than the heap');
    assert.ok((valuesOf(recording, 'native_context_count')[0] ?? 0) >= 1);
  });

  test('can be asked for at every tenth tick only', async (t) => {
    const { recording, statistics } = await sampled(
      t,
      (heap) => {
        while (heap.statistics().ticks < 20);
      },
      { ticksPerSample: 10 },
    );
    assert.ok(recording.count('rss_bytes') >= 10 * (statistics.ticks - 1));
  });

  test('are marked as silent while V8 parses JSON, and again as answering', async (t) => {
    const text = JSON.stringify(Array.from({ length: 400_000 }, (_, i) => ({ i })));
    const { recording, statistics } = await sampled(t, (heap) => {
      while (heap.statistics().busyTicks < 50) JSON.parse(text);
      const wanted = heap.statistics().answers + 50;
      while (heap.statistics().answers < wanted);
    });
    const silence = valuesOf(recording, 'v8_silence');
    assert.ok(silence.includes(1) && silence.includes(0), `${silence}`);
    assert.ok(Math.max(...valuesOf(recording, 'v8_delay_ns')) > 1e6, 'the late answer says how late it is');
    assert.ok(statistics.answers < statistics.ticks, 'nothing was made up');
  });

  test('are marked as idle while the event loop waits, and nothing is repeated', async (t) => {
    const { recording, statistics } = await sampled(t, async (heap) => {
      while (heap.statistics().idleTicks < 100) await new Promise((resolve) => setTimeout(resolve, 200));
    });
    assert.ok(valuesOf(recording, 'v8_silence').includes(2));
    assert.ok(statistics.answers <= statistics.ticks - 100);
    assert.equal(recording.count('heap_used_bytes'), statistics.answers);
  });
});

describe('garbage collections', () => {
  test('are recorded with type, pause, and heap before and after; what V8 does in steps is not', async (t) => {
    const { recording, statistics } = await sampled(t, () => {
      for (let i = 0; i < 3; i++) gc();
      gc({ type: 'minor' });
    });
    const types = valuesOf(recording, 'gc_type');
    assert.equal(types.length, statistics.collections);
    assert.ok(types.filter((type) => type === 4).length >= 3, `${types}`);
    assert.ok(types.includes(1), `${types}`);
    assert.ok(types.every((type) => [1, 2, 4].includes(type)));
    assert.ok(valuesOf(recording, 'gc_forced').includes(1));
    assert.ok(valuesOf(recording, 'gc_pause_ns').every((pauseNs) => pauseNs > 0));
    assert.ok(valuesOf(recording, 'gc_rss_bytes').every((bytes) => bytes > 16 * MIB));
    assert.ok(valuesOf(recording, 'gc_used_after_bytes').every((bytes) => bytes > MIB));
  });

  test('that are full give the live floor: a staircase for what is kept, nothing for what is not', async (t) => {
    const kept: object[][] = [];
    const step = () => Array.from({ length: 100_000 }, (_, n) => ({ n }));
    const { recording } = await sampled(t, () => {
      for (let i = 0; i < 5; i++) {
        step();
        gc();
        gc();
      }
      for (let i = 0; i < 5; i++) {
        kept.push(step());
        gc();
        gc();
      }
    });
    // The second of each pair: what the first one's finalizers let go of is gone then.
    const forced = recording.groups.find(({ name }) => name === 'collections');
    assert.ok(forced);
    const live = valuesOf(recording, 'live_heap_bytes').slice(-20);
    const floor = live.filter((_, i) => i % 2 === 1);
    const steps = floor.slice(1).map((bytes, i) => bytes - (floor[i] ?? 0));
    const sizeOfStep = (floor[9] ?? 0) - (floor[4] ?? 0);
    assert.ok(sizeOfStep > 5 * 2 * MIB, `${floor}`);
    for (const bytes of steps.slice(0, 4)) assert.ok(Math.abs(bytes) < MIB, `${steps}`);
    for (const bytes of steps.slice(4)) assert.ok(bytes > MIB, `${steps}`);
    assert.equal(kept.length, 5);
  });
});

describe('slots of shared memory', () => {
  test('are recorded when they change, while JavaScript blocks', async (t) => {
    const slots = new Int32Array(new SharedArrayBuffer(64));
    const { recording } = await sampled(t, (_heap, sampler) => {
      const channel = (name: string) =>
        ({ name, unit: 'count', kind: 'integer', description: 'a counter' }) as const;
      sampler.watchSlots({
        group: 'counters',
        channels: [channel('sessions'), channel('sockets')],
        slots,
        firstSlot: 3,
      });
      for (let i = 1; i <= 5; i++) {
        Atomics.add(slots, 3, 1);
        Atomics.sub(slots, 4, 2);
        const wanted = sampler.statistics().samples + 5;
        while (sampler.statistics().samples < wanted);
      }
    });
    assert.deepEqual(valuesOf(recording, 'sessions').at(-1), 5);
    assert.deepEqual(valuesOf(recording, 'sockets').at(-1), -10);
    assert.ok(recording.count('sessions') <= 12, 'what did not change is not repeated');
  });

  test('outside of the array are refused', async (t) => {
    await sampled(t, (_heap, sampler) => {
      const channels = [{ name: 'n', unit: 'count', kind: 'integer', description: '' } as const];
      for (const firstSlot of [-1, 0.5, 4])
        assert.throws(
          () =>
            sampler.watchSlots({
              group: 'counters',
              channels,
              slots: new Int32Array(new SharedArrayBuffer(16)),
              firstSlot,
            }),
          { code: 'USAGE' },
        );
    });
  });
});

describe('the V8 addon', () => {
  test('is the one of this ABI', () => {
    assert.equal(String(loadIsolate().abi), process.versions.modules);
  });

  test('refuses a second sampler under the same names, and a link that is none', async (t) => {
    await sampled(t, (_heap, sampler) => {
      const options = { link: sampler.link(), prefix: '', ticksPerSample: 1, spacesIntervalMs: 10 };
      assert.throws(() => loadIsolate().startHeapSampler(options), {
        code: 'USAGE',
        why: /heap_used_bytes .* exists already/,
      });
      assert.throws(() => loadIsolate().startHeapSampler({ ...options, link: {} as never }), {
        code: 'USAGE',
      });
      loadIsolate()
        .startHeapSampler({ ...options, prefix: 'again.' })
        .stop();
    });
  });
});
