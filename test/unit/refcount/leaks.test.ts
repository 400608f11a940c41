import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  Arc,
  findCycles,
  heldGuards,
  leakedReferences,
  Mutex,
  RwLock,
  referenceCounts,
  sampleStacks,
  trackResource,
} from '../../../src/refcount/index.js';
import { collectGarbage } from '../../fixtures/garbage-collection.js';

const countsOf = (name: string) => referenceCounts().find((each) => each.name === name);
const leaksOf = (name: string) => leakedReferences().filter((each) => each.name === name);

/** Functions of their own, so that nothing stays behind in a frame of the test. */
function forgetClones(arc: Arc<unknown>, times: number): void {
  for (let i = 0; i < times; i++) arc.clone();
}

async function forgetGuard(lock: () => Promise<unknown>): Promise<void> {
  await lock();
}

describe('an Arc that is collected without drop', () => {
  test('is counted as leaked, with the place that cloned it, and still owns its value', async () => {
    let disposals = 0;
    const arc = Arc.of('model', { name: 'leak.clone', dispose: () => disposals++ });
    forgetClones(arc, 5);
    arc.clone().drop();
    await collectGarbage();
    const { strong, created, dropped, leaked, values } = countsOf('leak.clone') ?? {};
    assert.deepEqual([strong, created, dropped, leaked, values], [6, 7, 1, 5, 1]);
    assert.equal(arc.strongCount, 6);
    const [place, ...others] = leaksOf('leak.clone');
    assert.deepEqual([place?.kind, place?.count, others.length], ['arc', 5, 0]);
    assert.match(place?.stack ?? '', /^at forgetClones \(.*leaks\.test\.js:\d+:\d+\)\n/);
    arc.drop();
    assert.equal(disposals, 0);
  });

  test('is no leak while something still refers to it', async () => {
    const arcs = Array.from({ length: 100 }, () => Arc.of({}, { name: 'leak.none' }));
    await collectGarbage();
    assert.equal(countsOf('leak.none')?.leaked, 0);
    for (const arc of arcs) arc.drop();
    await collectGarbage();
    assert.deepEqual([countsOf('leak.none')?.leaked, leaksOf('leak.none')], [0, []]);
  });

  test('is told from those that were dropped, whatever the order: 3000 references at once', async () => {
    const arc = Arc.of({}, { name: 'leak.many' });
    const clones = Array.from({ length: 3000 }, () => arc.clone());
    const forgotten = clones.filter((_, i) => i % 3 === 0).length;
    for (const [i, clone] of clones.entries()) if (i % 3 !== 0) clone.drop();
    clones.length = 0;
    // Tickets that were given back are used again, by references that are dropped.
    for (let i = 0; i < 3000; i++) arc.clone().drop();
    await collectGarbage();
    assert.equal(countsOf('leak.many')?.leaked, forgotten);
    assert.equal(
      leaksOf('leak.many').reduce((sum, { count }) => sum + count, 0),
      forgotten,
    );
    arc.drop();
  });

  test('does not keep what took it in memory: its stack is text', async () => {
    let collected = 0;
    const watch = new FinalizationRegistry(() => collected++);
    class Session {
      arc: Arc<unknown> | undefined;
      take(arc: Arc<unknown>): void {
        this.arc = arc.clone();
      }
    }
    const arc = Arc.of({}, { name: 'leak.this' });
    const takeAndForget = () => {
      const session = new Session();
      watch.register(session, 0);
      session.take(arc);
    };
    for (let i = 0; i < 10; i++) takeAndForget();
    await collectGarbage();
    assert.deepEqual([collected, countsOf('leak.this')?.leaked], [10, 10]);
    assert.match(leaksOf('leak.this')[0]?.stack ?? '', /^at Session\.take/);
    arc.drop();
  });
});

test('a weak reference that is collected has let go, and is no leak', async () => {
  const arc = Arc.of({}, { name: 'leak.weak' });
  const forgetWeaks = () => {
    for (let i = 0; i < 10; i++) arc.downgrade();
  };
  forgetWeaks();
  assert.equal(arc.weakCount, 10);
  await collectGarbage();
  assert.deepEqual([arc.weakCount, countsOf('leak.weak')?.weak, countsOf('leak.weak')?.leaked], [0, 0, 0]);
  arc.drop();
});

describe('a guard that is never released', () => {
  test('is held: since when, of which lock, and where it was taken', async () => {
    const mutex = new Mutex(0, { name: 'leak.held' });
    const guard = await mutex.lock();
    const [held] = heldGuards().filter(({ name }) => name === 'leak.held');
    assert.deepEqual([held?.kind, held?.mode, held?.isLeaked], ['mutex', 'exclusive', false]);
    assert.ok(held && held.heldMs >= 0);
    assert.match(held.stack ?? '', /leaks\.test\.js:\d+:\d+/);
    guard.release();
    assert.deepEqual(
      heldGuards().filter(({ name }) => name === 'leak.held'),
      [],
    );
  });

  test('is counted as leaked once it was collected, and its lock stays locked', async () => {
    const mutex = new Mutex(0, { name: 'leak.guard' });
    await forgetGuard(() => mutex.lock());
    await collectGarbage();
    assert.equal(mutex.isLocked, true);
    assert.deepEqual([countsOf('leak.guard')?.leaked, countsOf('leak.guard')?.strong], [1, 1]);
    const [held] = heldGuards().filter(({ name }) => name === 'leak.guard');
    assert.equal(held?.isLeaked, true);
    const [place] = leaksOf('leak.guard');
    assert.deepEqual([place?.kind, place?.count, place?.stack], ['mutex', 1, held?.stack]);
    assert.match(place?.stack ?? '', /leaks\.test\.js/);
    await assert.rejects(mutex.lock({ timeoutMs: 1 }), {
      code: 'LOCK_TIMEOUT',
      why: /^it has been held by a guard that was collected without having been released for \d+ ms, taken at /,
    });
  });

  test('is found for readers too, and when its lock is gone as well', async () => {
    const forgetLocks = async () => {
      for (let i = 0; i < 5; i++) await forgetGuard(() => new RwLock(0, { name: 'leak.read' }).read());
    };
    await forgetLocks();
    await collectGarbage();
    assert.equal(countsOf('leak.read')?.leaked, 5);
    assert.equal(leaksOf('leak.read')[0]?.kind, 'rwlock');
  });
});

test('a resource that is collected without release is leaked, one that was released is not', async () => {
  const track = () => {
    trackResource('leak.resource', { forgotten: true });
    const released = {};
    trackResource('leak.resource', released).release();
  };
  track();
  const kept = {};
  const open = trackResource('leak.resource', kept);
  await collectGarbage();
  const { strong, created, dropped, leaked } = countsOf('leak.resource') ?? {};
  assert.deepEqual([strong, created, dropped, leaked], [2, 3, 1, 1]);
  assert.match(leaksOf('leak.resource')[0]?.stack ?? '', /^at track /);
  open.release();
  assert.throws(() => open.release(), {
    code: 'RESOURCE_RELEASED',
    what: /"leak\.resource" was released twice/,
  });
  assert.equal(Object.keys(kept).length, 0);
});

test('an Arc cycle that everyone let go of is found, and its leaked owners are counted once it is collected', async () => {
  interface Node {
    other: Arc<Node> | undefined;
  }
  const plant = () => {
    const a = Arc.of<Node>({ other: undefined }, { name: 'leak.a' });
    const b = Arc.of<Node>({ other: a.clone() }, { name: 'leak.b' });
    a.value.other = b.clone();
    a.drop();
    b.drop();
  };
  for (let i = 0; i < 3; i++) plant();
  const found = findCycles().cycles.filter(({ description }) => description.includes('leak.a'));
  assert.deepEqual(found, [
    { description: 'leak.a.other -> leak.b.other -> leak.a', count: 3, withoutOwners: 3 },
  ]);
  assert.deepEqual([countsOf('leak.a')?.values, countsOf('leak.a')?.strong], [3, 3]);
  await collectGarbage();
  assert.deepEqual([countsOf('leak.a')?.leaked, countsOf('leak.b')?.leaked], [3, 3]);
});

describe('stacks', () => {
  test('can be had of every reference, of none, and as short as wanted', async (t) => {
    t.after(() => sampleStacks({ every: 128, frames: 8 }));
    const arc = Arc.of({}, { name: 'leak.sampling' });
    sampleStacks({ every: 1, frames: 1 });
    forgetClones(arc, 50);
    await collectGarbage();
    assert.deepEqual(
      leaksOf('leak.sampling').map(({ count }) => count),
      [50],
    );
    assert.equal(leaksOf('leak.sampling')[0]?.stack?.split('\n').length, 1);
    sampleStacks({ every: 0 });
    forgetClones(arc, 7);
    await collectGarbage();
    const places = leaksOf('leak.sampling').map(({ count, stack }) => [count, stack !== undefined]);
    assert.deepEqual(places, [
      [50, true],
      [7, false],
    ]);
    arc.drop();
  });

  test('are taken of the first of each name, then of a sample; Error is left as it was', async (t) => {
    t.after(() => sampleStacks({ every: 128, frames: 8 }));
    const { stackTraceLimit, prepareStackTrace } = Error;
    const mine = () => 'mine';
    Error.prepareStackTrace = mine;
    Error.stackTraceLimit = 3;
    sampleStacks({ every: 16 });
    const arc = Arc.of({}, { name: 'leak.sample' });
    forgetClones(arc, 10_000);
    assert.deepEqual([Error.prepareStackTrace, Error.stackTraceLimit], [mine, 3]);
    Object.assign(Error, { stackTraceLimit, prepareStackTrace });
    await collectGarbage();
    const [without, withStack] = leaksOf('leak.sample');
    assert.equal(without?.stack, undefined);
    assert.match(withStack?.stack ?? '', /^at forgetClones/);
    assert.equal((without?.count ?? 0) + (withStack?.count ?? 0), 10_000);
    // 31 and one in 16 of the others: 655 on average, with a standard deviation of 15.
    assert.ok(withStack && withStack.count > 500 && withStack.count < 800, `${withStack?.count}`);
    arc.drop();
  });
});
