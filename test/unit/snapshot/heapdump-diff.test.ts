import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { CrucibleMemoryError } from '../../../src/errors.js';
import { diffHeapSnapshots, heapDiffOf } from '../../../src/snapshot/heapdump-diff.js';
import { aClassDelta, aDiff, aGrower, aGrowth, aSnapshot, steps } from '../../fixtures/heap-answers.js';

test('per operation stand the entries, and the bytes that they hold', async () => {
  const { growers, classes } = await heapDiffOf(aDiff(), [500]);
  assert.equal(growers[0]?.objectsPerOperation, 2);
  assert.equal(growers[0]?.bytesPerOperation, 980, '490,000 bytes retained by 500 operations');
  assert.equal(classes[0]?.objectsPerOperation, 2);
  assert.equal(classes[0]?.bytesPerOperation, 960);
});

test('a growing group is divided by the operations of all its steps', async () => {
  const snapshots = [aSnapshot(), aSnapshot(), aSnapshot()];
  const growth = [aGrowth({ deltaCounts: [100, 900], deltaBytes: [10_000, 90_000] })];
  const diff = await heapDiffOf(aDiff({ snapshots, growth }), [100, 900]);
  assert.equal(diff.growth?.[0]?.objectsPerOperation, 1);
  assert.equal(diff.growth?.[0]?.bytesPerOperation, 100);
});

test('without operation counts nothing is divided, and growth needs three snapshots', async () => {
  const diff = await heapDiffOf(aDiff(), null);
  assert.equal(diff.operations, null);
  assert.equal('bytesPerOperation' in (diff.classes[0] ?? {}), false);
  assert.equal('growth' in diff, false);
});

test('operation counts that do not fit are refused with how many are needed', async () => {
  for (const [operations, expected] of [
    [[], /0 operation counts for 3 snapshots: .*2 stretches.*\n {2}fix: give 2 numbers above zero/],
    [[1], /1 operation count for 3 snapshots/],
    [[1, 0], /0 is no count of operations/],
    [[1, -5], /-5 is no count of operations/],
    [[Number.POSITIVE_INFINITY, 1], /Infinity is no count of operations/],
  ] as const) {
    await assert.rejects(diffHeapSnapshots(['a', 'b', 'c'], { operations }), (error) => {
      assert.ok(error instanceof CrucibleMemoryError);
      assert.equal(error.code, 'USAGE');
      assert.match(error.message, expected);
      return true;
    });
  }
});

test('fewer than two snapshots, and one stream twice, are refused', async () => {
  const stream = Readable.from([]);
  for (const sources of [[], ['a'], [stream, 'a', stream]]) {
    await assert.rejects(diffHeapSnapshots(sources), { code: 'USAGE' });
  }
});

test('the holder of the growth is the container that took entries and retains most', async () => {
  const small = aGrower({ id: 7, retainedDeltaBytes: 100, ownedDeltaBytes: 90_000 });
  const { summary } = await heapDiffOf(aDiff({ growers: [small, aGrower()] }), null);
  assert.deepEqual(summary.holder, { id: 101, shareOfGrowth: 0.98 });
  assert.equal(summary.deltaShare, 0.5);
});

test('of a container inside another one the inner is the holder, as long as most goes along', async () => {
  const outer = aGrower({ id: 2, retainedDeltaBytes: 495_000, path: steps('.2=global .app=Map') });
  const inner = (retainedDeltaBytes: number) =>
    aGrower({ id: 101, retainedDeltaBytes, path: steps('.2=global .app=Map {table}=(array) {9}=Map') });
  const holderOf = async (bytes: number) =>
    (await heapDiffOf(aDiff({ growers: [outer, inner(bytes)] }), null)).summary.holder?.id;
  assert.equal(await holderOf(400_000), 101);
  assert.equal(await holderOf(200_000), 2);
});

test('nobody holds a growth that is none, or that no container took', async () => {
  const { balance } = aDiff();
  const shrunk = aDiff({ balance: { ...balance, deltaBytes: -10 } });
  assert.equal((await heapDiffOf(shrunk, null)).summary.holder, null);
  const larger = aDiff({ growers: [aGrower({ deltaEntries: 0 })] });
  assert.equal((await heapDiffOf(larger, null)).summary.holder, null);
  const emptied = aDiff({ growers: [aGrower({ retainedDeltaBytes: -5 })] });
  assert.equal((await heapDiffOf(emptied, null)).summary.holder, null);
});

test('noise is counted by itself and stays in the classes', async () => {
  const { summary, classes } = await heapDiffOf(aDiff(), null);
  const { deltaBytes } = aDiff().balance;
  assert.deepEqual(summary.noise, {
    classCount: 1,
    deltaCount: 9,
    deltaBytes: 11_264,
    shareOfDelta: 11_264 / deltaBytes,
  });
  assert.equal(
    classes.reduce((sum, row) => sum + row.deltaBytes, 0),
    deltaBytes,
  );
});

test('a built-in collection is placed where the function is that holds it, a class where it is written', async () => {
  const place = { script: '/srv/a.js', line: 3, column: 9 };
  const held = aGrower({
    path: steps('.2=global .handler=handle() {context}=variables (x) ->x=Map', { 'handle()': place }),
  });
  const own = aGrower({ place: { ...place, line: 7 } });
  const { growers } = await heapDiffOf(aDiff({ growers: [held, own] }), null);
  assert.equal(growers[0]?.location, '/srv/a.js:3:9');
  assert.equal(growers[0]?.path, 'globalThis.handler -> x');
  assert.equal(growers[0]?.retainingPath[1]?.location, '/srv/a.js:3:9');
  assert.equal(growers[1]?.location, '/srv/a.js:7:9');
});

test('a class without a place has none', async () => {
  const { classes } = await heapDiffOf(aDiff({ classes: [aClassDelta()] }), null);
  assert.equal(classes[0]?.location, null);
  assert.equal('place' in (classes[0] ?? {}), false);
});
