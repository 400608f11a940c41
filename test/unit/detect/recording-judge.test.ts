import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JudgeSettings } from '../../../src/detect/judge.js';
import { judgeByCompetition } from '../../../src/detect/recording-judge.js';
import { KIB, MIB } from '../../../src/units.js';
import { type MadeUpTest, noise, recordingOf } from '../../fixtures/test-recordings.js';

const SETTINGS: JudgeSettings = {
  leakThresholdBytes: MIB,
  minSamples: 10,
  significanceThreshold: 0.95,
  enablePatternAnalysis: true,
};

const judge = (made: MadeUpTest, change: Partial<JudgeSettings> = {}) =>
  judgeByCompetition(recordingOf(made), { ...SETTINGS, ...change });

describe('the judge of recordings', () => {
  test('calls steady growth a leak, with its rate per second and per operation', () => {
    const wobble = noise(7);
    const result = judge({
      floorBytes: (seconds) => 20 * MIB + seconds * 100 * 10 * KIB + wobble() * 20 * KIB,
      operationsPerSecond: 100,
    });
    assert.equal(result.verdict, 'leak');
    assert.equal(result.leakDetected, true);
    assert.ok(Math.abs((result.bytesPerOperation ?? 0) - 10 * KIB) < 0.02 * 10 * KIB);
    assert.ok(Math.abs((result.leakRate ?? 0) - 1000 * KIB) < 0.02 * 1000 * KIB);
    const [low, high] = result.bytesPerOperationInterval ?? [0, 0];
    assert.ok(low < 10 * KIB && 10 * KIB < high, 'the truth lies in the interval');
    assert.ok(result.confidence >= 0.95);
  });

  test('clears a level floor, and says what it would not have seen', () => {
    const wobble = noise(3);
    const result = judge({ floorBytes: () => 20 * MIB + wobble() * 20 * KIB });
    assert.equal(result.verdict, 'no-leak');
    assert.match(result.power ?? '', /a leak of less than .* per operation would not have been seen/);
  });

  test('is not taken in by a cache that fills and then stays', () => {
    const result = judge({ floorBytes: (seconds) => 20 * MIB + Math.min(seconds, 4) * 2 * MIB });
    assert.notEqual(result.verdict, 'leak');
  });

  test('is not taken in by a warm-up that dies away', () => {
    const result = judge({ floorBytes: (seconds) => 20 * MIB + 8 * MIB * (1 - Math.exp(-seconds / 2)) });
    assert.notEqual(result.verdict, 'leak');
  });

  test('is not disturbed by peaks that are gone again at the next floor point', () => {
    const peaks = (seconds: number) => (Math.round(seconds * 2) % 5 === 4 ? 10 * MIB : 0);
    assert.equal(judge({ floorBytes: (seconds) => 20 * MIB + peaks(seconds) }).verdict, 'no-leak');
    const leaking = judge({ floorBytes: (seconds) => 20 * MIB + peaks(seconds) + seconds * MIB });
    assert.equal(leaking.verdict, 'leak');
    assert.ok(Math.abs((leaking.leakRate ?? 0) - MIB) < 0.05 * MIB);
  });

  test('calls growth below the threshold neither a leak nor clean, and says how long it would take', () => {
    const result = judge({ floorBytes: (seconds) => 20 * MIB + seconds * 30 * KIB });
    assert.equal(result.verdict, 'inconclusive');
    assert.match(result.remedy ?? '', /let the load last about/);
    assert.ok((result.neededSeconds ?? 0) > 34, 'at 30 KiB/s it takes 34 s to reach 1 MiB');
  });

  test('has no verdict from too few floor points, and says how long the load must last', () => {
    const result = judge({ floorBytes: () => 20 * MIB, floorIntervalSeconds: 2 });
    assert.equal(result.verdict, 'inconclusive');
    assert.match(result.explanation, /6 floor points .* fewer than the 10/);
    assert.ok((result.neededSeconds ?? 0) >= 15);
  });

  test('has no verdict where noise hides the threshold', () => {
    const wobble = noise(11);
    const result = judge({ floorBytes: () => 200 * MIB + wobble() * 20 * MIB });
    assert.equal(result.verdict, 'inconclusive');
  });

  test('has no verdict on a recording without a load', () => {
    const result = judge({ loadSeconds: 0, floorIntervalSeconds: 1 });
    assert.equal(result.verdict, 'inconclusive');
  });

  test('judges what was recorded before the process died', () => {
    const result = judge({ isCutOff: true, floorBytes: (seconds) => 20 * MIB + seconds * MIB });
    assert.equal(result.verdict, 'leak');
  });

  test('never puts NaN into a result', () => {
    for (const floorBytes of [() => 0, (seconds: number) => seconds, () => 1e15]) {
      const text = JSON.stringify(judge({ floorBytes, operationsPerSecond: 0 }));
      assert.doesNotMatch(text, /NaN/);
    }
    const { bytesPerOperation } = judge({ operationsPerSecond: 0 });
    assert.equal(bytesPerOperation, null, 'without operations there is nothing per operation');
  });
});

describe('the pattern of a leak', () => {
  const patternOf = (floorBytes: (seconds: number) => number) => {
    const wobble = noise(5);
    const result = judge({
      floorBytes: (seconds) => floorBytes(seconds) + wobble() * 50 * KIB,
      loadSeconds: 40,
    });
    assert.equal(result.verdict, 'leak', result.explanation);
    return result.patternAnalysis?.patternType;
  };

  test('is linear for steady growth', () => {
    assert.equal(
      patternOf((seconds) => 20 * MIB + seconds * MIB),
      'linear',
    );
  });
  test('is stepped for growth in equal steps at equal distances', () => {
    assert.equal(
      patternOf((seconds) => 20 * MIB + Math.floor(seconds / 5) * 5 * MIB),
      'stepped',
    );
  });
  test('is sporadic for steps at odd distances', () => {
    const steps = [3, 5, 20, 22, 36];
    assert.equal(
      patternOf((seconds) => 20 * MIB + steps.filter((at) => at <= seconds).length * 5 * MIB),
      'sporadic',
    );
  });
  test('is exponential where the growth doubles and doubles', () => {
    assert.equal(
      patternOf((seconds) => 20 * MIB + 64 * KIB * 2 ** (seconds / 8)),
      'exponential',
    );
  });
  test('is cyclic where a rising floor falls back again and again', () => {
    assert.equal(
      patternOf((seconds) => 40 * MIB + seconds * MIB + 6 * MIB * Math.sin(seconds * 1.5)),
      'cyclic',
    );
  });
  test('is left out when it is not wanted', () => {
    const made = { floorBytes: (seconds: number) => 20 * MIB + seconds * MIB };
    assert.equal(judge(made).patternAnalysis?.patternType, 'linear');
    assert.equal(judge(made, { enablePatternAnalysis: false }).patternAnalysis, undefined);
  });
});
