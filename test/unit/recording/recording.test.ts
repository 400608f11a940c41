import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChannelDefinition } from '../../../src/native.js';
import { decodeRecording, encodeRecording, type RecordingWriter } from '../../../src/recording/index.js';

const channel = (name: string): ChannelDefinition => ({
  name,
  unit: 'bytes',
  kind: 'integer',
  description: '',
});
const ms = (count: number) => BigInt(count) * 1_000_000n;

function recorded(fill: (writer: RecordingWriter) => void) {
  return decodeRecording(
    encodeRecording({ header: '{"target":"x"}', startNs: 0n, startedAtEpochMs: 5, pid: 77 }, fill),
  );
}

describe('a recording', () => {
  test('leaves absent values out of their channel, and keeps those beside them', () => {
    const recording = recorded((writer) => {
      const group = writer.defineGroup('both', [channel('a_bytes'), channel('b_bytes')]);
      writer.append(group, Float64Array.of(1, 10), ms(1));
      writer.append(group, Float64Array.of(Number.NaN, 20), ms(2));
      writer.append(group, Float64Array.of(3, Number.NaN), ms(3));
    });
    assert.deepEqual(recording.series('a_bytes'), {
      timesMs: Float64Array.of(1, 3),
      values: Float64Array.of(1, 3),
    });
    assert.deepEqual(recording.series('b_bytes'), {
      timesMs: Float64Array.of(1, 2),
      values: Float64Array.of(10, 20),
    });
    assert.equal(recording.count('b_bytes'), 2);
  });

  test('has no series for a channel that it does not know', () => {
    const recording = recorded(() => {});
    assert.equal(recording.series('rss_bytes'), undefined);
    assert.equal(recording.count('rss_bytes'), 0);
    assert.equal(recording.endMs, 0);
  });

  test('says when and where it began', () => {
    assert.deepEqual(recorded(() => {}).header, {
      startedAtEpochMs: 5,
      startNs: 0n,
      pid: 77,
      formatVersion: '1.1',
      details: { target: 'x' },
    });
  });

  test('puts samples that came out of order into order', () => {
    const recording = recorded((writer) => {
      const group = writer.defineGroup('one', [channel('a_bytes')]);
      for (const at of [5, 1, 3]) writer.append(group, Float64Array.of(at * 10), ms(at));
    });
    assert.deepEqual(recording.series('a_bytes'), {
      timesMs: Float64Array.of(1, 3, 5),
      values: Float64Array.of(10, 30, 50),
    });
  });

  test('a phase lasts from its begin to its end; one that never ended lasts to the end of the recording', () => {
    const recording = recorded((writer) => {
      const mark = (phase: string, edge: string, at: number) =>
        writer.event('phase', JSON.stringify({ phase, edge }), ms(at));
      mark('setup', 'begin', 0);
      mark('setup', 'end', 10);
      mark('load', 'begin', 10);
      mark('load', 'end', 20);
      mark('load', 'begin', 30);
      writer.event('other', '1', ms(45));
    });
    assert.deepEqual(recording.phases(), [
      { phase: 'setup', startMs: 0, endMs: 10, complete: true },
      { phase: 'load', startMs: 10, endMs: 20, complete: true },
      { phase: 'load', startMs: 30, endMs: 45, complete: false },
    ]);
    assert.deepEqual(recording.events('other'), [{ name: 'other', elapsedMs: 45, detail: 1 }]);
  });

  test('a window holds its first and its last moment, and may be empty', () => {
    const recording = recorded((writer) => {
      const group = writer.defineGroup('one', [channel('a_bytes')]);
      for (let at = 0; at < 10; at++) writer.append(group, Float64Array.of(at), ms(at));
    });
    const series = recording.series('a_bytes');
    assert.ok(series);
    assert.deepEqual(Array.from(recording.window(series, 3, 5).values), [3, 4, 5]);
    assert.deepEqual(Array.from(recording.window(series, 3.5, 3.9).values), []);
    assert.deepEqual(Array.from(recording.window(series, 8, 100).values), [8, 9]);
    assert.deepEqual(Array.from(recording.window(series, 5, 3).values), []);
  });

  test('a channel name can be used once', () => {
    recorded((writer) => {
      writer.defineGroup('one', [channel('a_bytes')]);
      assert.throws(() => writer.defineGroup('two', [channel('a_bytes')]), { code: 'USAGE' });
    });
  });
});
