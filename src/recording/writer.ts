import { closeSync, lstatSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { CrucibleMemoryError, messageOf } from '../errors.js';
import type { ChannelDefinition, NativeRecordingWriter, RecordingStatus } from '../native.js';
import { type BlockSink, BlockStream, type Group } from './block-stream.js';
import { type BlockRun, BlockTable } from './block-table.js';
import { crc32c } from './checksum.js';
import {
  BLOCK_BYTES,
  BLOCK_HEADER,
  BLOCK_MAGIC,
  BlockType,
  CHANNELS_MAX,
  EVENT_NAME_BYTES_MAX,
  FILE_HEADER,
  FILE_MAGIC,
  HEADER_STEP_BYTES,
  VERSION_MAJOR,
  VERSION_MINOR,
} from './layout.js';
import { reduceBlocks } from './reduction.js';

export interface RecordingOptions {
  /** JSON text for the header's details. */
  header: string;
  /** What counts as elapsed 0; now, unless given. */
  startNs?: bigint;
  startedAtEpochMs?: number;
  pid?: number;
  /** As in NativeCore.createRecording(). */
  bytesMax?: number;
}

/**
 * Writes recordings without the addon: for programs on which it could not be
 * built, and for tests. Two system calls a record, so some hundred times the
 * cost of the native writer; what was appended survives the death of the
 * process just the same.
 */
export class RecordingWriter implements NativeRecordingWriter {
  readonly #storage: Storage;
  readonly #header: Buffer;
  readonly #startNs: bigint;
  readonly #catalogue: BlockStream;
  readonly #stream: BlockStream;
  readonly #groups: Group[] = [];
  readonly #channelNames = new Set<string>();
  readonly #table: BlockTable;
  #reductions = 0;
  #dropped = 0;
  #failure: string | null = null;
  #isClosed = false;

  /** @throws CrucibleMemoryError RECORDING_UNWRITABLE */
  static create(options: RecordingOptions & { path: string }): RecordingWriter {
    try {
      return new RecordingWriter(new FileStorage(options.path), options);
    } catch (error) {
      throw new CrucibleMemoryError('RECORDING_UNWRITABLE', {
        what: `the recording ${options.path} cannot be created`,
        why: messageOf(error),
        fix: 'choose an existing folder that this user may write to and that has room',
        cause: error,
      });
    }
  }

  constructor(storage: Storage, options: RecordingOptions) {
    this.#storage = storage;
    this.#startNs = options.startNs ?? process.hrtime.bigint();
    this.#header = encodeHeader(options, this.#startNs);
    this.#table = new BlockTable(blocksWithin(options.bytesMax, this.#header.length));
    storage.write(this.#header, 0);
    const sink: BlockSink = {
      takeBlock: (claim) => this.#takeBlock(claim),
      write: (bytes, offset) => storage.write(bytes, offset),
      blockSealed: (offset) => this.#table.sealed(this.#blockAt(offset)),
    };
    this.#catalogue = new BlockStream(sink, BlockType.Catalogue, 0);
    this.#stream = new BlockStream(sink, BlockType.Data, 1);
  }

  defineGroup(name: string, channels: ChannelDefinition[]): number {
    this.#requireOpen();
    if (channels.length === 0 || channels.length > CHANNELS_MAX)
      throw wrongUse(
        `the group ${name} has ${channels.length} channels`,
        `a group holds 1 to ${CHANNELS_MAX} of them`,
      );
    for (const channel of channels) {
      if (this.#channelNames.has(channel.name))
        throw wrongUse(`the channel ${channel.name} of the group ${name} exists already`, 'names are unique');
      this.#channelNames.add(channel.name);
    }
    const ordered = channels.map(({ name, unit, kind, description }) => ({ name, unit, kind, description }));
    const id = this.#groups.push({
      id: this.#groups.length + 1,
      kinds: channels.map((channel) => channel.kind),
    });
    this.#catalogue.definition(
      id,
      Buffer.from(JSON.stringify({ name, channels: ordered })),
      this.#elapsedNs(),
    );
    return id;
  }

  append(groupId: number, values: Float64Array, timeNs?: bigint): void {
    this.#requireOpen();
    const group = this.#groups[groupId - 1];
    if (!group || group.kinds.length !== values.length)
      throw wrongUse(
        `${values.length} values for group ${groupId}`,
        'one value for each channel of a defined group',
      );
    this.#stream.sample(group, values, this.#elapsedNs(timeNs));
  }

  event(name: string, detail: string, timeNs?: bigint): void {
    this.#requireOpen();
    const nameBytes = Buffer.from(name);
    if (nameBytes.length > EVENT_NAME_BYTES_MAX)
      throw wrongUse(
        `an event's name has ${nameBytes.length} bytes`,
        `at most ${EVENT_NAME_BYTES_MAX} are allowed`,
      );
    this.#stream.event(nameBytes, Buffer.from(detail), this.#elapsedNs(timeNs));
  }

  close(): void {
    this.#requireOpen();
    this.#isClosed = true;
    this.#catalogue.seal();
    this.#stream.seal();
    this.#header.writeUInt32LE(1, FILE_HEADER.closed);
    this.#writeBooks();
    this.#storage.close();
  }

  status(): RecordingStatus {
    return {
      bytesWritten: this.#offsetOf(this.#table.count),
      memoryBytes: this.#header.length + 2 * BLOCK_BYTES,
      reductions: this.#reductions,
      samplesDropped: this.#dropped,
      failure: this.#failure,
    };
  }

  #takeBlock({ type, stream, sequence }: Parameters<BlockSink['takeBlock']>[0]): number | undefined {
    const claim = { stream, sequence, isReducible: type === BlockType.Data };
    let block = this.#table.take(claim);
    if (block === undefined && this.#reduceOne()) block = this.#table.take(claim);
    const failure = block === undefined ? SIZE_USED_UP : this.#clear(block);
    if (block === undefined || failure !== undefined) {
      if (block !== undefined) this.#table.giveBack(block);
      this.#dropped++;
      this.#failure = failure ?? SIZE_USED_UP;
      this.#header.write(this.#failure.slice(0, 60), FILE_HEADER.dropReason);
    }
    this.#writeBooks();
    return failure === undefined ? this.#offsetOf(block as number) : undefined;
  }

  /** The whole block at once: what is appended to it later cannot find the disk full. Returns why it cannot be. */
  #clear(block: number): string | undefined {
    try {
      this.#storage.write(Buffer.alloc(BLOCK_BYTES), this.#offsetOf(block));
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  /** Reduces the blocks whose turn it is; false when there are none. As BlockFile::reduce_one() does it. */
  #reduceOne(): boolean {
    let blocksMax: number | undefined;
    for (let run = this.#table.nextRun(); run; run = this.#table.nextRun(blocksMax)) {
      const into = this.#table.takeFor(run);
      if (into !== undefined && this.#clear(into) === undefined && this.#reduce(run, into)) {
        this.#table.finished(run, into);
        this.#reductions++;
        return true;
      }
      if (into !== undefined) this.#table.giveBack(into);
      // Fewer may fit where many do not: only events are in the way, which are kept as they are.
      const wasLeast = run.blocks.length === 2;
      this.#table.giveUp(run, wasLeast);
      blocksMax = wasLeast ? undefined : Math.floor(run.blocks.length / 2);
    }
    return false;
  }

  /** What is written is whole before it is said to be a block. */
  #reduce(run: BlockRun, into: number): boolean {
    const blocks = run.blocks.map((block) => this.#storage.read(this.#offsetOf(block), BLOCK_BYTES));
    const views = blocks.map((block) => ({
      payload: block.subarray(BLOCK_HEADER.size, BLOCK_HEADER.size + block.readUInt32LE(BLOCK_HEADER.used)),
      baseNs: Number(block.readBigInt64LE(BLOCK_HEADER.baseNs)),
    }));
    const payload = reduceBlocks(views, [undefined, ...this.#groups]);
    if (payload === undefined) return false;
    const header = Buffer.alloc(BLOCK_HEADER.size);
    header.writeUInt8(BlockType.Reduced, BLOCK_HEADER.type);
    header.writeUInt16LE(BLOCK_HEADER.size, BLOCK_HEADER.payloadOffset);
    header.writeUInt32LE(run.stream, BLOCK_HEADER.stream);
    header.writeUInt32LE(run.sequence, BLOCK_HEADER.sequence);
    header.writeUInt32LE(run.covered, BLOCK_HEADER.covered);
    header.writeUInt8(run.level + 1, BLOCK_HEADER.level);
    const [first, last] = [blocks[0] as Buffer, blocks.at(-1) as Buffer];
    header.writeBigInt64LE(first.readBigInt64LE(BLOCK_HEADER.baseNs), BLOCK_HEADER.baseNs);
    header.writeBigInt64LE(last.readBigInt64LE(BLOCK_HEADER.lastNs), BLOCK_HEADER.lastNs);
    header.writeUInt32LE(payload.length, BLOCK_HEADER.used);
    header.writeUInt32LE(crc32c(payload), BLOCK_HEADER.payloadChecksum);
    header.writeUInt8(1, BLOCK_HEADER.sealed);
    const magic = Buffer.alloc(4);
    magic.writeUInt32LE(BLOCK_MAGIC);
    this.#storage.write(payload, this.#offsetOf(into) + BLOCK_HEADER.size);
    this.#storage.write(header, this.#offsetOf(into));
    this.#storage.write(magic, this.#offsetOf(into));
    for (const block of run.blocks) this.#storage.write(Buffer.alloc(4), this.#offsetOf(block));
    return true;
  }

  #offsetOf(block: number): number {
    return this.#header.length + block * BLOCK_BYTES;
  }

  #blockAt(offset: number): number {
    return (offset - this.#header.length) / BLOCK_BYTES;
  }

  /** The counters in the header. */
  #writeBooks(): void {
    this.#header.writeUInt32LE(this.#table.count, FILE_HEADER.blockCount);
    this.#header.writeBigUInt64LE(BigInt(this.#dropped), FILE_HEADER.recordsDropped);
    this.#storage.write(
      this.#header.subarray(FILE_HEADER.blockCount, FILE_HEADER.details),
      FILE_HEADER.blockCount,
    );
  }

  #elapsedNs(timeNs = process.hrtime.bigint()): number {
    return Number(timeNs - this.#startNs);
  }

  #requireOpen(): void {
    if (this.#isClosed) throw wrongUse('the recording is closed', 'nothing can be written to it any more');
  }
}

/** A recording in memory: what `fill` writes, as the bytes of its file. */
export function encodeRecording(options: RecordingOptions, fill: (writer: RecordingWriter) => void): Buffer {
  const storage = new MemoryStorage();
  const writer = new RecordingWriter(storage, options);
  fill(writer);
  writer.close();
  return storage.bytes;
}

interface Storage {
  write(bytes: Uint8Array, offset: number): void;
  /** A copy. */
  read(offset: number, length: number): Buffer;
  close(): void;
}

class FileStorage implements Storage {
  readonly #descriptor: number;

  constructor(path: string) {
    // A regular file is replaced, not truncated: whoever still writes to it keeps it.
    if (lstatSync(path, { throwIfNoEntry: false })?.isFile()) rmSync(path);
    this.#descriptor = openSync(path, 'wx+', 0o600);
  }

  write(bytes: Uint8Array, offset: number): void {
    for (let written = 0; written < bytes.length; )
      written += writeSync(this.#descriptor, bytes, written, bytes.length - written, offset + written);
  }

  read(offset: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let filled = 0, more = 1; filled < length && more > 0; filled += more)
      more = readSync(this.#descriptor, bytes, filled, length - filled, offset + filled);
    return bytes;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

class MemoryStorage implements Storage {
  #buffer = Buffer.alloc(4 * BLOCK_BYTES);
  #length = 0;

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  write(bytes: Uint8Array, offset: number): void {
    const end = offset + bytes.length;
    if (end > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(end, 2 * this.#buffer.length));
      this.#buffer.copy(larger);
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, offset);
    this.#length = Math.max(this.#length, end);
  }

  read(offset: number, length: number): Buffer {
    return Buffer.from(this.#buffer.subarray(offset, offset + length));
  }

  close(): void {}
}

const BLOCKS_AT_LEAST = 16;
const SIZE_USED_UP = 'the recording has the size that it may have';

/** Of a file that may have so many bytes. */
function blocksWithin(bytesMax: number | undefined, headerBytes: number): number {
  if (bytesMax === undefined) return Number.POSITIVE_INFINITY;
  const blocks = Math.floor((bytesMax - headerBytes) / BLOCK_BYTES);
  if (blocks >= BLOCKS_AT_LEAST) return blocks;
  throw new CrucibleMemoryError('USAGE', {
    what: `a recording cannot be kept to ${bytesMax} bytes`,
    why: 'each of its threads fills blocks of 64 KiB',
    fix: 'allow it 2 MiB or more',
  });
}

function encodeHeader(options: RecordingOptions, startNs: bigint): Buffer {
  const details = Buffer.from(options.header);
  const size = Math.ceil((FILE_HEADER.details + details.length) / HEADER_STEP_BYTES) * HEADER_STEP_BYTES;
  const header = Buffer.alloc(size);
  header.set(FILE_MAGIC, 0);
  header.writeUInt16LE(VERSION_MAJOR, FILE_HEADER.versionMajor);
  header.writeUInt16LE(VERSION_MINOR, FILE_HEADER.versionMinor);
  header.writeUInt32LE(size, FILE_HEADER.headerBytes);
  header.writeUInt32LE(BLOCK_BYTES, FILE_HEADER.blockBytes);
  header.writeUInt32LE(options.pid ?? process.pid, FILE_HEADER.pid);
  header.writeBigInt64LE(startNs, FILE_HEADER.startMonotonicNs);
  const epochMs = options.startedAtEpochMs ?? performance.timeOrigin + performance.now();
  header.writeBigInt64LE(BigInt(Math.round(epochMs * 1000)) * 1000n, FILE_HEADER.startEpochNs);
  header.writeUInt32LE(details.length, FILE_HEADER.detailsBytes);
  header.writeUInt32LE(crc32c(details, crc32c(header, 0, 0, FILE_HEADER.checksum)), FILE_HEADER.checksum);
  header.set(details, FILE_HEADER.details);
  return header;
}

function wrongUse(what: string, why: string): CrucibleMemoryError {
  return new CrucibleMemoryError('USAGE', { what, why, fix: 'see NativeRecordingWriter in src/native.ts' });
}
