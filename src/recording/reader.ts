import { type FileHandle, open } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { CrucibleMemoryError, messageOf } from '../errors.js';
import {
  type BlockSummary,
  decodeBlockSummary,
  decodeGeometry,
  type FileGeometry,
  RecordingDecoder,
} from './decoder.js';
import { BLOCK_HEADER, BlockType, FILE_HEADER } from './layout.js';
import type { Recording } from './recording.js';

/**
 * Reads a recording: one that was closed, one that is being written, one whose
 * process was killed, one that was cut short. Holds one block of the file at a
 * time beside the samples themselves.
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
  const decoder = new RecordingDecoder(path, await readAt(file, 0, geometry.headerBytes));
  const summaries: NumberedBlock[] = [];
  for (let number = 0; number < blockCountOf(size, geometry); number++)
    take(decoder, summaries, number, await readAt(file, offsetOf(number, geometry), BLOCK_HEADER.size));
  for (const { number, ...expected } of inDecodingOrder(summaries)) {
    const block = await readAt(file, offsetOf(number, geometry), geometry.blockBytes);
    if (isDeepStrictEqual(decodeBlockSummary(block), expected)) decoder.decodeBlock(number, block);
    else if (!isLast) return undefined;
    else decoder.problem(`block ${number} was used again while it was read`);
  }
  return decoder.finish(blockCountOf(size, geometry));
}

/** The same for a recording that is in memory. `path` serves in messages. */
export function decodeRecording(bytes: Uint8Array, path = 'the recording'): Recording {
  const geometry = decodeGeometry(path, bytes.subarray(0, FILE_HEADER.details));
  const decoder = new RecordingDecoder(path, bytes.subarray(0, geometry.headerBytes));
  const at = (number: number, length: number) =>
    bytes.subarray(offsetOf(number, geometry), offsetOf(number, geometry) + length);
  const summaries: NumberedBlock[] = [];
  for (let number = 0; number < blockCountOf(bytes.length, geometry); number++)
    take(decoder, summaries, number, at(number, BLOCK_HEADER.size));
  for (const { number } of inDecodingOrder(summaries))
    decoder.decodeBlock(number, at(number, geometry.blockBytes));
  return decoder.finish(blockCountOf(bytes.length, geometry));
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

async function readAt(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
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
