import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fitTrend } from '../../../src/detect/trend.js';

const near = (actual: number, expected: number, tolerance: number) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected} +- ${tolerance}`);

describe('a trend', () => {
  test('finds the line through points without noise', () => {
    const x = [0, 1, 2, 3, 4];
    const trend = fitTrend(
      x,
      x.map((value) => 7 + 3 * value),
    );
    assert.ok(trend);
    near(trend.slope, 3, 1e-9);
    near(trend.intercept, 7, 1e-9);
    near(trend.rSquared, 1, 1e-9);
  });

  test('keeps its precision on epoch times', () => {
    const x = Array.from({ length: 200 }, (_, i) => 1_764_000_000_000 + i);
    const trend = fitTrend(
      x,
      x.map((_, i) => 1e9 + 3 * i),
    );
    near(trend?.slope ?? 0, 3, 1e-6);
  });

  test('is undefined where x does not vary, and for two points', () => {
    assert.equal(fitTrend([1, 1, 1, 1], [1, 2, 3, 4]), undefined);
    assert.equal(fitTrend([1, 2], [1, 2]), undefined);
  });
});
