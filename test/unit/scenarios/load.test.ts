import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CrucibleMemoryError } from '../../../src/errors.js';
import { type LoadPlan, type LoadSurroundings, runLoad, type Target } from '../../../src/scenarios/index.js';

const PLAN: LoadPlan = {
  durationMs: 400,
  ratePerSecond: 200,
  keepsSchedule: true,
  burst: 1,
  maxInFlight: 10,
  floorIntervalMs: 100,
  operationTimeoutMs: 2000,
  drainMs: 0,
};

/** Surroundings that only remember what happened. */
function surroundings(operation: Target['operation'], change: Partial<LoadSurroundings> = {}) {
  let next = 0;
  const seen = { floorsWithWorkInFlight: 0, floors: 0, inFlight: 0, mostInFlight: 0 };
  const around: LoadSurroundings = {
    target: { name: 'probe', operation },
    signal: new AbortController().signal,
    nextIndex: () => next++,
    counted: (inFlight) => {
      seen.inFlight = inFlight;
      seen.mostInFlight = Math.max(seen.mostInFlight, inFlight);
    },
    floor: async () => {
      seen.floors++;
      if (seen.inFlight > 0) seen.floorsWithWorkInFlight++;
    },
    endRequested: () => null,
    mustStop: () => null,
    phase: (_, body) => body(),
    ...change,
  };
  return { around, seen };
}

describe('a paced load', () => {
  test('sends as many operations as the rate asks for', async () => {
    const { around } = surroundings(() => undefined);
    const outcome = await runLoad(PLAN, around);
    const expected = (outcome.activeMs / 1000) * PLAN.ratePerSecond;
    // Never ahead of the schedule; behind it only by what a busy machine held up at the very end.
    assert.ok(outcome.completed <= expected + 1, `${outcome.completed} of ${expected}`);
    assert.ok(outcome.completed >= 0.7 * expected, `${outcome.completed} of ${expected}`);
    assert.equal(outcome.failed, 0);
  });

  test('gives every operation an index of its own, counting from zero', async () => {
    const indices: number[] = [];
    const { around } = surroundings((index) => {
      indices.push(index);
    });
    await runLoad(PLAN, around);
    assert.deepEqual(indices, [...indices.keys()]);
  });

  test('never has more in flight than allowed', async () => {
    const { around, seen } = surroundings(() => sleep(30));
    await runLoad({ ...PLAN, ratePerSecond: 1000, maxInFlight: 4 }, around);
    assert.equal(seen.mostInFlight, 4);
  });

  test('sends a burst at the same moment', async () => {
    const { around, seen } = surroundings(() => sleep(5));
    await runLoad({ ...PLAN, burst: 8, maxInFlight: 8, ratePerSecond: 400 }, around);
    assert.equal(seen.mostInFlight, 8);
  });

  test('measures the floor only with nothing in flight', async () => {
    const { around, seen } = surroundings(() => sleep(20));
    await runLoad(PLAN, around);
    assert.ok(seen.floors >= 4, `${seen.floors} floors`);
    assert.equal(seen.floorsWithWorkInFlight, 0);
  });

  test('counts the wait behind a stalled operation in the latency of those that had to wait', async () => {
    // One operation blocks the event loop for 200 ms; 200 a second were due: some 40 had to wait.
    const { around } = surroundings((index) => {
      if (index !== 20) return;
      const untilMs = performance.now() + 200;
      while (performance.now() < untilMs);
    });
    const outcome = await runLoad({ ...PLAN, floorIntervalMs: Number.POSITIVE_INFINITY }, around);
    assert.ok((outcome.latency.maxMs ?? 0) >= 195, `max ${outcome.latency.maxMs}`);
    assert.ok((outcome.latency.meanMs ?? 0) >= 20, `a closed loop would report a mean near ${200 / 80} ms`);
  });

  test('lets a slow target move a schedule that is not kept, and counts no waiting then', async () => {
    const { around } = surroundings(() => sleep(20));
    const outcome = await runLoad(
      { ...PLAN, keepsSchedule: false, maxInFlight: 1, ratePerSecond: 1000 },
      around,
    );
    const kept = await runLoad({ ...PLAN, keepsSchedule: true, maxInFlight: 1, ratePerSecond: 1000 }, around);
    // 20 operations of 20 ms fit; in the kept schedule the last one should have begun 380 ms earlier.
    assert.ok((outcome.latency.p50Ms ?? 0) < (kept.latency.p50Ms ?? 0) / 2);
  });

  test('stops after the given number of operations', async () => {
    const { around } = surroundings(() => undefined);
    const outcome = await runLoad({ ...PLAN, maxOperations: 17, durationMs: 10_000 }, around);
    assert.equal(outcome.completed, 17);
  });

  test('counts an error that is thrown, rejected or returned, and names the commonest', async () => {
    const { around } = surroundings((index) => {
      if (index % 4 === 0) throw new Error('thrown');
      if (index % 4 === 1) return Promise.reject(new Error('rejected'));
      if (index % 2 === 0) return { error: 'returned' };
      return { bytes: 10 };
    });
    const outcome = await runLoad({ ...PLAN, maxOperations: 40 }, around);
    assert.equal(outcome.failed, 30);
    assert.equal(outcome.completed, 10);
    assert.equal(outcome.payloadBytes, 100);
    assert.ok(['thrown', 'rejected', 'returned'].includes(outcome.commonestError ?? ''));
  });

  test('fails when an operation never ends, and says which', async () => {
    const { around } = surroundings((index) => (index === 3 ? new Promise(() => {}) : undefined));
    await assert.rejects(
      runLoad({ ...PLAN, operationTimeoutMs: 100 }, around),
      (error: CrucibleMemoryError) =>
        error.code === 'OPERATION_TIMEOUT' && error.what.includes('operation 3 of probe'),
    );
  });

  test('ends at once when whoever watches it has seen enough, and says why', async () => {
    let asked = 0;
    const { around, seen } = surroundings(() => undefined, {
      endRequested: () => (++asked > 5 ? 'it leaks' : null),
    });
    const outcome = await runLoad({ ...PLAN, durationMs: 60_000, floorIntervalMs: 60_000 }, around);
    assert.equal(outcome.endedEarly, 'it leaks');
    assert.equal(seen.floors, 2, 'the floor at the beginning and the closing one');
  });

  test('measures the floor more often at its beginning when it may be ended early', async () => {
    const floorsAt = async (firstFloorIntervalMs: number | undefined) => {
      const { around, seen } = surroundings(() => undefined);
      await runLoad({ ...PLAN, durationMs: 1500, floorIntervalMs: 700, firstFloorIntervalMs }, around);
      return seen.floors;
    };
    assert.ok((await floorsAt(undefined)) <= 5);
    assert.ok((await floorsAt(20)) >= 10);
  });

  test('ends when the surroundings say that memory is nearly used up', async () => {
    const { around } = surroundings(() => undefined, { mustStop: () => 'the heap is full' });
    const outcome = await runLoad({ ...PLAN, durationMs: 10_000 }, around);
    assert.equal(outcome.endedEarly, 'the heap is full');
  });

  test('ends soon after the signal is aborted', async () => {
    const stop = new AbortController();
    const { around } = surroundings(() => undefined, { signal: stop.signal });
    setTimeout(() => stop.abort(), 50);
    const outcome = await runLoad({ ...PLAN, durationMs: 60_000 }, around);
    assert.ok(outcome.completed < 200);
  });
});
