import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatBytes,
  formatBytesChange,
  formatCount,
  formatCountChange,
  formatDuration,
  formatLatency,
  formatPercent,
  formatRate,
  KIB,
  MIB,
} from '../../src/units.js';

test('bytes are read in the largest unit that leaves a whole number before the point', () => {
  assert.equal(formatBytes(0), '0 B');
  assert.equal(formatBytes(1023), '1023 B');
  assert.equal(formatBytes(10 * KIB), '10.0 KiB');
  assert.equal(formatBytes(-1.5 * MIB), '-1.5 MiB');
  assert.equal(formatBytes(-0.2), '0 B', 'no minus before a zero');
});

test('a change has its sign, and a count is grouped by thousands', () => {
  assert.equal(formatBytesChange(10 * KIB), '+10.0 KiB');
  assert.equal(formatBytesChange(-1), '-1 B');
  assert.equal(formatBytesChange(0), '0 B');
  assert.equal(formatCount(1_234_567), '1,234,567');
  assert.equal(formatCountChange(1000), '+1,000');
  assert.equal(formatCountChange(-1000), '-1,000');
  assert.equal(formatCountChange(-0), '0', 'no minus before a zero');
});

test('durations are read in at most two units', () => {
  assert.equal(formatDuration(250), '250ms');
  assert.equal(formatDuration(59_499), '59s');
  assert.equal(formatDuration(65_000), '1m 5s');
  assert.equal(formatDuration(8 * 3_600_000), '8h 0m');
});

test('latencies and rates keep three digits', () => {
  assert.equal(formatLatency(1.234), '1.23 ms');
  assert.equal(formatLatency(45.67), '45.7 ms');
  assert.equal(formatLatency(456.7), '457 ms');
  assert.equal(formatLatency(1234), '1.23 s');
  assert.equal(formatRate(0), '0');
  assert.equal(formatRate(1.234), '1.23');
  assert.equal(formatRate(12.34), '12.3');
  assert.equal(formatRate(499.8), '500');
  assert.equal(formatRate(99.97), '100');
  assert.equal(formatLatency(999.7), '1.00 s');
});

test('shares are read in percent with one digit where it says something', () => {
  assert.equal(formatPercent(0.956), '95.6 %');
  assert.equal(formatPercent(1), '100 %');
  assert.equal(formatPercent(0.29), '29 %');
});
