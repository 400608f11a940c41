import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Arc, counter, referenceCounts, registryMemory } from '../../../src/refcount/index.js';

const refcount = new URL('../../../src/refcount/index.js', import.meta.url).href;

/** A worker that has the refcount module as `rc`, and says 'done' when its program has run. */
function worker(program: string, data?: unknown): Worker {
  return new Worker(
    `const { parentPort, workerData, Worker } = require('node:worker_threads');
     import(${JSON.stringify(refcount)}).then(async (rc) => { ${program} parentPort.postMessage('done'); });`,
    { eval: true, workerData: data },
  );
}

const countsOf = (name: string) => referenceCounts().find((each) => each.name === name);

test('workers count into the same memory, all at once, and not one count is lost', async () => {
  const each = 200_000;
  const mine = counter('worker.additions');
  const arc = Arc.of({}, { name: 'worker.arcs' });
  const workers = Array.from({ length: 4 }, () =>
    worker(
      `const c = rc.counter('worker.additions');
       const arc = rc.Arc.of({}, { name: 'worker.arcs' });
       for (let i = 0; i < workerData; i++) { c.add(1); arc.clone().drop(); }
       arc.drop();`,
      each,
    ),
  );
  const done = Promise.all(workers.map((one) => once(one, 'message')));
  for (let i = 0; i < each; i++) {
    mine.add(1);
    arc.clone().drop();
  }
  await done;
  await Promise.all(workers.map((one) => one.terminate()));
  arc.drop();
  assert.equal(mine.value, 5 * each);
  const { strong, created, dropped, values, abandoned } = countsOf('worker.arcs') ?? {};
  assert.deepEqual([strong, created, dropped, values, abandoned], [0, 5 * each + 5, 5 * each + 5, 0, 0]);
});

test('a worker of a worker shares it too', async () => {
  const inner = `import(${JSON.stringify(refcount)}).then((rc) => { rc.counter('worker.nested').add(2); })`;
  const outer = worker(
    `rc.counter('worker.nested').add(1);
     await new Promise((gone) => new Worker(workerData, { eval: true }).once('exit', gone));`,
    inner,
  );
  await once(outer, 'message');
  await outer.terminate();
  assert.equal(counter('worker.nested').value, 3);
});

test('what a worker held when it ended is abandoned: neither held nor leaked', async () => {
  const one = worker(
    `globalThis.kept = [rc.Arc.of({}, { name: 'worker.ended' })];
     for (let i = 0; i < 4; i++) kept.push(kept[0].clone());
     kept.pop().drop();
     kept.push(kept[0].downgrade());
     rc.trackResource('worker.handle', globalThis);
     await new rc.Mutex(0, { name: 'worker.lock' }).lock();
     rc.counter('worker.lasting').add(5);`,
  );
  await once(one, 'message');
  assert.deepEqual([countsOf('worker.ended')?.strong, countsOf('worker.ended')?.weak], [4, 1]);
  await one.terminate();
  const { strong, weak, created, dropped, leaked, abandoned, values } = countsOf('worker.ended') ?? {};
  assert.deepEqual([strong, weak, created, dropped, leaked, abandoned, values], [0, 0, 5, 1, 0, 4, 0]);
  assert.deepEqual([countsOf('worker.handle')?.strong, countsOf('worker.handle')?.abandoned], [0, 1]);
  assert.deepEqual([countsOf('worker.lock')?.strong, countsOf('worker.lock')?.abandoned], [0, 1]);
  assert.equal(counter('worker.lasting').value, 5, 'a counter says what it was told');
});

test('workers that come and go use the slots of those that have gone, and keep what was counted', async () => {
  const slotsUsed = () => new Int32Array(registryMemory().buffer)[3] as number;
  const before = slotsUsed();
  for (let i = 0; i < 6; i++) {
    const one = worker(`for (let i = 0; i < 100; i++) rc.counter('worker.turn ' + i).add(1);`);
    await once(one, 'message');
    await one.terminate();
  }
  assert.equal(slotsUsed() - before, 100);
  for (let i = 0; i < 100; i++) assert.equal(counter(`worker.turn ${i}`).value, 6);
});
