import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { ChannelDefinition } from '../../../src/native.js';
import { decodeRecording, encodeRecording } from '../../../src/recording/index.js';
import { processSeriesOf } from '../../../src/recording/recorded-process.js';

const channel = (name: string): ChannelDefinition => ({
  name,
  unit: 'bytes',
  kind: 'integer',
  description: '',
});

/** Times at which a channel has the values 0, 1, 2, ... */
const timesMs = fc.array(fc.nat(40), { minLength: 1, maxLength: 200 }).map((steps) => {
  let ms = 0;
  return steps.map((step) => {
    ms += step;
    return ms;
  });
});

describe('a recording as a series of one process', () => {
  test('every signal has the value that its channel had last, at each time of the resident memory', () => {
    fc.assert(
      fc.property(timesMs, timesMs, (rss, heap) => {
        const bytes = encodeRecording({ header: '{}', startNs: 0n }, (writer) => {
          for (const [name, times] of [
            ['rss_bytes', rss],
            ['heap_used_bytes', heap],
          ] as const) {
            const group = writer.defineGroup(name, [channel(name)]);
            times.forEach((ms, i) => {
              writer.append(group, Float64Array.of(i), BigInt(ms) * 1_000_000n);
            });
          }
        });
        const series = processSeriesOf(decodeRecording(bytes));
        assert.deepEqual(Array.from(series.timesMs), rss);
        assert.deepEqual(
          Array.from(series.signals.heapUsed ?? []),
          rss.map((ms) => {
            const at = heap.findLastIndex((time) => time <= ms);
            return at < 0 ? Number.NaN : at;
          }),
        );
      }),
    );
  });

  test('of more samples than are needed every so many are taken, the first among them', () => {
    const bytes = encodeRecording({ header: '{}', startNs: 0n }, (writer) => {
      const group = writer.defineGroup('process', [channel('rss_bytes')]);
      for (let ms = 0; ms < 10_000; ms++) writer.append(group, Float64Array.of(ms), BigInt(ms) * 1_000_000n);
    });
    const { timesMs: times, signals } = processSeriesOf(decodeRecording(bytes));
    assert.equal(times.length, 3334);
    assert.deepEqual(Array.from(times.subarray(0, 3)), [0, 3, 6]);
    assert.deepEqual(signals.rss, times);
  });
});
