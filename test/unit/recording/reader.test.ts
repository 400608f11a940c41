import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { CrucibleMemoryError } from '../../../src/errors.js';
import { type ChannelDefinition, loadCore } from '../../../src/native.js';
import { crc32c } from '../../../src/recording/checksum.js';
import {
  decodeRecording,
  encodeRecording,
  RecordingWriter,
  readRecording,
} from '../../../src/recording/index.js';
import { BLOCK_BYTES, BLOCK_HEADER, FILE_HEADER, HEADER_STEP_BYTES } from '../../../src/recording/layout.js';
import { folderWith } from '../../fixtures/folder.js';

const RSS: ChannelDefinition = {
  name: 'rss_bytes',
  unit: 'bytes',
  kind: 'integer',
  description: 'resident set',
};

/** Sample i is i * 4096 bytes at i ms; an event every 100 samples. Long enough for several data blocks. */
const SAMPLES = 20_000;
const long = encodeRecording({ header: '{}', startNs: 0n }, (writer) => {
  const group = writer.defineGroup('process', [RSS]);
  for (let i = 0; i < SAMPLES; i++) {
    writer.append(group, Float64Array.of(i * 4096), BigInt(i) * 1_000_000n);
    if (i % 100 === 0) writer.event('mark', JSON.stringify(i), BigInt(i) * 1_000_000n);
  }
});
const BLOCKS = (long.length - HEADER_STEP_BYTES) / BLOCK_BYTES;

/** Where block `number` begins: 0 is the catalogue, the others are data. */
const blockStart = (number: number) => HEADER_STEP_BYTES + number * BLOCK_BYTES;

function changed(change: (bytes: Buffer) => void): Buffer {
  const copy = Buffer.from(long);
  change(copy);
  return copy;
}

/** Every value that was read must be the one that was written at its time. */
function assertOnlyTrueSamples(timesMs: Float64Array, values: Float64Array): void {
  for (let i = 0; i < values.length; i++) assert.equal(values[i], (timesMs[i] as number) * 4096);
}

function errorOf(bytes: Uint8Array): CrucibleMemoryError {
  try {
    decodeRecording(bytes, 'some.recording');
  } catch (error) {
    assert.ok(error instanceof CrucibleMemoryError, String(error));
    return error;
  }
  assert.fail('it was read');
}

describe('reading a recording that is not whole', () => {
  test('the recording of these tests has several data blocks', () => {
    assert.ok(BLOCKS >= 4, `${BLOCKS} blocks`);
    assert.equal(decodeRecording(long).count('rss_bytes'), SAMPLES);
  });

  test('a file that is cut anywhere is read up to the last whole record, and says where it ends', () => {
    fc.assert(
      fc.property(fc.integer({ min: HEADER_STEP_BYTES, max: long.length - 1 }), (length) => {
        const recording = decodeRecording(long.subarray(0, length));
        const series = recording.series('rss_bytes');
        if (series) assertOnlyTrueSamples(series.timesMs, series.values);
        const blocksLeft = Math.floor((length - HEADER_STEP_BYTES) / BLOCK_BYTES);
        if (blocksLeft >= 2) assert.ok((series?.values.length ?? 0) > (blocksLeft - 1) * 4000);
        const isInsideRecords = length > blockStart(1) + 64 && length < blockStart(BLOCKS - 1);
        if (isInsideRecords && (length - HEADER_STEP_BYTES) % BLOCK_BYTES !== 0) {
          const cut = recording.problems.some((sentence) =>
            sentence.startsWith('the file ends inside block'),
          );
          assert.ok(cut || length >= lastUsedByteOfBlockAt(length), recording.problems.join('; '));
        }
      }),
      { numRuns: 200 },
    );
  });

  test('bytes that changed by themselves are noticed, and cost at most their own block', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: BLOCKS - 2 }),
        fc.nat(60_000),
        fc.integer({ min: 1, max: 255 }),
        (block, at, flip) => {
          const position = blockStart(block) + BLOCK_HEADER.size + at;
          const damaged = changed((bytes) => bytes.writeUInt8(bytes.readUInt8(position) ^ flip, position));
          const recording = decodeRecording(damaged);
          assert.equal(recording.problems.length, 1);
          assert.match(recording.problems[0] as string, new RegExp(`^block ${block} is damaged`));
          const series = recording.series('rss_bytes');
          assert.ok(series);
          assertOnlyTrueSamples(series.timesMs, series.values);
          assert.equal(series.timesMs.at(-1), SAMPLES - 1);
        },
      ),
      // A record's check has 16 bits: one damage in 65,536 passes it (and is still named, by the block's checksum).
      { numRuns: 200, seed: 1 },
    );
  });

  test('any file at all gives a recording or a typed error, never a crash', () => {
    const anyDamage = fc.array(fc.tuple(fc.nat(long.length - 1), fc.nat(255)), {
      minLength: 1,
      maxLength: 50,
    });
    const nearStructure = fc.array(
      fc.tuple(
        fc.oneof(
          fc.nat(FILE_HEADER.details + 10),
          fc.tuple(fc.nat(BLOCKS - 1), fc.nat(90)).map(([block, at]) => blockStart(block) + at),
        ),
        fc.nat(255),
      ),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(fc.oneof(anyDamage, nearStructure), (damages) => {
        const damaged = changed((bytes) => {
          for (const [at, byte] of damages) bytes[at] = byte;
        });
        try {
          decodeRecording(damaged);
        } catch (error) {
          assert.ok(error instanceof CrucibleMemoryError, String(error));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('a block that is lost altogether leaves the others as they were', () => {
    const recording = decodeRecording(changed((bytes) => bytes.fill(0, blockStart(2), blockStart(3))));
    const series = recording.series('rss_bytes');
    assert.ok(series && series.values.length > SAMPLES / 2 && series.values.length < SAMPLES);
    assertOnlyTrueSamples(series.timesMs, series.values);
    assert.deepEqual(recording.problems, ['1 blocks of stream 1 are missing']);
  });

  test('a file that is cut between two blocks says how many are missing', () => {
    const recording = decodeRecording(long.subarray(0, blockStart(2)));
    assert.deepEqual(recording.problems, [
      `the file ends before its last block: ${BLOCKS - 2} of ${BLOCKS} are missing`,
    ]);
  });

  test('a long event whose end is lost is left out, with a sentence', () => {
    const bytes = encodeRecording({ header: '{}' }, (writer) => {
      writer.event('long', JSON.stringify('x'.repeat(100_000)));
      writer.event('short', '1');
    });
    const second = HEADER_STEP_BYTES + BLOCK_BYTES;
    const cut = decodeRecording(bytes.subarray(0, second));
    assert.deepEqual(cut.events(), []);
    assert.deepEqual(cut.problems, [
      'the end of a long record is missing, so it was left out',
      'the file ends before its last block: 1 of 2 are missing',
    ]);
    const behind = decodeRecording(
      Buffer.concat([bytes.subarray(0, HEADER_STEP_BYTES), bytes.subarray(second)]),
    );
    assert.deepEqual(
      behind.events().map((event) => event.name),
      ['short'],
    );
    assert.deepEqual(behind.problems, [
      '1 blocks of stream 1 are missing',
      'the beginning of a long record is missing, so it was left out',
      'the file ends before its last block: 1 of 2 are missing',
    ]);
  });

  test('samples whose group is not defined are counted, not guessed', () => {
    const recording = decodeRecording(changed((bytes) => bytes.fill(0, blockStart(0), blockStart(1))));
    assert.deepEqual(recording.channels, []);
    assert.deepEqual(recording.problems, [
      `skipped samples of a group whose definition is lost (${SAMPLES} of them)`,
    ]);
    assert.equal(recording.events('mark').length, SAMPLES / 100);
  });

  test('blocks and records of a kind that this version does not know are skipped, and counted', () => {
    const newer = changed((bytes) => {
      bytes.writeUInt8(9, blockStart(1) + 4);
      // The first record of block 2 becomes one of kind 33.
      const start = blockStart(2) + BLOCK_HEADER.size;
      const length = bytes.readUInt8(start);
      bytes.writeUInt8(33, start + 3);
      bytes.writeUInt16LE(crc32c(bytes, 0, start + 3, start + 3 + length) & 0xffff, start + 1);
      bytes.writeUInt8(0, blockStart(2) + 5); // not sealed: its checksum is of another payload
    });
    const recording = decodeRecording(newer);
    assert.deepEqual(recording.problems, [
      'skipped blocks of the unknown type 9 (1 of them)',
      'skipped records of the unknown kind 33 (1 of them)',
    ]);
    const last = recording.series('rss_bytes')?.values.at(-1);
    assert.equal(last, (SAMPLES - 1) * 4096);
  });

  test('a newer minor version is read, a newer major version is refused with the remedy', () => {
    const minor = decodeRecording(changed((bytes) => bytes.writeUInt16LE(7, FILE_HEADER.versionMinor)));
    assert.equal(minor.header.formatVersion, '1.7');
    assert.equal(minor.count('rss_bytes'), SAMPLES);
    const error = errorOf(changed((bytes) => bytes.writeUInt16LE(2, FILE_HEADER.versionMajor)));
    assert.equal(error.code, 'RECORDING_VERSION');
    assert.equal(error.fix, 'update crucible-memory');
  });

  test('other files are told from recordings that were cut', () => {
    assert.equal(errorOf(Buffer.from('{"snapshot":{}}')).code, 'RECORDING_FOREIGN');
    assert.equal(errorOf(Buffer.alloc(100_000, 7)).code, 'RECORDING_FOREIGN');
    assert.equal(errorOf(Buffer.alloc(0)).code, 'RECORDING_TRUNCATED');
    assert.equal(errorOf(long.subarray(0, 60)).code, 'RECORDING_TRUNCATED');
  });

  test('a path that leads to no readable file is said', async (t) => {
    const folder = folderWith(t);
    for (const path of [join(folder, 'missing.recording'), folder])
      await assert.rejects(readRecording(path), {
        code: 'RECORDING_UNREADABLE',
        name: 'CrucibleMemoryError',
      });
  });

  test('records that were dropped for want of room are said, with the reason', () => {
    const recording = decodeRecording(
      changed((bytes) => {
        bytes.writeBigUInt64LE(12n, FILE_HEADER.recordsDropped);
        bytes.write('No space left on device', FILE_HEADER.dropReason);
      }),
    );
    assert.equal(recording.recordsDropped, 12);
    assert.deepEqual(recording.problems, ['12 records were not written: No space left on device']);
  });
});

describe('reading a recording while it is written', () => {
  for (const [kind, create] of [
    ['native', (path: string) => loadCore().createRecording({ path, header: '{}' })],
    ['TypeScript', (path: string) => RecordingWriter.create({ path, header: '{}' })],
  ] as const)
    test(`what the ${kind} writer was given is there at once, in blocks that are full and in the one that is not`, async (t) => {
      const path = join(folderWith(t), 'open.recording');
      const writer = create(path);
      assert.equal(statSync(path).mode & 0o777, 0o600);
      const group = writer.defineGroup('process', [RSS]);
      for (let i = 0; i < SAMPLES; i++) writer.append(group, Float64Array.of(i));
      const during = await readRecording(path);
      assert.equal(during.count('rss_bytes'), SAMPLES);
      assert.equal(during.isClosed, false);
      assert.deepEqual(during.problems, []);
      writer.append(group, Float64Array.of(1));
      writer.close();
      const after = await readRecording(path);
      assert.equal(after.count('rss_bytes'), SAMPLES + 1);
      assert.equal(after.isClosed, true);
      assert.throws(() => writer.event('late', '1'), { code: 'USAGE' });
    });

  test('a recording that cannot be created is said by both writers alike', (t) => {
    const path = join(folderWith(t), 'missing', 'own.recording');
    const expected = { code: 'RECORDING_UNWRITABLE', what: `the recording ${path} cannot be created` };
    assert.throws(() => loadCore().createRecording({ path, header: '{}' }), expected);
    assert.throws(() => RecordingWriter.create({ path, header: '{}' }), expected);
  });

  test('a file and the same bytes in memory give the same recording', async (t) => {
    const path = join(folderWith(t), 'long.recording');
    writeFileSync(path, long);
    const fromFile = await readRecording(path);
    const fromMemory = decodeRecording(readFileSync(path), path);
    assert.deepEqual(fromFile.series('rss_bytes'), fromMemory.series('rss_bytes'));
    assert.deepEqual(fromFile.events(), fromMemory.events());
    assert.deepEqual(fromFile.header, fromMemory.header);
    assert.equal(fromFile.endMs, SAMPLES - 1);
  });

  test('an event that is longer than what is read of a file at a time is read as it was written', async (t) => {
    const path = join(folderWith(t), 'long-event.recording');
    const numbers = Array.from({ length: 1_000_000 }, (_, i) => i);
    writeFileSync(
      path,
      encodeRecording({ header: '{}' }, (writer) => writer.event('long', JSON.stringify(numbers))),
    );
    const recording = await readRecording(path);
    assert.deepEqual(recording.problems, []);
    assert.deepEqual(recording.events('long')[0]?.detail, numbers);
  });
});

/** Behind it, cutting the file costs no record of the block that `length` falls into. */
function lastUsedByteOfBlockAt(length: number): number {
  const start = blockStart(Math.floor((length - HEADER_STEP_BYTES) / BLOCK_BYTES));
  return start + BLOCK_HEADER.size + long.readUInt32LE(start + BLOCK_HEADER.used);
}
