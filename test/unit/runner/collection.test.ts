import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GCProfiler, getHeapStatistics } from 'node:v8';
import vm from 'node:vm';
import { collectGarbage } from '../../../src/runner/collection.js';

const usedBytes = () => {
  const heap = getHeapStatistics();
  return heap.used_heap_size + heap.external_memory;
};

describe('a forced collection', () => {
  test('frees what is held by nothing, and keeps what is held', async () => {
    await collectGarbage();
    const before = usedBytes();
    const kept = Array.from({ length: 100 }, () => Buffer.alloc(10_240));
    for (let i = 0; i < 1000; i++) Buffer.alloc(100_000);
    await collectGarbage();
    const grown = usedBytes() - before;
    assert.ok(Math.abs(grown - kept.length * 10_240) < 300_000, `${grown} bytes more are live`);
  });

  test('has happened when it is said to be over, at least twice', async () => {
    const profiler = new GCProfiler();
    profiler.start();
    await collectGarbage();
    const full = profiler.stop()?.statistics.filter(({ gcType }) => gcType === 'MarkSweepCompact') ?? [];
    assert.ok(full.length >= 2, `${full.length} full collections`);
  });

  test('frees contexts and compiled scripts that nobody runs any more', async () => {
    const compileMany = (from: number) => {
      for (let i = from; i < from + 300; i++) {
        const text = `const table = [${Array.from({ length: 100 }, (_, k) => `'entry ${i} ${k}'`).join(',')}]; table.length`;
        new vm.Script(text).runInContext(vm.createContext({}));
      }
    };
    compileMany(0);
    await collectGarbage();
    const before = usedBytes();
    compileMany(300);
    // What --expose-gc offers leaves them in V8's compilation cache.
    for (let i = 0; i < 3; i++) globalThis.gc?.();
    const left = usedBytes() - before;
    await collectGarbage();
    assert.ok(getHeapStatistics().number_of_native_contexts <= 2);
    assert.ok(usedBytes() - before < left / 2, `${usedBytes() - before} of ${left} bytes for 300 scripts`);
  });
});
