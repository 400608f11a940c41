import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type EntryDetail, heapCauses } from '../../../src/attribute/heap-causes.js';
import type { DiffAnswer } from '../../../src/snapshot/answers.js';
import { detailOf } from '../../../src/snapshot/heap-snapshot.js';
import { heapDiffOf } from '../../../src/snapshot/heapdump-diff.js';
import {
  aClassDelta,
  aDiff,
  aGrower,
  aGrowth,
  aNodeDetail,
  aSnapshot,
  steps,
} from '../../fixtures/heap-answers.js';

const THREE = [aSnapshot(), aSnapshot(), aSnapshot()];

async function causesOf(overrides: Partial<DiffAnswer>, details = new Map<number, EntryDetail>()) {
  return heapCauses(await heapDiffOf(aDiff({ snapshots: THREE, ...overrides }), [500, 500]), details);
}

async function anEntry(path: string): Promise<EntryDetail> {
  return { entry: await detailOf(aNodeDetail({ shortestPath: steps(path) })), callback: null };
}

describe('the causes in a heap diff', () => {
  test('are one where a container that grew and a group that grows are the same', async () => {
    const details = new Map([[4711, await anEntry('.2=global .sessions=Map {table}=(array) {5}=Session')]]);
    const grower = aGrower({ id: 2 });
    const [cause, ...others] = await causesOf(
      { growers: [grower], growth: [aGrowth({ path: 'elsewhere' })] },
      details,
    );
    assert.deepEqual(others, []);
    assert.equal(cause?.holderClass, 'Map');
    assert.equal(cause?.entryClass, 'Session');
    assert.equal(cause?.bytes, 490_000);
    assert.equal(cause?.entries, 1000);
    assert.equal(cause?.fingerprint, '0123456789abcdef');
    assert.deepEqual(cause?.foundBy, { grower: true, everyRound: true, classes: false });
  });

  test('name the inner of two containers when it holds most of what the outer one does', async () => {
    const outer = aGrower({ id: 2, className: 'Registry', path: steps('.2=global .registry=Registry') });
    const inner = aGrower({
      id: 3,
      className: 'Map',
      path: steps('.2=global .registry=Registry .byKey=Map'),
      retainedDeltaBytes: 450_000,
    });
    const causes = await causesOf({ growers: [outer, inner] });
    assert.deepEqual(
      causes.map(({ holderClass, bytes }) => [holderClass, bytes]),
      [['Map', 450_000]],
    );
  });

  test('charge the outer container only for what its inner ones do not hold', async () => {
    const outer = aGrower({ id: 2, className: 'Registry', path: steps('.2=global .registry=Registry') });
    const inner = aGrower({
      id: 3,
      className: 'Map',
      path: steps('.2=global .registry=Registry .byKey=Map'),
      retainedDeltaBytes: 200_000,
    });
    const causes = await causesOf({ growers: [outer, inner] });
    assert.deepEqual(
      causes.map(({ holderClass, bytes }) => [holderClass, bytes]),
      [
        ['Registry', 290_000],
        ['Map', 200_000],
      ],
    );
  });

  test('never explain more than the heap grew by', async () => {
    const causes = await causesOf({
      growers: [],
      growth: [
        aGrowth({ path: 'a.mjs: first', deltaBytes: [200_000, 200_000] }),
        aGrowth({ path: 'a.mjs: second', deltaBytes: [200_000, 200_000] }),
      ],
    });
    assert.deepEqual(
      causes.map(({ path, bytes }) => [path, bytes]),
      [
        ['a.mjs: first', 400_000],
        ['a.mjs: second', 100_000],
      ],
    );
  });

  test('leave out what is on the stack of whoever takes the snapshot, and what is V8 business', async () => {
    const onStack = aGrower({
      id: 2,
      path: steps('[1]=(GC~roots) [7]=(Stack~roots) {60}=Array'.replaceAll('~', ' ')),
    });
    const compiled = aGrowth({ noise: 'compiler', path: '(V8 own)', className: '(compiled code)' });
    const causes = await causesOf({ growers: [onStack], growth: [compiled], classes: [] });
    assert.deepEqual(causes, []);
  });

  test('name the class where nothing on the heap that grew holds it', async () => {
    const held = aClassDelta({ name: 'Buffer', deltaCount: 900, retainedDeltaBytes: 480_000 });
    const [cause] = await causesOf({ growers: [], growth: [], classes: [held] });
    assert.equal(cause?.entryClass, 'Buffer');
    assert.equal(cause?.bytes, 480_000);
    assert.equal(cause?.holder, null);
    assert.deepEqual(cause?.foundBy, { grower: false, everyRound: false, classes: true });
  });

  test('call what a container took by the class of which just so many are new', async () => {
    const classes = [
      aClassDelta({ name: '(string)', deltaCount: 3000, retainedDeltaBytes: 90_000 }),
      aClassDelta({ name: 'Job', deltaCount: 1003, retainedDeltaBytes: 400_000 }),
    ];
    const [cause] = await causesOf({ growers: [aGrower()], classes });
    assert.equal(cause?.entryClass, 'Job');
  });

  test('are none when the heap did not grow', async () => {
    const balance = { ...aDiff().balance, deltaBytes: -1000 };
    assert.deepEqual(await causesOf({ balance }), []);
  });

  test('name what a container gains by its newest entry, not by what the entries hold in turn', async () => {
    const details = new Map([
      [
        2,
        {
          entry: await detailOf(aNodeDetail({ node: { ...aNodeDetail().node, className: 'Model' } })),
          callback: null,
        },
      ],
      [4711, await anEntry('.2=global .sessions=Map {table}=(array) {5}=Model .tensor=Tensor')],
    ]);
    const [cause] = await causesOf(
      {
        growers: [aGrower({ id: 2, deltaEntries: 3 })],
        growth: [aGrowth({ path: 'elsewhere', className: 'Tensor', deltaCounts: [12, 12] })],
      },
      details,
    );
    assert.equal(cause?.entryClass, 'Model');
    assert.equal(cause?.entries, 3);
  });

  test('are named by their file where V8 reaches them through a function that happens to see them', async () => {
    const path = steps(
      '.2=global .process=process ._events=Object .SIGTERM=stop {context}=Scope ->sessions=Map',
      {
        Scope: { script: '/app/shop.mjs', line: 15, column: 14 },
      },
    );
    const [cause] = await causesOf({ growers: [aGrower({ path })] });
    assert.equal(cause?.path, 'shop.mjs: sessions');
  });
});
