import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeDifference } from '../../../src/detect/difference.js';
import { studentQuantile } from '../../../src/detect/student.js';
import { KIB, MIB } from '../../../src/units.js';
import { noise, recordingOf } from '../../fixtures/test-recordings.js';

const SETTINGS = {
  leakThresholdBytes: MIB,
  minSamples: 10,
  significanceThreshold: 0.95,
  enablePatternAnalysis: true,
};

type Floor = (seconds: number, wobble: number) => number;

function compared(base: Floor, head: Floor, rounds = 3) {
  return judgeDifference(
    Array.from({ length: rounds }, (_, i) => {
      const made = (floor: Floor, seed: number) => {
        const wobble = noise(seed);
        return recordingOf({
          loadSeconds: 20,
          floorBytes: (seconds) => floor(seconds, wobble() * 30 * KIB),
        });
      };
      return { base: made(base, 3 + 2 * i), head: made(head, 4 + 2 * i) };
    }),
    SETTINGS,
  );
}

const shared: Floor = (seconds, wobble) =>
  30 * MIB + 8 * MIB * (1 - Math.exp(-seconds / 3)) + seconds * 300 * KIB + wobble;

describe('the difference of two builds', () => {
  test('is no leak when both warm up and leak alike', () => {
    const result = compared(shared, shared);
    assert.equal(result.verdict, 'no-leak', result.explanation);
    const [low, high] = result.bytesPerOperationInterval ?? [1, 1];
    assert.ok(low < 0 && high > 0, 'no difference lies in the interval');
  });

  test('is a leak when the new build keeps more of every operation, with how much', () => {
    const result = compared(shared, (at, wobble) => shared(at, wobble) + at * 200 * KIB);
    assert.equal(result.verdict, 'leak', result.explanation);
    const truth = 2 * KIB;
    const [low, high] = result.bytesPerOperationInterval ?? [0, 0];
    assert.ok(low < truth && truth < high, `${low} ${high}`);
    assert.ok(Math.abs((result.bytesPerOperation ?? 0) - truth) < 0.05 * truth);
    assert.equal(result.patternType, 'linear');
  });

  test('is no leak when the new build has a larger cache that fills, or keeps more from the start', () => {
    const cache = compared(shared, (at, wobble) => shared(at, wobble) + Math.min(4, at) * 2 * MIB);
    assert.notEqual(cache.verdict, 'leak', cache.explanation);
    const level = compared(shared, (at, wobble) => shared(at, wobble) + 5 * MIB);
    assert.equal(level.verdict, 'no-leak', level.explanation);
    assert.ok(Math.abs((level.levelBytes ?? 0) - 5 * MIB) < 0.2 * MIB);
  });

  test('is no leak, but less than nothing, when the known build leaked more', () => {
    const result = compared((at, wobble) => shared(at, wobble) + at * 200 * KIB, shared);
    assert.equal(result.verdict, 'no-leak', result.explanation);
    assert.ok((result.bytesPerOperationInterval?.[1] ?? 0) < 0);
  });

  test('is not judged from a single round, nor from a round that says otherwise', () => {
    const more: Floor = (at, wobble) => shared(at, wobble) + at * 200 * KIB;
    const single = compared(shared, more, 1);
    assert.equal(single.verdict, 'inconclusive');
    assert.match(single.remedy ?? '', /at least 2 rounds/);
    const rounds = [shared, more].map((head, i) => ({
      base: recordingOf({ loadSeconds: 20, floorBytes: (at) => (i === 0 ? more : shared)(at, 0) }),
      head: recordingOf({ loadSeconds: 20, floorBytes: (at) => head(at, 0) + i * at * 300 * KIB }),
    }));
    assert.notEqual(judgeDifference(rounds, SETTINGS).verdict, 'leak');
  });

  test('is not judged without a load', () => {
    const empty = recordingOf({ loadSeconds: 1, floorIntervalSeconds: 1 });
    const result = judgeDifference([{ base: empty, head: empty }], SETTINGS);
    assert.equal(result.verdict, 'inconclusive');
    assert.match(result.explanation, /no floor under load/);
  });
});

test("Student's quantile is that of the tables", () => {
  for (const [degrees, quantile] of [
    [1, 12.706],
    [2, 4.3027],
    [3, 3.1824],
    [4, 2.7764],
    [10, 2.2281],
    [30, 2.0423],
    [1000, 1.9623],
  ] as const) {
    assert.ok(Math.abs(studentQuantile(0.05, degrees) / quantile - 1) < 1e-3, String(degrees));
  }
});
