import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sparkline } from '../../../src/report/index.js';

test('the lowest value is the lowest bar and the highest the highest', () => {
  assert.equal(sparkline([0, 1, 2, 3, 4, 5, 6, 7, 8]), '▁▂▃▄▅▆▇██');
  assert.equal(sparkline([1, 2, 4, 8]), '▁▂▄█');
});

test('a longer series is cut into stretches, and a peak is never lost', () => {
  const values = Array.from({ length: 1000 }, (_, index) => (index === 777 ? 100 : 1));
  assert.equal(sparkline(values, 10), '▁▁▁▁▁▁▁█▁▁');
});

test('noise of less than a tenth is not blown up to full height', () => {
  assert.equal(sparkline([100, 101, 100, 102]), '▁▁▁▂');
});

test('a constant series is flat, an empty one empty, and what is missing a gap', () => {
  assert.equal(sparkline([5, 5, 5]), '▁▁▁');
  assert.equal(sparkline([0, 0]), '▁▁');
  assert.equal(sparkline([]), '');
  assert.equal(sparkline([1, Number.NaN, 2]), '▁ █');
});
