import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { movingCounters } from '../../../src/attribute/moving-counters.js';
import { MIB } from '../../../src/units.js';
import { noise, recordingOf } from '../../fixtures/test-recordings.js';

describe('counters that move with the work', () => {
  test('are told with how much they rise per operation', () => {
    const recording = recordingOf({
      operationsPerSecond: 100,
      counted: { 'arc.model.strong_count': (seconds) => 5 + Math.floor(seconds * 50) },
    });
    const [counter, ...others] = movingCounters(recording);
    assert.deepEqual(others, []);
    assert.equal(counter?.channel, 'arc.model.strong_count');
    assert.ok(Math.abs((counter?.perOperation ?? 0) - 0.5) < 0.01, String(counter?.perOperation));
  });

  test('are told of a target that gave everything back when it was stopped', () => {
    const recording = recordingOf({
      afterTeardownBytes: 20 * MIB,
      counted: { 'arc.connection.values_count': (seconds) => 5 + Math.floor(seconds * 100) },
    });
    const [counter] = movingCounters(recording);
    assert.ok(Math.abs((counter?.perOperation ?? 0) - 1) < 0.01, String(counter?.perOperation));
  });

  test('do not include those that go up and down, stay, or count what ever was', () => {
    const random = noise(7);
    const recording = recordingOf({
      counted: {
        'resource.socket.open_count': () => 20 + Math.round(5 * random()),
        'mutex.lock.holders_count': () => 1,
        'arc.model.created_count': (seconds) => Math.round(seconds * 100),
      },
    });
    assert.deepEqual(movingCounters(recording), []);
  });

  test('are rarely found among many that only wander', () => {
    const random = noise(11);
    const names = Array.from({ length: 60 }, (_, index) => `counter.wandering_${index}`);
    const counted = Object.fromEntries(names.map((name) => [name, () => Math.round(1000 + 50 * random())]));
    assert.deepEqual(movingCounters(recordingOf({ counted })), []);
  });
});
