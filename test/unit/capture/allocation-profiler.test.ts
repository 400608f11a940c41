import assert from 'node:assert/strict';
import { Session } from 'node:inspector';
import { describe, type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import {
  AllocationProfiler,
  type AllocationProfilerOptions,
} from '../../../src/capture/allocation-profiler.js';
import { loadIsolate } from '../../../src/native.js';
import {
  type AllocationProfile,
  bytesOf,
  liveDelta,
  stackOf,
} from '../../../src/recording/allocation-profile.js';
import { MIB } from '../../../src/units.js';
import { collectGarbage } from '../../fixtures/garbage-collection.js';

function profiling(t: TestContext, options: AllocationProfilerOptions): AllocationProfiler {
  const profiler = new AllocationProfiler(options);
  t.after(() => profiler.stop());
  return profiler;
}

function inspecting(t: TestContext): Session {
  const session = new Session();
  session.connect();
  t.after(() => session.disconnect());
  return session;
}

class Session10Kib {
  readonly numbers = new Array(1280).fill(1.5);
}

function leak(kept: object[]): void {
  for (let i = 0; i < 2000; i++) kept.push(new Session10Kib());
}

function churn(): number {
  let sum = 0;
  for (let i = 0; i < 2000; i++) sum += new Array(1280).fill(2.5).length;
  return sum;
}

const bytesOfFunction = (profile: AllocationProfile, name: string) =>
  bytesOf({
    ...profile,
    samples: profile.samples.filter(({ node }) =>
      stackOf(profile, node).some((frame) => frame.functionName === name),
    ),
  });

describe('the allocation profiler', () => {
  test('finds in the difference of two moments what leaked in between, and nothing that was let go of', async (t) => {
    const profiler = profiling(t, { intervalBytes: 16 * 1024 });
    const kept: object[] = [];
    leak(kept);
    churn();
    await collectGarbage();
    const before = profiler.read();
    leak(kept);
    churn();
    await collectGarbage();
    const after = profiler.read();
    assert.equal(after.run, before.run);
    const { grown, freed } = liveDelta(before.profile, after.profile);
    const leaked = bytesOfFunction(grown, 'leak');
    const true20Mb = 2000 * 1280 * 8;
    assert.ok(leaked > 0.7 * true20Mb && leaked < 1.4 * true20Mb, `${leaked} of ${true20Mb}`);
    assert.ok(bytesOfFunction(grown, 'churn') < MIB);
    assert.ok(bytesOfFunction(freed, 'leak') < MIB);
    const frame = grown.samples
      .flatMap(({ node }) => stackOf(grown, node))
      .find(({ functionName }) => functionName === 'leak');
    assert.match(frame?.url ?? '', /allocation-profiler\.test\.js$/);
    assert.ok((frame?.line ?? 0) > 1);
    assert.equal(kept.length, 4000);
  });

  test('keeps what was collected too, if told to', async (t) => {
    const profiler = profiling(t, { intervalBytes: 16 * 1024, includesCollected: 'all' });
    churn();
    await collectGarbage();
    const { profile } = profiler.read();
    assert.ok(bytesOfFunction(profile, 'churn') > 10 * MIB);
    if (Number.parseInt(process.versions.node, 10) >= 26)
      assert.ok(profile.samples.some(({ isCollected }) => isCollected));
  });

  test('begins anew when its list has become long, and says that the samples are of another run', (t) => {
    const profiler = profiling(t, { intervalBytes: 1024, includesCollected: 'all', samplesMax: 500 });
    churn();
    const first = profiler.read();
    assert.ok(first.profile.samples.length > 500);
    const second = profiler.read();
    assert.equal(second.run, first.run + 1);
    assert.ok(second.profile.samples.length < first.profile.samples.length / 2);
  });

  test('says so when another profiler runs, and when another one has stopped it', (t) => {
    const other = inspecting(t);
    other.post('HeapProfiler.enable');
    other.post('HeapProfiler.startSampling');
    assert.throws(() => new AllocationProfiler(), { code: 'PROFILER_BUSY', why: /runs already/ });
    other.post('HeapProfiler.stopSampling');

    const profiler = profiling(t, {});
    other.post('HeapProfiler.stopSampling');
    if (loadIsolate().allocationProfile() === null)
      assert.throws(() => profiler.read(), { code: 'PROFILER_BUSY', why: /was stopped/ });
  });

  test('refuses an interval or a depth that is none', () => {
    for (const options of [{ intervalBytes: 0 }, { intervalBytes: 1.5 }, { depth: 0 }, { depth: Number.NaN }])
      assert.throws(() => new AllocationProfiler(options), { code: 'USAGE' });
  });

  test('ends with its worker thread, however that ends', async () => {
    const native = new URL('../../../src/native.js', import.meta.url).href;
    for (const end of ['for (;;) kept[i++ % 1000] = { i };', 'process.exit(0);', '']) {
      const worker = new Worker(
        `import(${JSON.stringify(native)}).then(({ loadIsolate }) => {
           const { parentPort } = require('node:worker_threads');
           const options = { intervalBytes: 1024, depth: 16, includesCollectedByMinor: true, includesCollectedByMajor: true };
           if (!loadIsolate().startAllocationProfile(options)) throw new Error('did not start');
           const kept = []; let i = 0;
           while (i < 10000) kept.push({ i: i++ });
           parentPort.postMessage('profiling');
           ${end}
         });`,
        { eval: true },
      );
      const error = await new Promise((resolve) => {
        worker.on('error', resolve);
        worker.on('exit', () => resolve(undefined));
        worker.on('message', () => end.startsWith('for') && worker.terminate());
      });
      assert.equal(error, undefined);
    }
  });
});

describe('the count of objects by class', () => {
  test('is exact for a class, and collects first', () => {
    const kept = Array.from({ length: 1234 }, () => new Session10Kib());
    for (let i = 0; i < 100; i++) new Session10Kib();
    const { objects, classes } = loadIsolate().countObjects();
    assert.equal(classes.find(({ name }) => name === 'Session10Kib')?.objects, kept.length);
    assert.equal(
      classes.reduce((sum, each) => sum + each.objects, 0),
      objects,
    );
    assert.ok(classes.every((each, i) => i === 0 || each.objects <= (classes[i - 1]?.objects ?? 0)));
  });
});
