import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AllocationSite } from '../../../src/attribute/allocation-sites.js';
import type { Observations } from '../../../src/attribute/observations.js';
import { suspectsOf } from '../../../src/attribute/suspects.js';
import type { LeakDetectionResult } from '../../../src/diagnosis/index.js';
import type { DiffAnswer } from '../../../src/snapshot/answers.js';
import { heapDiffOf } from '../../../src/snapshot/heapdump-diff.js';
import { aDiff, aGrower, aGrowth, aSnapshot, steps } from '../../fixtures/heap-answers.js';
import { aLeak } from '../../fixtures/results.js';

const LEAK: LeakDetectionResult = { ...aLeak().leakDetection, confidence: 1 };

/** 1,000 sessions of 490 bytes in 1,000 operations, held by a Map. */
async function observed(
  overrides: Partial<Observations> = {},
  diff: Partial<DiffAnswer> = {},
): Promise<Observations> {
  return {
    growth: {
      operations: 1000,
      rounds: 2,
      heapBytes: 500_000,
      codeBytes: 0,
      externalBytes: 0,
      arrayBuffersBytes: 0,
      nativeBytes: 0,
      stackBytes: 0,
    },
    diff: await heapDiffOf(
      aDiff({ snapshots: [aSnapshot(), aSnapshot(), aSnapshot()], growth: [aGrowth()], ...diff }),
      [500, 500],
    ),
    details: new Map(),
    sites: [],
    counters: [],
    references: [],
    addons: [],
    operationsInAll: 4000,
    lacks: [],
    ...overrides,
  };
}

function aSite(overrides: Partial<AllocationSite> = {}): AllocationSite {
  return {
    functionName: 'login',
    place: { script: '/app/login.mjs', line: 7, column: 3 },
    bytes: 480_000,
    samples: 40,
    callers: ['login'],
    ...overrides,
  };
}

const only = async (overrides: Partial<Observations>, diff: Partial<DiffAnswer> = {}) => {
  const [first, ...others] = suspectsOf(await observed(overrides, diff), LEAK);
  assert.ok(first, 'there is a suspect');
  assert.deepEqual(
    others.map(({ suspect }) => suspect.statement),
    [],
  );
  return first.suspect;
};

describe('suspects', () => {
  test('say in one sentence who holds, who made, how much, how sure and what to do', async () => {
    const suspect = await only({ sites: [aSite()] });
    assert.equal(
      suspect.statement,
      'globalThis.sessions (Map) gains 1 Session and 490 B per operation, put there by login() at login.mjs:7; 98 % of the growth, 97 % sure: sessions, sockets or streams that nothing closes - close or destroy each when its operation ends, also when it fails, and delete it from what lists it',
    );
    assert.deepEqual(suspect.allocationSite, { script: '/app/login.mjs', line: 7, column: 3 });
    assert.equal(suspect.share, 0.98);
  });

  test('have the function of the holder file before one that allocated more elsewhere', async () => {
    const place = { script: '/app/sessions.mjs', line: 1, column: 1 };
    const path = steps('.2=global .sessions=Map', { global: place });
    const near = aSite({ functionName: 'remember', place: { ...place, line: 4 }, bytes: 60_000 });
    const suspect = await only({ sites: [aSite(), near] }, { growers: [aGrower({ path })] });
    assert.equal(suspect.allocationSite?.script, '/app/sessions.mjs');
    assert.match(suspect.statement, /put there by remember\(\) at sessions\.mjs:4/);
  });

  test('are surer with each kind of evidence that agrees, and never surer than that there is a leak', async () => {
    const alone = await only({});
    const counted = await only({
      counters: [{ channel: 'custom.sessions', perOperation: 1.01, isInBytes: false, rSquared: 0.99 }],
    });
    assert.ok(counted.confidence > alone.confidence);
    assert.deepEqual(counted.counters, ['custom.sessions']);
    const [doubted] = suspectsOf(await observed({ sites: [aSite()] }), { ...LEAK, confidence: 0.6 });
    assert.ok((doubted?.suspect.confidence ?? 1) <= 0.6);
  });

  test('are not joined with a counter that moves by another count', async () => {
    const suspect = await only({
      counters: [{ channel: 'custom.requests', perOperation: 1.4, isInBytes: false, rSquared: 0.99 }],
    });
    assert.deepEqual(suspect.counters, []);
  });

  test('take the references that are lost as often as entries come, with the place where they were taken', async () => {
    const takenAt = { script: '/app/model.mjs', line: 12, column: 5 };
    const suspect = await only({
      references: [{ kind: 'arc', registryKind: 'arc', name: 'model', count: 4010, how: 'leaked', takenAt }],
    });
    assert.equal(suspect.kind, 'arc');
    assert.deepEqual(suspect.allocationSite, takenAt);
    assert.match(suspect.statement, /references of arc "model" that are not given back/);
  });

  test('stand by themselves for references that nothing on the heap goes with', async () => {
    const [, second] = suspectsOf(
      await observed({
        references: [
          { kind: 'guard', registryKind: 'mutex', name: 'ledger', count: 400, how: 'leaked', takenAt: null },
        ],
      }),
      LEAK,
    );
    assert.equal(second?.suspect.kind, 'guard');
    assert.equal(second?.suspect.countPerOperation, 0.1);
    assert.equal(second?.suspect.bytesPerOperation, null);
  });

  test('of buffers are charged to external memory, as far as that grew', async () => {
    const observations = await observed({}, { growth: [aGrowth({ className: 'Buffer' })] });
    const growth = {
      ...(observations.growth as NonNullable<Observations['growth']>),
      heapBytes: 100_000,
      externalBytes: 400_000,
    };
    const [first] = suspectsOf({ ...observations, growth }, LEAK);
    assert.equal(first?.externalBytes, 390_000);
    assert.equal(first?.heapBytes, 100_000);
    assert.equal(first?.suspect.kind, 'array-buffers');
  });

  test('answer for the native memory behind their objects', async () => {
    const observations = await observed();
    const growth = {
      ...(observations.growth as NonNullable<Observations['growth']>),
      nativeBytes: 2_000_000,
    };
    const [first, ...others] = suspectsOf({ ...observations, growth }, LEAK);
    assert.equal(first?.nativeBytes, 2_000_000);
    assert.equal(first?.suspect.bytesPerOperation, 2490);
    assert.deepEqual(others, []);
  });

  test('name the addons where only native memory grew', async () => {
    const observations = await observed({
      diff: null,
      addons: ['/app/node_modules/leveldown/build/leveldown.node'],
    });
    const growth = {
      ...(observations.growth as NonNullable<Observations['growth']>),
      heapBytes: 1000,
      nativeBytes: 1_400_000,
    };
    const [first] = suspectsOf({ ...observations, growth }, LEAK);
    assert.equal(first?.suspect.kind, 'native');
    assert.deepEqual(first?.suspect.package, { name: 'leveldown', version: null });
    assert.match(first?.suspect.statement ?? '', /native addons loaded: leveldown/);
  });

  test('without snapshots are the functions that allocated what is alive', async () => {
    const suspect = await only({ diff: null, sites: [aSite()] });
    assert.equal(suspect.retainingPath, null);
    assert.equal(suspect.allocationSite?.script, '/app/login.mjs');
    assert.equal(suspect.bytesPerOperation, 480);
    assert.ok(suspect.confidence < 0.5);
  });

  test('without rounds are the functions that hold most of what was allocated, of unknown share', async () => {
    const little = aSite({ place: { script: '/app/start.mjs', line: 1, column: 1 }, bytes: 30_000 });
    const suspect = await only({ diff: null, growth: null, sites: [aSite(), little] });
    assert.equal(suspect.allocationSite?.script, '/app/login.mjs');
    assert.equal(suspect.share, null);
    assert.equal(suspect.bytesPerOperation, null);
  });

  test('answer for the native memory of what the program counts open as often as they gain an entry', async () => {
    const observations = await observed(
      {
        counters: [
          { channel: 'resource.session.open_count', perOperation: 0.003, isInBytes: false, rSquared: 0.99 },
        ],
      },
      {
        growth: [],
        growers: [
          aGrower(),
          aGrower({
            id: 77,
            className: 'Array',
            path: steps('.2=global .retired=Array'),
            deltaEntries: 3,
            retainedDeltaBytes: 12_000,
          }),
        ],
      },
    );
    const growth = {
      ...(observations.growth as NonNullable<Observations['growth']>),
      nativeBytes: 20_000_000,
    };
    const [first] = suspectsOf({ ...observations, growth }, LEAK);
    assert.equal(first?.suspect.retainingPath, 'globalThis.retired');
    assert.equal(first?.nativeBytes, 20_000_000);
  });

  test('explain together no more than was measured, give or take what snapshots do themselves', async () => {
    const growers = ['first', 'second', 'third'].map((name, i) =>
      aGrower({ id: i + 50, path: steps(`.2=global .${name}=Map`), retainedDeltaBytes: 300_000 - i }),
    );
    const charged = suspectsOf(await observed({}, { growth: [], growers }), LEAK);
    assert.deepEqual(
      charged.map(({ suspect, heapBytes }) => [suspect.retainingPath, heapBytes]),
      [
        ['globalThis.first', 300_000],
        ['globalThis.second', 210_000],
      ],
    );
  });
});
