import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fitPlatt } from '../../../scripts/truth/platt.js';
import { calibrated } from '../../../src/detect/calibration.js';
import { noise } from '../../fixtures/test-recordings.js';

describe('the confidence that is stated', () => {
  test('grows with the odds, and is never certainty', () => {
    const odds = [-500, -20, -3, -1, 0, 1, 3, 20, 500];
    for (const channels of ['withAllocator', 'withoutAllocator'] as const) {
      const stated = odds.map((logOdds) => calibrated(logOdds, channels));
      assert.deepEqual(
        [...stated].sort((a, b) => a - b),
        stated,
      );
      assert.ok(stated.every((probability) => probability > 0 && probability < 1));
    }
  });

  test('is fitted to how often it turned out to be true', () => {
    const random = noise(5);
    const outcomes = Array.from({ length: 4000 }, () => {
      const x = 1.5 * random();
      const uniform = 0.5 + Math.atan(1.6 * random()) / Math.PI;
      return { logOdds: Math.sinh(x), isLeak: uniform < 1 / (1 + Math.exp(-(0.6 * x + 0.3))) };
    });
    const { slope, offset } = fitPlatt(outcomes);
    const p = (x: number) => 1 / (1 + Math.exp(-(slope * x + offset)));
    const bin = outcomes.filter(({ logOdds }) => Math.abs(Math.asinh(logOdds) - 1) < 0.3);
    const share = bin.filter(({ isLeak }) => isLeak).length / bin.length;
    assert.ok(Math.abs(p(1) - share) < 0.06, `${p(1)} ${share}`);
  });

  test('stays finite where every series tells right from wrong', () => {
    const outcomes = Array.from({ length: 40 }, (_, i) => ({
      logOdds: i % 2 === 0 ? 30 : -30,
      isLeak: i % 2 === 0,
    }));
    const { slope, offset } = fitPlatt(outcomes);
    assert.ok(Number.isFinite(slope) && Number.isFinite(offset) && slope > 0);
  });
});
