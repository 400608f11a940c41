import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { ChannelDefinition } from '../../../src/native.js';
import { csvLines, decodeRecording, encodeRecording, ndjsonLines } from '../../../src/recording/index.js';
import { anyScript, expectedOf, perform, type Script } from '../../fixtures/recordings.js';

const STARTED_AT_EPOCH_MS = 1_700_000_000_000;

function recorded(script: Script) {
  return decodeRecording(
    encodeRecording({ header: '{}', startNs: 0n, startedAtEpochMs: STARTED_AT_EPOCH_MS }, (writer) =>
      perform(script, writer, 0n),
    ),
  );
}

const channel = (name: string): ChannelDefinition => ({
  name,
  unit: 'bytes',
  kind: 'integer',
  description: '',
});

const TWO_GROUPS: Script = {
  groups: [
    { name: 'fast', channels: [channel('rss_bytes')] },
    { name: 'slow', channels: [channel('heap_used_bytes'), channel('custom.odd, "name"')] },
  ],
  steps: [
    { kind: 'sample', group: 0, elapsedNs: 1_500_000, values: [10] },
    { kind: 'sample', group: 1, elapsedNs: 1_500_000, values: [20, Number.NaN] },
    { kind: 'sample', group: 0, elapsedNs: 2_000_000, values: [11] },
    { kind: 'sample', group: 1, elapsedNs: 3_000_000, values: [21, 5] },
  ],
};

describe('the samples of a recording as rows', () => {
  test('as CSV: a row a moment, the wall clock first, what was not sampled then left empty', () => {
    assert.deepEqual(
      [...csvLines(recorded(TWO_GROUPS))],
      [
        't_ms,rss_bytes,heap_used_bytes,"custom.odd, ""name"""\n',
        '1700000000001.5,10,20,\n',
        '1700000000002,11,,\n',
        '1700000000003,,21,5\n',
      ],
    );
  });

  test('as NDJSON: an object a moment, without what was not sampled then', () => {
    assert.deepEqual(
      [...ndjsonLines(recorded(TWO_GROUPS))].map((line) => JSON.parse(line)),
      [
        { t_ms: 1700000000001.5, rss_bytes: 10, heap_used_bytes: 20 },
        { t_ms: 1700000000002, rss_bytes: 11 },
        { t_ms: 1700000000003, heap_used_bytes: 21, 'custom.odd, "name"': 5 },
      ],
    );
  });

  test('hold every sample of every channel once, in order of time, whatever was recorded', () => {
    fc.assert(
      fc.property(anyScript, (script) => {
        const rows = [...ndjsonLines(recorded(script))].map(
          (line) => JSON.parse(line) as Record<string, number>,
        );
        const times = rows.map((row) => row.t_ms as number);
        assert.deepEqual(
          times,
          [...times].sort((a, b) => a - b),
        );
        for (const [name, { values }] of expectedOf(script).series) {
          const found = rows.flatMap((row) => (name in row ? [row[name]] : []));
          // JSON has no -0.
          const wanted = values.filter(Number.isFinite).map((value) => value + 0);
          assert.deepEqual(found, wanted, name);
        }
      }),
      { numRuns: 60 },
    );
  });
});
