import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Explained, ledgerOf } from '../../../src/attribute/ledger.js';
import { type MeasuredGrowth, totalOf } from '../../../src/attribute/measured-growth.js';

function aGrowth(overrides: Partial<MeasuredGrowth> = {}): MeasuredGrowth {
  return {
    operations: 1000,
    rounds: 3,
    heapBytes: 0,
    codeBytes: 0,
    externalBytes: 0,
    arrayBuffersBytes: 0,
    nativeBytes: 0,
    stackBytes: 0,
    ...overrides,
  };
}

function explaining(name: string, bytes: Partial<Explained> = {}): Explained {
  return {
    suspect: { kind: 'collection', className: 'Map', retainingPath: name },
    heapBytes: 0,
    externalBytes: 0,
    nativeBytes: 0,
    ...bytes,
  };
}

const NOTHING_MORE = { compilerBytes: 0, lacks: [] };
const bytes = fc.integer({ min: -1_000_000, max: 1_000_000_000 });
const claimed = fc.integer({ min: 0, max: 1_000_000_000 });

describe('the ledger of a leak', () => {
  test('sums to the measured growth to the byte, whatever suspects claim', () => {
    fc.assert(
      fc.property(
        fc.record({
          heap: bytes,
          code: bytes,
          external: bytes,
          native: claimed,
          stack: bytes,
          compiler: bytes,
        }),
        fc.array(fc.tuple(claimed, claimed, claimed), { maxLength: 8 }),
        fc.integer({ min: 1, max: 1_000_000 }),
        (parts, claims, operations) => {
          const growth = aGrowth({
            operations,
            heapBytes: parts.heap,
            codeBytes: parts.code,
            externalBytes: parts.external,
            nativeBytes: parts.native,
            stackBytes: parts.stack,
          });
          const explained = claims.map(([heapBytes, externalBytes, nativeBytes], index) =>
            explaining(`suspect ${index}`, { heapBytes, externalBytes, nativeBytes }),
          );
          const ledger = ledgerOf(growth, explained, { compilerBytes: parts.compiler, lacks: [] });
          const sum = ledger.entries.reduce((total, entry) => total + entry.bytesPerOperation, 0);
          assert.equal(Math.round(sum * operations), totalOf(growth));
          assert.equal(Math.round(ledger.measuredBytesPerOperation * operations), totalOf(growth));
          assert.ok(ledger.explainedShare >= 0 && ledger.explainedShare <= 1);
        },
      ),
    );
  });

  test('names the rest for what it is', () => {
    const growth = aGrowth({
      heapBytes: 500_000,
      externalBytes: 40_000,
      nativeBytes: 7000,
      stackBytes: 3000,
    });
    const ledger = ledgerOf(growth, [explaining('sessions', { heapBytes: 400_000, externalBytes: 30_000 })], {
      compilerBytes: 60_000,
      lacks: ['there was no third snapshot'],
    });
    assert.deepEqual(ledger.entries, [
      { name: 'sessions', bytesPerOperation: 430 },
      { name: 'JavaScript heap, unexplained', bytesPerOperation: 40 },
      { name: 'code and metadata of V8', bytesPerOperation: 60 },
      { name: 'external memory, unexplained', bytesPerOperation: 10 },
      { name: 'native allocator in use, unexplained', bytesPerOperation: 7 },
      { name: 'stacks of threads', bytesPerOperation: 3 },
    ]);
    assert.equal(ledger.explainedShare, 430 / 550);
    assert.deepEqual(ledger.lacks, ['there was no third snapshot']);
  });

  test('shows what suspects claim beyond the growth as a negative rest', () => {
    const ledger = ledgerOf(
      aGrowth({ heapBytes: 1000 }),
      [explaining('cache', { heapBytes: 1500 })],
      NOTHING_MORE,
    );
    assert.deepEqual(ledger.entries, [
      { name: 'cache', bytesPerOperation: 1.5 },
      { name: 'JavaScript heap, unexplained', bytesPerOperation: -0.5 },
    ]);
    assert.equal(ledger.explainedShare, 1);
  });
});
