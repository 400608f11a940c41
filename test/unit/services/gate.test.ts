import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gate } from '../../../src/services/gate.js';

test('never lets in more than its capacity, and everyone in the order of arrival', async () => {
  const gate = new Gate(3);
  const entered: number[] = [];
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      gate.run(async () => {
        entered.push(i);
        most = Math.max(most, ++inside);
        assert.ok(gate.inside <= 3);
        await new Promise((resolve) => setImmediate(resolve));
        inside--;
      }),
    ),
  );
  assert.equal(most, 3);
  assert.deepEqual(
    entered,
    [...entered].sort((a, b) => a - b),
  );
  assert.deepEqual([gate.inside, gate.waiting], [0, 0]);
});

test('counts those who wait, and a task that fails frees its place', async () => {
  const gate = new Gate(1);
  const failing = gate.run(() => Promise.reject(new Error('broken')));
  const next = gate.run(async () => 'served');
  assert.deepEqual([gate.inside, gate.waiting], [1, 1]);
  await assert.rejects(failing, /broken/);
  assert.equal(await next, 'served');
  assert.deepEqual([gate.inside, gate.waiting], [0, 0]);
});
