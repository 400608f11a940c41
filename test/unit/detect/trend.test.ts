import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { studentTCumulative, studentTQuantile } from '../../../src/detect/student-t.js';
import { fitTrend, probabilitySlopeAbove, slopeInterval } from '../../../src/detect/trend.js';

const near = (actual: number, expected: number, tolerance: number) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected} +- ${tolerance}`);

describe("Student's t distribution", () => {
  test('agrees with the printed tables', () => {
    near(studentTCumulative(1.812, 10), 0.95, 1e-4);
    near(studentTCumulative(2.228, 10), 0.975, 1e-4);
    near(studentTCumulative(6.314, 1), 0.95, 1e-4);
    near(studentTCumulative(-2.998, 7), 0.01, 1e-4);
    near(studentTCumulative(0, 3), 0.5, 1e-12);
  });

  test('has the Cauchy distribution as its case of one degree of freedom', () => {
    fc.assert(
      fc.property(fc.double({ min: -50, max: 50, noNaN: true }), (t) => {
        near(studentTCumulative(t, 1), 0.5 + Math.atan(t) / Math.PI, 1e-9);
      }),
      { examples: [[0], [1e-12], [-3.141592651936198e-9], [1e-7]] },
    );
  });

  test('is inverted by its quantile', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        fc.integer({ min: 1, max: 200 }),
        (p, freedom) => {
          near(studentTCumulative(studentTQuantile(p, freedom), freedom), p, 1e-7);
        },
      ),
    );
  });
});

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

  test('holds the true slope in its interval about as often as it says, also with autocorrelated noise', () => {
    let held = 0;
    let seed = 1;
    const uniform = () => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const gaussian = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    const runs = 500;
    for (let run = 0; run < runs; run++) {
      let noise = 0;
      const x = Array.from({ length: 60 }, (_, i) => i);
      const y = x.map((value) => {
        noise = 0.5 * noise + gaussian();
        return 2 * value + noise;
      });
      const trend = fitTrend(x, y);
      assert.ok(trend);
      const [low, high] = slopeInterval(trend);
      if (low <= 2 && 2 <= high) held++;
    }
    near(held / runs, 0.95, 0.06);
  });

  test('is sure of a slope that stands out of the noise, and not of one that does not', () => {
    const noise = [3, -2, 1, -3, 2, -1, 3, -2, 0, 1];
    const x = noise.map((_, i) => i);
    const steep = fitTrend(
      x,
      x.map((value, i) => 10 * value + (noise[i] ?? 0)),
    );
    const level = fitTrend(x, noise);
    assert.ok(steep && level);
    assert.ok(probabilitySlopeAbove(steep, 0) > 0.999);
    assert.ok(probabilitySlopeAbove(level, 0) < 0.9);
  });
});
