import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { measuredGrowth, totalOf } from '../../../src/attribute/measured-growth.js';
import type { DiagnosisReading } from '../../../src/recording/diagnosis-record.js';
import { KIB, MIB } from '../../../src/units.js';

function reading(
  round: number,
  edge: 'begin' | 'end',
  given: Partial<DiagnosisReading> = {},
): DiagnosisReading {
  return {
    round,
    edge,
    operations: 100 * (round - (edge === 'begin' ? 1 : 0)),
    heapUsedBytes: 10 * MIB,
    codeBytes: 0,
    externalBytes: 0,
    arrayBuffersBytes: 0,
    mallocInUseBytes: 20 * MIB,
    stackBytes: 0,
    ...given,
  };
}

describe('what the rounds of a diagnosis left behind', () => {
  test('is counted within the rounds only: what a snapshot leaves between them is its own', () => {
    const growth = measuredGrowth([
      reading(1, 'begin', { heapUsedBytes: 10 * MIB }),
      reading(1, 'end', { heapUsedBytes: 11 * MIB }),
      reading(2, 'begin', { heapUsedBytes: 14 * MIB }),
      reading(2, 'end', { heapUsedBytes: 15 * MIB }),
    ]);
    assert.equal(growth?.heapBytes, 2 * MIB);
    assert.equal(growth?.operations, 200);
    assert.equal(growth?.rounds, 2);
  });

  test('has native memory only beyond what V8 knows of, and beyond what V8 itself takes', () => {
    const grown = (mallocBytes: number, externalBytes: number) =>
      measuredGrowth([
        reading(1, 'begin'),
        reading(1, 'end', { mallocInUseBytes: 20 * MIB + mallocBytes, externalBytes }),
      ]);
    assert.equal(grown(3 * MIB, 2 * MIB)?.nativeBytes, MIB);
    assert.equal(grown(3 * MIB, 3 * MIB)?.nativeBytes, 0);
    assert.equal(grown(100 * KIB, 0)?.nativeBytes, 0);
  });

  test('is native only where that grew by about as much in every round', () => {
    const rounds = [MIB, 100 * KIB, 4 * MIB].flatMap((bytes, index) => [
      reading(index + 1, 'begin'),
      reading(index + 1, 'end', { mallocInUseBytes: 20 * MIB + bytes }),
    ]);
    assert.equal(measuredGrowth(rounds)?.nativeBytes, 0);
    assert.equal(measuredGrowth(rounds.slice(0, 2))?.nativeBytes, MIB);
    // What was judged by the allocator may come in lumps.
    assert.equal(measuredGrowth(rounds, true)?.nativeBytes, 5 * MIB + 100 * KIB);
  });

  test('leaves out a round that did not end', () => {
    const growth = measuredGrowth([
      reading(1, 'begin'),
      reading(1, 'end', { heapUsedBytes: 11 * MIB }),
      reading(2, 'begin', { heapUsedBytes: 11 * MIB }),
    ]);
    assert.equal(growth && totalOf(growth), MIB);
    assert.equal(measuredGrowth([reading(1, 'begin')]), undefined);
  });
});
