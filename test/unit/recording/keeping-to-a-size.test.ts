import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type ChannelDefinition, loadCore, type NativeRecordingWriter } from '../../../src/native.js';
import {
  decodeRecording,
  encodeRecording,
  type Recording,
  readRecording,
} from '../../../src/recording/index.js';
import { BLOCK_BYTES, BLOCK_HEADER, BLOCK_MAGIC, BlockType } from '../../../src/recording/layout.js';
import { reduceBlocks } from '../../../src/recording/reduction.js';
import { RecordingWriter } from '../../../src/recording/writer.js';
import { folderWith } from '../../fixtures/folder.js';

const HEADER_BYTES = 4096;
const BYTES_MAX = HEADER_BYTES + 16 * BLOCK_BYTES;
const START_NS = 1_000_000_000n;

/** What is appended: wide groups of reals, so that blocks fill quickly, and a narrow one that is sampled rarely. */
interface Load {
  kinds: ChannelDefinition['kind'][];
  samples: number;
  seed: number;
}

const anyLoad: fc.Arbitrary<Load> = fc.record({
  kinds: fc.array(fc.constantFrom<ChannelDefinition['kind']>('integer', 'real', 'real'), {
    minLength: 24,
    maxLength: 40,
  }),
  samples: fc.integer({ min: 9_000, max: 16_000 }),
  seed: fc.integer(),
});

interface Appended {
  timesMs: number[];
  values: number[];
}

const channel = (name: string, kind: ChannelDefinition['kind']): ChannelDefinition => ({
  name,
  unit: 'bytes',
  kind,
  description: name,
});

/** @returns what each channel should hold, found the slow and obvious way, and the names of the events */
function append({ kinds, samples, seed }: Load, writer: NativeRecordingWriter, startNs: bigint) {
  const random = randomFrom(seed);
  const wide = writer.defineGroup(
    'wide',
    kinds.map((kind, i) => channel(`wide_${i}`, kind)),
  );
  const rare = writer.defineGroup('rare', [channel('rare', 'integer')]);
  const all = new Map<string, Appended>();
  const keep = (name: string, elapsedNs: number, value: number) => {
    const appended = all.get(name) ?? { timesMs: [], values: [] };
    all.set(name, appended);
    if (Number.isNaN(value)) return;
    appended.timesMs.push(elapsedNs / 1e6);
    appended.values.push(value);
  };
  const events: string[] = [];
  for (let n = 0; n < samples; n++) {
    const elapsedNs = n * 1_000_000 + Math.floor(random() * 1000);
    const timeNs = startNs + BigInt(elapsedNs);
    const values = kinds.map((kind) => {
      if (random() < 0.05) return Number.NaN;
      return kind === 'real' ? random() * 1e6 - 5e5 : Math.floor(random() * 2e9) - 1e9;
    });
    writer.append(wide, Float64Array.from(values), timeNs);
    values.forEach((value, i) => {
      keep(`wide_${i}`, elapsedNs, value);
    });
    if (n % 100 === 0) {
      writer.append(rare, Float64Array.of(n), timeNs);
      keep('rare', elapsedNs, n);
    }
    if (n % 1500 === 700) {
      const text = `${n} ${'x'.repeat(n === 2200 ? 100_000 : 10)}`;
      events.push(text);
      writer.event('noted', JSON.stringify(text), timeNs);
    }
  }
  return { all, events };
}

function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function assertNothingIsLost(recording: Recording, { all, events }: ReturnType<typeof append>): void {
  assert.deepEqual(recording.problems, []);
  assert.equal(recording.recordsDropped, 0);
  for (const [name, appended] of all) {
    const series = recording.series(name);
    const summaries = recording.summaries(name);
    assert.ok(series);
    const summarised = summaries.reduce((sum, { count }) => sum + count, 0);
    const whole = series.values.length - summaries.length;
    assert.equal(whole + summarised, appended.values.length, `${name}: every value counts`);
    assertMeasured(series, appended, name);
    for (const { firstMs, lastMs, count, min, max, mean, last } of summaries) {
      const from = appended.timesMs.findIndex((timeMs) => timeMs >= firstMs);
      const these = appended.values.slice(from, from + count);
      assert.ok((appended.timesMs[from + count - 1] as number) <= lastMs, name);
      assert.equal(min, Math.min(...these), name);
      assert.equal(max, Math.max(...these), name);
      assert.equal(last, these.at(-1), name);
      const exact = these.reduce((sum, value) => sum + value, 0) / count;
      assert.ok(Math.abs(mean - exact) <= 1e-6 * Math.max(Math.abs(min), Math.abs(max), 1), name);
    }
  }
  assert.deepEqual(
    recording.events('noted').map(({ detail }) => detail),
    events,
  );
}

/** Each point of a series is a value that was appended, in its order; times of summaries are those of the group. */
function assertMeasured(series: { values: Float64Array }, appended: Appended, name: string): void {
  let at = 0;
  for (const value of series.values) {
    while (at < appended.values.length && appended.values[at] !== value) at++;
    assert.ok(at < appended.values.length, `${name}: ${value} was measured`);
    at++;
  }
  assert.equal(series.values.at(-1), appended.values.at(-1), `${name} ends with what was measured last`);
}

describe('a recording that keeps to a size', () => {
  test('summarises its oldest samples, loses none, and never grows beyond it', () => {
    fc.assert(
      fc.property(anyLoad, (load) => {
        let expected: ReturnType<typeof append> | undefined;
        const bytes = encodeRecording({ header: '{}', startNs: START_NS, bytesMax: BYTES_MAX }, (writer) => {
          expected = append(load, writer, START_NS);
          assert.ok(writer.status().reductions > 0);
        });
        assert.ok(bytes.length <= BYTES_MAX, `${bytes.length} bytes`);
        const recording = decodeRecording(bytes);
        assert.ok(expected);
        assertNothingIsLost(recording, expected);
        assert.ok((recording.summarisedUntilMs ?? 0) < recording.endMs, 'the newest are whole');
        assert.equal(
          recording.summaries('rare').filter(({ count }) => count > 8).length,
          0,
          'rare ones last',
        );
      }),
      { numRuns: 4, endOnFailure: true },
    );
  });

  test('is the same to the byte from the native writer', (t) => {
    const path = join(folderWith(t), 'native.recording');
    fc.assert(
      fc.property(anyLoad, (load) => {
        const writer = loadCore().createRecording({ path, header: '{}', bytesMax: BYTES_MAX });
        const { startNs } = decodeRecording(readFileSync(path)).header;
        const expected = append(load, writer, startNs);
        const { reductions } = writer.status();
        writer.close();
        const native = readFileSync(path);
        assertNothingIsLost(decodeRecording(native), expected);
        const typescript = encodeRecording({ header: '{}', startNs, bytesMax: BYTES_MAX }, (twin) => {
          append(load, twin, startNs);
          assert.equal(twin.status().reductions, reductions);
        });
        const blocksOf = (bytes: Buffer) => significant(bytes.subarray(HEADER_BYTES));
        assert.ok(blocksOf(native).equals(blocksOf(typescript)), 'the two writers disagree');
      }),
      { numRuns: 3, endOnFailure: true },
    );
  });

  test('goes on for any time: what is older is coarser', () => {
    const samples = 400_000;
    const bytes = encodeRecording({ header: '{}', startNs: START_NS, bytesMax: BYTES_MAX }, (writer) => {
      const group = writer.defineGroup('process', [channel('rss_bytes', 'integer')]);
      const value = new Float64Array(1);
      for (let n = 0; n < samples; n++) {
        value[0] = 1e9 + (n % 977) * 4096;
        writer.append(group, value, START_NS + BigInt(n) * 1_000_000n);
      }
    });
    assert.ok(bytes.length <= BYTES_MAX);
    const recording = decodeRecording(bytes);
    assert.deepEqual(recording.problems, []);
    const summaries = recording.summaries('rss_bytes');
    const whole = recording.count('rss_bytes') - summaries.length;
    assert.equal(
      summaries.reduce((sum, { count }) => sum + count, whole),
      samples,
    );
    const [oldest, newest] = [summaries[0], summaries.at(-1)];
    assert.ok(oldest && newest && oldest.count > newest.count, `${oldest?.count} and ${newest?.count}`);
  });

  test('is read without what was reduced and not freed yet, should its writer die in between', (t) => {
    const load: Load = { kinds: new Array(30).fill('real'), samples: 2_000, seed: 7 };
    let expected: ReturnType<typeof append> | undefined;
    const whole = encodeRecording({ header: '{}', startNs: START_NS }, (writer) => {
      expected = append(load, writer, START_NS);
    });
    // Blocks 1 to 3 are the first of stream 1; their reduction lies behind all others.
    const reduced = reducedBlock(whole, [1, 2, 3], load.kinds);
    const path = join(folderWith(t), 'died.recording');
    writeFileSync(path, Buffer.concat([whole, reduced]));
    return readRecording(path).then((recording) => {
      assert.ok(expected);
      assertNothingIsLost(recording, expected);
      assert.ok(recording.summaries('wide_0').length > 0);
    });
  });

  test('that is full of events, which are kept as they are, says how many had no room', (t) => {
    const path = join(folderWith(t), 'events.recording');
    const options = { path, header: '{}', bytesMax: BYTES_MAX };
    for (const create of [RecordingWriter.create, loadCore().createRecording]) {
      const writer = create(options);
      const detail = JSON.stringify('y'.repeat(20_000));
      for (let n = 0; n < 100; n++) writer.event('large', detail);
      const { samplesDropped, failure } = writer.status();
      writer.close();
      const recording = decodeRecording(readFileSync(path));
      assert.ok(samplesDropped > 0);
      assert.match(failure ?? '', /the recording has the size that it may have/);
      assert.equal(recording.recordsDropped, samplesDropped);
      assert.match(recording.problems.join('\n'), /records were not written: the recording has the size/);
      assert.ok(recording.events('large').length > 30);
    }
  });

  test('needs room for the blocks of some threads', (t) => {
    const path = join(folderWith(t), 'tiny.recording');
    const wrong = { code: 'USAGE', message: /cannot be kept to 100000 bytes/ };
    assert.throws(() => loadCore().createRecording({ path, header: '{}', bytesMax: 100_000 }), wrong);
    assert.throws(() => encodeRecording({ header: '{}', bytesMax: 100_000 }, () => {}), wrong);
  });
});

function reducedBlock(file: Buffer, numbers: number[], kinds: Load['kinds']): Buffer {
  const blocks = numbers.map((number) => file.subarray(HEADER_BYTES + number * BLOCK_BYTES));
  const [first] = blocks as [Buffer];
  const payload = reduceBlocks(
    blocks.map((block) => ({
      payload: block.subarray(BLOCK_HEADER.size, BLOCK_HEADER.size + block.readUInt32LE(BLOCK_HEADER.used)),
      baseNs: Number(block.readBigInt64LE(BLOCK_HEADER.baseNs)),
    })),
    [undefined, { id: 1, kinds }, { id: 2, kinds: ['integer'] }],
  );
  assert.ok(payload);
  const made = Buffer.alloc(BLOCK_BYTES);
  made.writeUInt32LE(BLOCK_MAGIC, BLOCK_HEADER.magic);
  made.writeUInt8(BlockType.Reduced, BLOCK_HEADER.type);
  made.writeUInt16LE(BLOCK_HEADER.size, BLOCK_HEADER.payloadOffset);
  made.writeUInt32LE(first.readUInt32LE(BLOCK_HEADER.stream), BLOCK_HEADER.stream);
  made.writeUInt32LE(first.readUInt32LE(BLOCK_HEADER.sequence), BLOCK_HEADER.sequence);
  made.writeBigInt64LE(first.readBigInt64LE(BLOCK_HEADER.baseNs), BLOCK_HEADER.baseNs);
  made.writeUInt32LE(payload.length, BLOCK_HEADER.used);
  made.writeUInt32LE(numbers.length, BLOCK_HEADER.covered);
  made.writeUInt8(1, BLOCK_HEADER.level);
  made.set(payload, BLOCK_HEADER.size);
  return made;
}

/**
 * What counts of the blocks: free ones do not, nor what an earlier use has left behind the end, nor when the
 * groups in the catalogue block were defined, which no one decides.
 */
function significant(blocks: Buffer): Buffer {
  const copy = Buffer.from(blocks);
  copy.fill(0, BLOCK_HEADER.baseNs, BLOCK_HEADER.baseNs + 8);
  copy.fill(0, BLOCK_HEADER.lastNs, BLOCK_HEADER.lastNs + 8);
  for (let at = 0; at < copy.length; at += BLOCK_BYTES) {
    const block = copy.subarray(at, at + BLOCK_BYTES);
    const isFree = block.readUInt32LE(BLOCK_HEADER.magic) === 0;
    block.fill(0, isFree ? 0 : BLOCK_HEADER.size + block.readUInt32LE(BLOCK_HEADER.used));
  }
  return copy;
}
