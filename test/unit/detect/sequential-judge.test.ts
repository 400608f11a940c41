import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ANALYSIS_DEFAULTS } from '../../../src/detect/analysis-defaults.js';
import { judgeSoFar } from '../../../src/detect/recording-judge.js';
import { type Look, SequentialJudge, type SequentialPlan } from '../../../src/detect/sequential-judge.js';
import { KIB, MIB } from '../../../src/units.js';
import { type MadeUpTest, noise, recordingOf } from '../../fixtures/test-recordings.js';

const SETTINGS = { ...ANALYSIS_DEFAULTS, leakThresholdBytes: MIB, significanceThreshold: 0.95 };
const PLAN: SequentialPlan = {
  plannedMs: 3_600_000,
  stopEarly: 'any',
  expectedGrowthBytes: 16 * MIB,
  leakThresholdBytes: MIB,
};

/** Looks at a running test until it may stop or its time is over. */
function watched(made: MadeUpTest, change: Partial<SequentialPlan> = {}): { looks: Look[]; seconds: number } {
  const plan = { ...PLAN, ...change };
  const judge = new SequentialJudge(plan);
  const looks: Look[] = [];
  let seconds = 30;
  for (; seconds <= plan.plannedMs / 1000; ) {
    const recording = recordingOf({
      ...made,
      loadSeconds: seconds,
      // As many floor points as a test of that length has.
      floorIntervalSeconds: Math.max(0.5, seconds / 60),
      residentPerSecond: 1,
      isCutOff: true,
    });
    const soFar = judgeSoFar(recording, SETTINGS);
    assert.ok(soFar);
    const look = judge.look(soFar);
    looks.push(look);
    if (look.mayStop) break;
    seconds = look.nextLookMs / 1000;
  }
  return { looks, seconds };
}

const level = 40 * MIB;

describe('a test that is judged while it runs', () => {
  test('stops for a leak as soon as two looks agree and more is kept than may be', () => {
    const wobble = noise(5);
    const { looks, seconds } = watched({
      floorBytes: (at) => level + at * 0.2 * MIB + wobble() * 20 * KIB,
    });
    const last = looks.at(-1);
    assert.deepEqual([last?.verdict, last?.provisional, last?.mayStop], ['leak', false, true]);
    // 16 MiB are reached after 80 seconds; then one look more.
    assert.ok(seconds >= 80 && seconds <= 200, String(seconds));
    assert.ok(looks.slice(0, -1).every(({ provisional, mayStop }) => provisional && !mayStop));
  });

  test('calls the same growth provisional while a cache could look like it', () => {
    const { looks } = watched(
      { floorBytes: (at) => level + at * 0.2 * MIB },
      { plannedMs: 300_000, expectedGrowthBytes: 200 * MIB },
    );
    assert.ok(looks.every(({ mayStop }) => !mayStop));
    assert.equal(looks.at(-1)?.verdict, 'leak');
    assert.equal(looks.at(-1)?.provisional, true);
    assert.match(looks.at(-1)?.reason ?? '', /a cache that is filling could look the same/);
  });

  test('is not ended as a leak by a cache that fills within what it may keep', () => {
    const { looks } = watched(
      { floorBytes: (at) => level + Math.min(14, at * 0.02) * MIB },
      { stopEarly: 'leak' },
    );
    assert.ok(looks.every(({ mayStop }) => !mayStop));
  });

  test('stops as clean after half of its time at the earliest', () => {
    const wobble = noise(9);
    const { looks, seconds } = watched({ floorBytes: () => level + wobble() * 5 * KIB });
    assert.equal(looks.at(-1)?.mayStop, true, looks.at(-1)?.reason);
    assert.equal(looks.at(-1)?.verdict, 'no-leak');
    assert.ok(seconds >= 1800, String(seconds));
  });

  test('does not stop as clean where only leaks may end it, nor where growth could still reach the threshold', () => {
    const wobble = noise(9);
    const calm = watched({ floorBytes: () => level + wobble() * 5 * KIB }, { stopEarly: 'leak' });
    assert.ok(calm.looks.every(({ mayStop }) => !mayStop));
    const creeping = watched({ floorBytes: (at) => level + (at / 3600) * 1.4 * MIB });
    assert.ok(creeping.looks.every(({ mayStop }) => !mayStop));
  });

  test('is looked at a number of times that grows with the logarithm of its length', () => {
    const count = (plannedMs: number) =>
      watched({ floorBytes: () => level }, { plannedMs, stopEarly: 'leak' }).looks.length;
    assert.ok(count(3_600_000) <= 28, String(count(3_600_000)));
  });

  test('has no look before there are enough floor points', () => {
    const early = recordingOf({ loadSeconds: 2, isCutOff: true });
    assert.equal(judgeSoFar(early, SETTINGS), undefined);
  });
});
