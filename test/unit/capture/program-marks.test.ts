import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, type TestContext, test } from 'node:test';
import { MARK_CHANNEL, mark, OPERATION_CHANNEL, operation } from '../../../src/capture/program-marks.js';

function heard(t: TestContext, channel: string): unknown[] {
  const messages: unknown[] = [];
  const listener = (message: unknown) => void messages.push(message);
  subscribe(channel, listener);
  t.after(() => unsubscribe(channel, listener));
  return messages;
}

describe('what a program says of itself', () => {
  test('is nothing without an agent, and its operations run all the same', async () => {
    mark('load');
    operation();
    assert.equal(
      operation(() => 42),
      42,
    );
    assert.equal(await operation(async () => 43), 43);
  });

  test('is the phase that begins', (t) => {
    const marks = heard(t, MARK_CHANNEL);
    mark('load');
    assert.deepEqual(marks, [{ name: 'load' }]);
  });

  test('is each operation, with its beginning, its end and whether it failed', async (t) => {
    const steps = heard(t, OPERATION_CHANNEL);
    operation();
    operation(() => 42);
    const pending = operation(async () => 43);
    assert.deepEqual(steps.splice(0), [
      { step: 'done' },
      { step: 'begin' },
      { step: 'end' },
      { step: 'begin' },
    ]);
    assert.equal(await pending, 43);
    assert.deepEqual(steps.splice(0), [{ step: 'end' }]);

    const failure = new Error('of the program');
    const throwing = () => {
      throw failure;
    };
    assert.throws(() => operation(throwing), failure);
    await assert.rejects(
      operation(async () => throwing()),
      failure,
    );
    assert.deepEqual(steps, [
      { step: 'begin' },
      { step: 'end', failed: true },
      { step: 'begin' },
      { step: 'end', failed: true },
    ]);
  });

  test('does not cover up a rejection that nobody handles', () => {
    const module = new URL('../../../src/capture/program-marks.js', import.meta.url);
    const program = `
      import { subscribe } from 'node:diagnostics_channel';
      import { OPERATION_CHANNEL, operation } from ${JSON.stringify(module.href)};
      subscribe(OPERATION_CHANNEL, () => {});
      operation(() => Promise.reject(new Error('handled by nobody')));`;
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    });
    assert.equal(status, 1);
    assert.match(stderr, /handled by nobody/);
  });
});
