import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { messageOf } from '../../../src/errors.js';
import { loadCore } from '../../../src/native.js';
import { fastestArithmetic, TYPESCRIPT_ARITHMETIC } from '../../../src/recording/block-arithmetic.js';
import { crc32c } from '../../../src/recording/checksum.js';
import { encodeRecording } from '../../../src/recording/index.js';
import { BLOCK_BYTES, BLOCK_HEADER, CHECK_BYTES, HEADER_STEP_BYTES } from '../../../src/recording/layout.js';
import { decodeRecording } from '../../../src/recording/reader.js';
import { SampleColumns } from '../../../src/recording/sample-columns.js';
import { decodeSampleRun } from '../../../src/recording/sample-run.js';
import { anyScript, perform } from '../../fixtures/recordings.js';

/** Records that are samples of integers mostly, of groups 0 to 3, of which 2 is not there. */
const anyByte = fc.nat(255);
const difference = fc.oneof(
  { weight: 8, arbitrary: fc.nat(0x7f).map((byte) => [byte]) },
  { weight: 4, arbitrary: fc.tuple(anyByte, fc.nat(0x7f)).map(([low, high]) => [low | 0x80, high]) },
  { weight: 1, arbitrary: fc.array(anyByte, { minLength: 1, maxLength: 6 }) },
);
const sampleRecord = fc
  .tuple(fc.nat(3), fc.array(difference, { minLength: 1, maxLength: 4 }), fc.nat(2))
  .map(([group, differences, slack]) => {
    const content = [2, group, ...differences.flat(), ...Array.from({ length: slack }, () => 0)];
    return [content.length, 0, 0, ...content];
  });
const anyRecord = fc.oneof(
  { weight: 12, arbitrary: sampleRecord },
  { weight: 1, arbitrary: fc.array(anyByte, { maxLength: 12 }) },
);
const anyPayload = fc
  .tuple(fc.array(anyRecord, { maxLength: 60 }), fc.nat(3))
  .map(([records, cut]) => Uint8Array.from(records.flat()).subarray(0, -cut || undefined));

const CHANNELS = [1, 0, undefined, 3];

/** Decodes a payload to its end, record by record where a run ends, growing what is full. */
function decoded(payload: Uint8Array, decode: typeof decodeSampleRun) {
  const groups = CHANNELS.map((channels) =>
    channels === undefined ? undefined : new SampleColumns(channels),
  );
  // One that is full at once.
  for (const group of groups)
    group?.arrays.forEach((array, i) => {
      if (i > 0) group.arrays[i] = array.subarray(0, 2);
    });
  const place = Float64Array.of(0, 1e9, 5e8);
  const stops: number[] = [];
  for (let calls = 0; calls < 1000; calls++) {
    const full = decode(
      payload,
      place,
      groups.map((group) => group?.arrays),
    );
    stops.push(full, ...place);
    if (full >= 0) groups[full]?.grow(0);
    else if ((place[0] as number) + 1 + CHECK_BYTES < payload.length) place[0] = (place[0] as number) + 1;
    else break;
  }
  return { stops, groups: groups.map((group) => group && [group.arrays[0], group.timesMs, ...group.values]) };
}

/** What a reader makes of bytes: all of the recording, or the error. */
function readBy(bytes: Uint8Array, arithmetic = TYPESCRIPT_ARITHMETIC) {
  try {
    const recording = decodeRecording(bytes, 'some.recording', arithmetic);
    const { groups, problems, endMs, isClosed, header } = recording;
    return { groups, problems, endMs, isClosed, header, events: recording.events() };
  } catch (error) {
    return messageOf(error);
  }
}

/** As if the writer had written the damage: otherwise the checksum keeps it from the native decoder. */
function reseal(bytes: Buffer): void {
  for (let start = HEADER_STEP_BYTES; start + BLOCK_BYTES <= bytes.length; start += BLOCK_BYTES) {
    const from = start + bytes.readUInt16LE(start + BLOCK_HEADER.payloadOffset);
    const used = bytes.readUInt32LE(start + BLOCK_HEADER.used);
    const payload = bytes.subarray(from, Math.min(from + used, start + BLOCK_BYTES));
    bytes.writeUInt32LE(crc32c(payload), start + BLOCK_HEADER.payloadChecksum);
  }
}

describe('the arithmetic of blocks', () => {
  test('is native where the addon is there', () => {
    assert.notEqual(fastestArithmetic().decodeSampleRun, TYPESCRIPT_ARITHMETIC.decodeSampleRun);
  });

  test('native and TypeScript decode any payload alike, to the bit', () => {
    let samples = 0;
    fc.assert(
      fc.property(anyPayload, (payload) => {
        const typescript = decoded(payload, decodeSampleRun);
        assert.deepEqual(decoded(payload, loadCore().decodeSampleRun), typescript);
        for (const group of typescript.groups) samples += group?.[0]?.[0] ?? 0;
      }),
      { numRuns: 500, seed: 1 },
    );
    assert.ok(samples > 500, `${samples} samples were decoded`);
  });

  test('native and TypeScript give the same recording of any file, whole, cut or damaged', () => {
    const damages = fc.array(fc.tuple(fc.nat(), anyByte), { maxLength: 8 });
    fc.assert(
      fc.property(anyScript, damages, fc.boolean(), fc.option(fc.nat()), (script, damaged, resealed, cut) => {
        const bytes = encodeRecording({ header: '{}', startNs: 0n }, (writer) => perform(script, writer, 0n));
        const used = HEADER_STEP_BYTES + BLOCK_BYTES + BLOCK_HEADER.size + 2000;
        for (const [at, byte] of damaged) bytes[at % Math.min(used, bytes.length)] = byte;
        if (resealed) reseal(bytes);
        const file = cut === null ? bytes : bytes.subarray(0, cut % bytes.length);
        assert.deepEqual(readBy(file, fastestArithmetic()), readBy(file));
      }),
      { numRuns: 150 },
    );
  });

  test('native and TypeScript have the same checksum', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        assert.equal(loadCore().checksum(bytes), crc32c(bytes));
      }),
    );
  });

  test('columns that do not belong together are refused, not written to', () => {
    const { decodeSampleRun: decode } = loadCore();
    const payload = Uint8Array.of(4, 0, 0, 2, 0, 2, 2, 0, 0);
    const place = () => new Float64Array(3);
    const wrong: Float64Array[][] = [
      [new Float64Array(2)],
      [new Float64Array(1), new Float64Array(9), new Float64Array(9)],
      [new Float64Array(2), new Float64Array(9), new Float64Array(8)],
      [Float64Array.of(10, 0), new Float64Array(9), new Float64Array(9)],
      [Float64Array.of(-1, 0), new Float64Array(9), new Float64Array(9)],
      [Float64Array.of(Number.NaN, 0), new Float64Array(9), new Float64Array(9)],
    ];
    for (const group of wrong) assert.throws(() => decode(payload, place(), [group]), { code: 'USAGE' });
    assert.throws(() => decode(payload, Float64Array.of(10, 0, 0), []), { code: 'USAGE' });
    assert.equal(decode(payload, place(), []), -1);
  });
});
