import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { showLines } from '../../../src/cli/line-display.js';
import type { RunnerEvents } from '../../../src/runner/progress.js';
import { aLeak, anInconclusive, aResult } from '../../fixtures/results.js';

const screen = { isTerminal: false, redraws: false, colour: false, width: 100 };

function display() {
  const runner = new EventEmitter<RunnerEvents>();
  const stop = new AbortController();
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  // Only write() is used of the stream.
  showLines(runner, stream as unknown as NodeJS.WriteStream, screen, stop.signal);
  return { runner, stop, text: () => text };
}

const plan = ['IdleBaseline', 'SingleOperation'] as const;
const planned = plan.map((scenario) => ({
  testId: `ScriptEngine/${scenario}`,
  target: 'ScriptEngine',
  scenario,
  plannedMs: 10_000,
}));

test('each finished test is a line with its verdict, its memory and its figures', () => {
  const { runner, text } = display();
  runner.emit('plan', planned);
  for (const [index, test] of planned.entries()) {
    runner.emit('testStart', test);
    for (const rssBytes of [50, 60, 100]) {
      const progress = {
        testId: test.testId,
        elapsedMs: 250,
        plannedMs: 10_000,
        operations: 1,
        phase: 'load' as const,
      };
      runner.emit('progress', { ...progress, rssBytes });
    }
    const result = { testId: test.testId, scenario: test.scenario, measurements: [] };
    runner.emit('testEnd', index === 0 ? aResult(result) : anInconclusive(result));
  }
  assert.equal(
    text(),
    [
      '[1/2] ✓ ScriptEngine IdleBaseline             no leak       ▁▂█                       peak 72.0 MiB  500 ops/s  10s\n',
      '[2/2] ~ ScriptEngine SingleOperation          inconclusive  ▁▂█                       peak 72.0 MiB  500 ops/s  10s\n',
    ].join(''),
  );
});

test('a violation is said the moment it is found, and log lines name their test', () => {
  const { runner, text } = display();
  const leak = aLeak({ testId: 'leaky/LongRunningStability' });
  const [violation] = leak.thresholdViolations;
  assert.ok(violation);
  runner.emit('log', 'leaky/LongRunningStability', 'load begins');
  runner.emit('alert', leak, violation);
  assert.equal(
    text(),
    '  leaky/LongRunningStability: load begins\n' +
      '  leaky/LongRunningStability: Critical: Memory leak detected: 4.9 MiB/s, 10.0 KiB per operation (confidence: 99.9 %)\n',
  );
});

test('a long test shows that it is alive, once a minute', () => {
  const { runner, text } = display();
  runner.emit('plan', planned);
  const [first] = planned;
  assert.ok(first);
  runner.emit('testStart', first);
  for (let elapsedMs = 0; elapsedMs <= 180_000; elapsedMs += 250) {
    runner.emit('progress', {
      testId: first.testId,
      elapsedMs,
      plannedMs: 200_000,
      operations: 1,
      phase: 'load',
      rssBytes: 1,
    });
  }
  assert.equal(text().trimEnd().split('\n').length, 3);
  assert.match(
    text(),
    /ScriptEngine\/IdleBaseline: load {6}1m 0s of 10s .*; 0 of 2 tests, .* elapsed, about 10s left/,
  );
});

test('an interruption is acknowledged', () => {
  const { stop, text } = display();
  stop.abort();
  assert.equal(text(), 'stopping; what is finished will be saved (Ctrl-C again quits at once)\n');
});
