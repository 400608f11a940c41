import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { agentOptionsIn, environmentWithAgent } from '../../../src/capture/agent-options.js';

const OPTIONS = {
  folder: '/tmp/a "folder"',
  rateHz: 100,
  detailIntervalMs: 1000,
  collectEveryMs: 0,
  snapshotMode: 'fork' as const,
  allocationIntervalBytes: 524_288,
};

describe('the environment with the agent', () => {
  test('carries its options through', () => {
    assert.deepEqual(agentOptionsIn(environmentWithAgent({}, OPTIONS)), OPTIONS);
    assert.equal(agentOptionsIn({}), undefined);
  });

  test('keeps the NODE_OPTIONS that are there, and everything else', () => {
    const env = environmentWithAgent({ NODE_OPTIONS: '--max-old-space-size=99', OTHER: 'kept' }, OPTIONS);
    assert.match(env.NODE_OPTIONS ?? '', /^--require ".*agent-preload\.cjs" --max-old-space-size=99$/);
    assert.equal(env.OTHER, 'kept');
  });

  test('holds the agent once, also under record within record', () => {
    const once = environmentWithAgent({}, OPTIONS);
    const twice = environmentWithAgent(once, { ...OPTIONS, rateHz: 7 });
    assert.equal(twice.NODE_OPTIONS, once.NODE_OPTIONS);
    assert.equal(agentOptionsIn(twice)?.rateHz, 7);
  });
});
