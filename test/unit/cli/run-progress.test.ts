import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunProgress } from '../../../src/cli/run-progress.js';
import type { PlannedTest } from '../../../src/runner/progress.js';
import { aResult } from '../../fixtures/results.js';

const planned = (target: string, plannedMs: number): PlannedTest => ({
  testId: `${target}/SingleOperation`,
  target,
  scenario: 'SingleOperation',
  plannedMs,
});

const update = (testId: string, elapsedMs: number, rssBytes: number | null = null) => ({
  testId,
  phase: 'load' as const,
  elapsedMs,
  plannedMs: 10_000,
  rssBytes,
  operations: 5,
});

test('what is left is the plan of the waiting tests and the rest of the running one', () => {
  let now = 1000;
  const progress = new RunProgress([planned('a', 10_000), planned('b', 20_000)], () => now);
  assert.equal(progress.remainingMs, 30_000);
  progress.started(planned('a', 10_000));
  now = 5000;
  progress.progressed(update('a/SingleOperation', 4000));
  assert.equal(progress.elapsedMs, 4000);
  assert.equal(progress.remainingMs, 26_000);
  progress.progressed(update('a/SingleOperation', 15_000));
  assert.equal(progress.remainingMs, 20_000, 'a test that takes longer than planned adds nothing');
  progress.ended(aResult({ testId: 'a/SingleOperation' }));
  assert.equal(progress.finishedCount, 1);
  assert.equal(progress.remainingMs, 20_000);
});

test('two targets of the same name are told apart by their order', () => {
  const progress = new RunProgress([planned('a', 1), planned('a', 2)]);
  const first = progress.started(planned('a', 1));
  progress.ended(aResult({ testId: 'a/SingleOperation' }));
  const second = progress.started(planned('a', 2));
  assert.notEqual(first, second);
  assert.equal(progress.running, second);
  progress.ended(aResult({ testId: 'a/SingleOperation' }));
  assert.equal(progress.finishedCount, 2);
});

test('the trace of a long test stays short and keeps its peaks', () => {
  const progress = new RunProgress([planned('a', 1)]);
  progress.started(planned('a', 1));
  const points = 100_000;
  for (let i = 0; i < points; i++) {
    progress.progressed(update('a/SingleOperation', i, i === 70_001 ? 999 : i / points));
  }
  const trace = progress.running?.trace ?? [];
  assert.ok(trace.length >= 32 && trace.length <= 128, `${trace.length} points`);
  assert.equal(Math.max(...trace), 999);
  assert.ok((trace[0] ?? 1) < 0.1, 'the beginning is still there');
});

test('a process whose memory cannot be read leaves no points', () => {
  const progress = new RunProgress([planned('a', 1)]);
  progress.started(planned('a', 1));
  progress.progressed(update('a/SingleOperation', 1, null));
  assert.deepEqual(progress.running?.trace, []);
});
