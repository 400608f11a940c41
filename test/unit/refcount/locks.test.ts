import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { Mutex, type ReadGuard, RwLock, referenceCounts } from '../../../src/refcount/index.js';

const countsOf = (name: string) => referenceCounts().find((each) => each.name === name);

describe('a mutex', () => {
  test('lets one at a time in, across await: no update is lost', async () => {
    const mutex = new Mutex({ total: 0 }, { name: 'lock.exclusive' });
    const addOne = async () => {
      using guard = await mutex.lock();
      const { total } = guard.value;
      await nextTurn();
      guard.value = { total: total + 1 };
    };
    await Promise.all(Array.from({ length: 50 }, addOne));
    using guard = await mutex.lock();
    assert.equal(guard.value.total, 50);
    const { strong, created, dropped, waiters } = countsOf('lock.exclusive') ?? {};
    assert.deepEqual([strong, created, dropped, waiters], [1, 51, 50, 0]);
  });

  test('is handed over in the order in which it was asked for; nobody slips in between', async () => {
    const mutex = new Mutex(0, { name: 'lock.order' });
    const order: number[] = [];
    const first = await mutex.lock();
    const others = Array.from({ length: 20 }, async (_, i) => {
      using _guard = await mutex.lock();
      order.push(i);
    });
    assert.equal(mutex.waiters, 20);
    assert.equal(countsOf('lock.order')?.waiters, 20);
    first.release();
    assert.equal(mutex.tryLock(), undefined, 'the next in line holds it already');
    await Promise.all(others);
    assert.deepEqual(order, [...order.keys()]);
    assert.equal(mutex.isLocked, false);
  });

  test('stays usable when its holder throws', async () => {
    const mutex = new Mutex('whole', { name: 'lock.throws' });
    await assert.rejects(async () => {
      using _guard = await mutex.lock();
      throw new Error('in the middle');
    }, /in the middle/);
    assert.equal(mutex.tryLock()?.value, 'whole');
  });

  test('gives up waiting after the time given, and says who holds it', async () => {
    const mutex = new Mutex(0, { name: 'lock.late' });
    const guard = await mutex.lock();
    await assert.rejects(mutex.lock({ timeoutMs: 5 }), {
      code: 'LOCK_TIMEOUT',
      what: 'the lock "lock.late" could not be taken within 5 ms',
      why: /^it has been held by a guard for \d+ ms, taken at .*locks\.test\.js:\d+/,
    });
    assert.deepEqual([mutex.waiters, countsOf('lock.late')?.timedOut], [0, 1]);
    const patient = mutex.lock({ timeoutMs: Number.POSITIVE_INFINITY });
    await nextTurn();
    guard.release();
    (await patient).release();
  });

  test('gives up waiting when its signal says so, with the reason of the signal', async () => {
    const mutex = new Mutex(0, { name: 'lock.aborted' });
    const guard = await mutex.lock();
    const abort = new AbortController();
    const waiting = mutex.lock({ signal: abort.signal });
    const behind = mutex.lock();
    abort.abort(new Error('shutting down'));
    await assert.rejects(waiting, /shutting down/);
    await assert.rejects(mutex.lock({ signal: abort.signal }), /shutting down/);
    guard.release();
    (await behind).release();
    assert.equal(mutex.isLocked, false);
  });

  test('lets many wait with one signal, without a warning', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    const mutex = new Mutex(0, { name: 'lock.one-signal' });
    const abort = new AbortController();
    const guard = await mutex.lock();
    const waiting = Array.from({ length: 50 }, () => assert.rejects(mutex.lock({ signal: abort.signal })));
    abort.abort();
    await Promise.all(waiting);
    await nextTurn();
    process.off('warning', note);
    assert.deepEqual([warnings, mutex.waiters], [[], 0]);
    guard.release();
  });

  test('takes no notice of a signal that comes after the lock was taken', async () => {
    const mutex = new Mutex(0, { name: 'lock.after' });
    const first = await mutex.lock();
    const abort = new AbortController();
    const second = mutex.lock({ signal: abort.signal, timeoutMs: 60_000 });
    first.release();
    abort.abort();
    (await second).release();
  });
});

test('a released guard gives no access, and cannot be released again', async () => {
  const lock = new RwLock('value', { name: 'lock.released' });
  const guard = await lock.write();
  guard.value = 'other';
  guard.release();
  const released = { code: 'GUARD_RELEASED' };
  assert.equal(guard.isReleased, true);
  assert.throws(() => guard.value, released);
  assert.throws(() => {
    guard.value = 'third';
  }, released);
  assert.throws(() => guard.release(), released);
  using reader = await lock.read();
  assert.equal(reader.value, 'other');
  assert.equal(lock.holders, 1, 'the failed release took nothing from the reader');
});

test('readers go together; a writer that waits keeps later readers behind it, and is not starved', async () => {
  const lock = new RwLock(0, { name: 'lock.readers' });
  const [first, second] = [await lock.read(), await lock.read()];
  assert.equal(lock.holders, 2);
  const order: string[] = [];
  const writing = lock.write().then((guard) => {
    order.push('writer');
    return guard;
  });
  const reading = lock.read().then((guard) => {
    order.push('reader');
    return guard;
  });
  assert.equal(lock.tryRead(), undefined);
  first.release();
  await nextTurn();
  assert.deepEqual(order, []);
  second.release();
  const writer = await writing;
  await nextTurn();
  assert.deepEqual([order, lock.holders, lock.waiters], [['writer'], 1, 1]);
  writer.release();
  (await reading).release();
  assert.deepEqual(order, ['writer', 'reader']);
});

test('readers behind a writer that gave up need not wait any longer', async () => {
  const lock = new RwLock(0, { name: 'lock.gave-up' });
  const first = await lock.read();
  const writing = assert.rejects(lock.write({ timeoutMs: 5 }), { code: 'LOCK_TIMEOUT' });
  const reading = lock.read();
  await writing;
  (await reading).release();
  first.release();
});

/** A lock said slowly: everyone who asked and has not left, in order of asking. */
class QueueModel {
  readonly requests: {
    mode: 'read' | 'write';
    isInside: boolean;
    guard?: ReadGuard<unknown>;
    abort: AbortController;
  }[] = [];

  get inside() {
    return this.requests.filter(({ isInside }) => isInside);
  }

  fits(mode: string): boolean {
    return this.inside.every((other) => mode === 'read' && other.mode === 'read');
  }

  /** Whoever is first among those who wait goes in, as long as that is allowed. */
  settle(): void {
    for (const request of this.requests) {
      if (request.isInside) continue;
      if (!this.fits(request.mode)) return;
      request.isInside = true;
    }
  }
}

test('any schedule of readers, writers, releases and people who give up agrees with a plain queue', async () => {
  const action = fc.constantFrom('read', 'write', 'tryRead', 'tryWrite', 'release', 'giveUp');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(action, fc.nat()), { maxLength: 40 }), async (steps) => {
      const lock = new RwLock(0, { name: 'lock.model-based' });
      const model = new QueueModel();
      for (const [what, which] of steps) {
        if (what === 'read' || what === 'write') {
          const request: (typeof model.requests)[0] = {
            mode: what,
            isInside: false,
            abort: new AbortController(),
          };
          model.requests.push(request);
          lock[what]({ signal: request.abort.signal }).then(
            (guard) => {
              request.guard = guard;
            },
            () => undefined,
          );
        } else if (what === 'tryRead' || what === 'tryWrite') {
          const mode = what === 'tryRead' ? 'read' : 'write';
          const isFree = model.requests.length === model.inside.length && model.fits(mode);
          const guard = lock[what]();
          assert.equal(guard !== undefined, isFree);
          if (guard) model.requests.push({ mode, isInside: true, guard, abort: new AbortController() });
        } else {
          const those = model.requests.filter(({ isInside }) => isInside === (what === 'release'));
          const one = those[which % those.length];
          if (one) model.requests.splice(model.requests.indexOf(one), 1);
          if (what === 'release') one?.guard?.release();
          else one?.abort.abort();
        }
        model.settle();
        await nextTurn();
        assert.equal(lock.holders, model.inside.length);
        assert.equal(lock.waiters, model.requests.length - model.inside.length);
        for (const { isInside, guard } of model.requests) assert.equal(guard !== undefined, isInside);
        const writers = model.inside.filter(({ mode }) => mode === 'write').length;
        assert.ok(writers === 0 || model.inside.length === 1, 'a writer is alone');
      }
      while (model.requests.length > 0) {
        for (const request of model.inside) {
          model.requests.splice(model.requests.indexOf(request), 1);
          request.guard?.release();
        }
        model.settle();
        await nextTurn();
      }
      assert.deepEqual([lock.holders, lock.waiters], [0, 0]);
      assert.equal(countsOf('lock.model-based')?.strong, 0);
    }),
    { numRuns: 150 },
  );
});
