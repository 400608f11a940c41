import { readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { CrucibleMemoryError, messageOf } from '../errors.js';
import { fastestArithmetic } from './block-arithmetic.js';
import { RecordingDecoder } from './decoder.js';
import { type BlockSummary, decodeBlockSummary, decodeGeometry, type FileGeometry } from './geometry.js';
import { BLOCK_HEADER, BlockType, FILE_HEADER } from './layout.js';
import type { Recording } from './recording.js';

/** Headers of blocks that are read before the event loop has a turn. */
const HEADERS_AT_ONCE = 64;
/** Bytes that are read while those before them are decoded. */
const READ_AT_ONCE_BYTES = 2 * 1024 * 1024;

/**
 * Reads a recording: one that was closed, one that is being written, one whose
 * process was killed, one that was cut short. Holds a few megabytes of the file
 * at a time beside the samples themselves.
 *
 * @throws CrucibleMemoryError RECORDING_UNREADABLE, RECORDING_FOREIGN,
 * RECORDING_TRUNCATED (not even a header), RECORDING_VERSION
 */
export async function readRecording(path: string): Promise<Recording> {
  const file = await openFile(path);
  try {
    for (let attempt = 1; ; attempt++) {
      const recording = await readFile(path, file, attempt === ATTEMPTS_MAX);
      if (recording !== undefined) return recording;
    }
  } finally {
    await file.close();
  }
}

/** A writer that keeps to a size uses blocks again: a block may be another by the time it is read. */
const ATTEMPTS_MAX = 5;

/** @returns undefined when blocks were used again meanwhile, unless this is the last attempt */
async function readFile(path: string, file: FileHandle, isLast: boolean): Promise<Recording | undefined> {
  const { size } = await file.stat();
  const geometry = decodeGeometry(path, await readAt(file, 0, FILE_HEADER.details));
  const blockCount = blockCountOf(size, geometry);
  const header = await readAt(file, 0, geometry.headerBytes);
  const decoder = new RecordingDecoder(path, header, blockCount, fastestArithmetic());
  const summaries: NumberedBlock[] = [];
  for (let number = 0; number < blockCount; number++) {
    if (number % HEADERS_AT_ONCE === 0) await setImmediate();
    take(decoder, summaries, number, startOf(file, offsetOf(number, geometry)));
  }
  for await (const [{ number, ...expected }, block] of readBlocks(
    file,
    inDecodingOrder(summaries),
    geometry,
  )) {
    if (isDeepStrictEqual(decodeBlockSummary(block), expected)) decoder.decodeBlock(number, block);
    else if (!isLast) return undefined;
    else decoder.problem(`block ${number} was used again while it was read`);
  }
  return decoder.finish(blockCount);
}

/** Blocks that lie behind each other and are decoded in that order. */
type Stretch = [NumberedBlock, ...NumberedBlock[]];

function stretchesOf(blocks: readonly NumberedBlock[], { blockBytes }: FileGeometry): Stretch[] {
  const most = Math.max(1, Math.floor(READ_AT_ONCE_BYTES / blockBytes));
  const stretches: Stretch[] = [];
  for (const block of blocks) {
    const last = stretches.at(-1);
    if (last && last[0].number + last.length === block.number && last.length < most) last.push(block);
    else stretches.push([block]);
  }
  return stretches;
}

/** The next stretch is read while one is decoded: into two buffers, in turns. A block is valid until the next is asked for. */
async function* readBlocks(
  file: FileHandle,
  blocks: readonly NumberedBlock[],
  geometry: FileGeometry,
): AsyncGenerator<[NumberedBlock, Uint8Array]> {
  const { blockBytes } = geometry;
  const stretches = stretchesOf(blocks, geometry);
  const longest = blockBytes * stretches.reduce((most, { length }) => Math.max(most, length), 0);
  const buffers = [Buffer.allocUnsafeSlow(longest), Buffer.allocUnsafeSlow(longest)];
  const read = (i: number) => {
    const stretch = stretches[i];
    if (stretch === undefined) return undefined;
    const buffer = (buffers[i % 2] as Buffer).subarray(0, stretch.length * blockBytes);
    const bytes = fill(file, offsetOf(stretch[0].number, geometry), buffer);
    // It is awaited later, or never, when decoding fails.
    bytes.catch(() => {});
    return bytes;
  };
  let next = read(0);
  for (let i = 0; next !== undefined; i++) {
    const bytes = await next;
    next = read(i + 1);
    for (const [k, block] of (stretches[i] as Stretch).entries())
      yield [block, bytes.subarray(k * blockBytes, (k + 1) * blockBytes)];
  }
}

/** The same for a recording that is in memory. `path` serves in messages. */
export function decodeRecording(
  bytes: Uint8Array,
  path = 'the recording',
  arithmetic = fastestArithmetic(),
): Recording {
  const geometry = decodeGeometry(path, bytes.subarray(0, FILE_HEADER.details));
  const blocks = blockCountOf(bytes.length, geometry);
  const decoder = new RecordingDecoder(path, bytes.subarray(0, geometry.headerBytes), blocks, arithmetic);
  const at = (number: number, length: number) =>
    bytes.subarray(offsetOf(number, geometry), offsetOf(number, geometry) + length);
  const summaries: NumberedBlock[] = [];
  for (let number = 0; number < blocks; number++)
    take(decoder, summaries, number, at(number, BLOCK_HEADER.size));
  for (const { number } of inDecodingOrder(summaries))
    decoder.decodeBlock(number, at(number, geometry.blockBytes));
  return decoder.finish(blocks);
}

interface NumberedBlock extends BlockSummary {
  number: number;
}

function take(
  decoder: RecordingDecoder,
  summaries: NumberedBlock[],
  number: number,
  start: Uint8Array,
): void {
  if (start.length < BLOCK_HEADER.size) {
    decoder.problem(`the file ends inside block ${number}`);
    return;
  }
  const summary = decodeBlockSummary(start);
  if (summary === 'damaged') decoder.problem(`block ${number} is damaged and was left out`);
  else if (summary) summaries.push({ number, ...summary });
}

/** Definitions before samples; the blocks of a stream in the order in which they were filled. */
function inDecodingOrder(blocks: NumberedBlock[]): NumberedBlock[] {
  const rank = (block: NumberedBlock) => (block.type === BlockType.Catalogue ? 0 : 1);
  blocks.sort(
    (a, b) => rank(a) - rank(b) || a.stream - b.stream || a.sequence - b.sequence || b.covered - a.covered,
  );
  let last: NumberedBlock | undefined;
  return blocks.filter((block) => {
    // Reduced into the one before: its writer had not freed it yet.
    const isCovered =
      last?.stream === block.stream && block.sequence + block.covered <= last.sequence + last.covered;
    if (!isCovered) last = block;
    return !isCovered;
  });
}

/** The last one may be cut. */
function blockCountOf(sizeBytes: number, { headerBytes, blockBytes }: FileGeometry): number {
  return Math.max(0, Math.ceil((sizeBytes - headerBytes) / blockBytes));
}

function offsetOf(block: number, { headerBytes, blockBytes }: FileGeometry): number {
  return headerBytes + block * blockBytes;
}

function readAt(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  return fill(file, position, Buffer.alloc(length));
}

/** The header of a block. Without a promise: there are thousands of them, and each takes a microsecond. */
function startOf(file: FileHandle, position: number): Uint8Array {
  const buffer = Buffer.alloc(BLOCK_HEADER.size);
  return buffer.subarray(0, readSync(file.fd, buffer, 0, buffer.length, position));
}

/** As much of the buffer as the file has bytes for. */
async function fill(file: FileHandle, position: number, buffer: Buffer): Promise<Uint8Array> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    const file = await open(path, 'r');
    if ((await file.stat()).isFile()) return file;
    await file.close();
    throw new Error('it is not a file');
  } catch (error) {
    throw new CrucibleMemoryError('RECORDING_UNREADABLE', {
      what: `the recording ${path} cannot be read`,
      why: messageOf(error),
      fix: 'check the path, and that this user may read the file',
      cause: error,
    });
  }
}
