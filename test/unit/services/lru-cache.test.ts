import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LruCache } from '../../../src/services/lru-cache.js';

test('what was not asked for longest goes first', () => {
  const removed: string[] = [];
  const cache = new LruCache<string>(30, (value) => removed.push(value));
  cache.set('a', 'A', 10);
  cache.set('b', 'B', 10);
  cache.set('c', 'C', 10);
  assert.equal(cache.get('a'), 'A');
  cache.set('d', 'D', 15);
  assert.deepEqual(removed, ['B', 'C']);
  assert.deepEqual(
    [...cache.contents()].map(({ key }) => key),
    ['a', 'd'],
  );
});

test('a value larger than the whole budget is not kept, and throws out nothing but its own older version', () => {
  const cache = new LruCache<string>(30);
  cache.set('a', 'A', 10);
  cache.set('b', 'B', 10);
  assert.equal(cache.set('b', 'larger', 31), false);
  assert.deepEqual([...cache.contents()], [{ key: 'a', value: 'A', bytes: 10 }]);
});

test('hits and misses are counted, and forgotten with the contents', () => {
  const cache = new LruCache<string>(10);
  cache.get('a');
  cache.set('a', 'A', 1);
  cache.get('a');
  cache.get('a');
  assert.deepEqual([cache.hits, cache.misses], [2, 1]);
  cache.clear();
  assert.deepEqual([cache.hits, cache.misses, cache.bytes, cache.entries], [0, 0, 0, 0]);
});

/** The same cache, slow and obvious: a list from oldest to newest. */
class ListCache {
  items: { key: string; value: number; bytes: number }[] = [];
  constructor(readonly budgetBytes: number) {}
  get(key: string): number | undefined {
    const item = this.items.find((candidate) => candidate.key === key);
    if (item) this.items = [...this.items.filter((candidate) => candidate !== item), item];
    return item?.value;
  }
  set(key: string, value: number, bytes: number): void {
    this.delete(key);
    if (bytes > this.budgetBytes) return;
    while (this.bytes() + bytes > this.budgetBytes) this.items.shift();
    this.items.push({ key, value, bytes });
  }
  delete(key: string): void {
    this.items = this.items.filter((candidate) => candidate.key !== key);
  }
  bytes(): number {
    return this.items.reduce((sum, { bytes }) => sum + bytes, 0);
  }
}

test('agrees with a plain list after any sequence of calls, and gives every value back exactly once', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const step = fc.oneof(
    fc.record({ call: fc.constant('get' as const), key }),
    fc.record({ call: fc.constant('delete' as const), key }),
    fc.record({ call: fc.constant('set' as const), key, bytes: fc.nat(60) }),
  );
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const removed: number[] = [];
      const cache = new LruCache<number>(50, (value) => removed.push(value));
      const list = new ListCache(50);
      let value = 0;
      let kept = 0;
      for (const each of steps) {
        if (each.call === 'get') assert.equal(cache.get(each.key), list.get(each.key));
        else if (each.call === 'delete') {
          cache.delete(each.key);
          list.delete(each.key);
        } else {
          if (cache.set(each.key, value, each.bytes)) kept++;
          list.set(each.key, value, each.bytes);
          value++;
        }
        assert.deepEqual([...cache.contents()], list.items);
        assert.equal(cache.bytes, list.bytes());
        assert.equal(cache.entries, list.items.length);
      }
      cache.clear();
      assert.equal(removed.length, kept);
      assert.equal(new Set(removed).size, kept);
    }),
  );
});
