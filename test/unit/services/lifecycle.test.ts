import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lifecycle } from '../../../src/services/lifecycle.js';

function recorded(open: () => Promise<void> = async () => undefined) {
  const log: string[] = [];
  const lifecycle = new Lifecycle({
    service: 'Example',
    open: async () => {
      log.push('open');
      await open();
    },
    close: async () => {
      log.push('close');
    },
  });
  return { lifecycle, log };
}

test('work is accepted only between start and stop', async () => {
  const { lifecycle } = recorded();
  const refused = { code: 'SERVICE_NOT_STARTED', what: 'Example cannot work now' };
  await assert.rejects(
    lifecycle.run(async () => 1),
    refused,
  );
  await lifecycle.start();
  assert.equal(await lifecycle.run(async () => 1), 1);
  const stopping = lifecycle.stop();
  await assert.rejects(
    lifecycle.run(async () => 1),
    refused,
  );
  await stopping;
});

test('stop lets accepted work end before it closes anything', async () => {
  const { lifecycle, log } = recorded();
  await lifecycle.start();
  let finish = () => undefined as void;
  const work = lifecycle.run(() => new Promise<void>((resolve) => (finish = resolve)));
  assert.equal(lifecycle.tasks, 1);
  const stopping = lifecycle.stop();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(log, ['open']);
  finish();
  await Promise.all([work, stopping]);
  assert.deepEqual(log, ['open', 'close']);
  assert.equal(lifecycle.tasks, 0);
});

test('starting or stopping twice does nothing the second time, and a stopped service starts again', async () => {
  const { lifecycle, log } = recorded();
  await lifecycle.stop();
  await Promise.all([lifecycle.start(), lifecycle.start()]);
  await Promise.all([lifecycle.stop(), lifecycle.stop()]);
  await Promise.all([lifecycle.start(), lifecycle.stop(), lifecycle.start()]);
  assert.deepEqual(log, ['open', 'close', 'open', 'close', 'open']);
  assert.equal(await lifecycle.run(async () => 1), 1);
});

test('a start that fails gives back what it took, and may be tried again', async () => {
  let isBroken = true;
  const { lifecycle, log } = recorded(async () => {
    if (isBroken) throw new Error('port taken');
  });
  await assert.rejects(lifecycle.start(), /port taken/);
  assert.deepEqual(log, ['open', 'close']);
  isBroken = false;
  await lifecycle.start();
  assert.equal(await lifecycle.run(async () => 1), 1);
});
