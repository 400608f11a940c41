import type { ChannelDefinition } from '../native.js';
import { ByteCursor, varintBytes } from './byte-cursor.js';
import { crc32c } from './checksum.js';
import {
  BLOCK_BYTES,
  BLOCK_HEADER,
  BLOCK_MAGIC,
  CHECK_BYTES,
  CONTINUED_BY_NEXT,
  CONTINUES_PREVIOUS,
  INTEGER_MAX,
  KEPT_WHOLE_BYTES,
  PAYLOAD_BYTES,
  RECORD_OVERHEAD_MAX,
  RecordKind,
  VARINT_BYTES_MAX,
} from './layout.js';

/** Where blocks end up. */
export interface BlockSink {
  /** Makes room for a block and returns where it begins; undefined, and counted, when there is none. */
  takeBlock(claim: { type: number; stream: number; sequence: number }): number | undefined;
  /** Nothing will be added to the block that begins there. */
  blockSealed(offset: number): void;
  write(bytes: Uint8Array, offset: number): void;
}

export interface Group {
  id: number;
  kinds: ChannelDefinition['kind'][];
}

/** The records of one stream, encoded into blocks: native/recording/stream.cc in TypeScript, byte for byte. */
export class BlockStream {
  readonly #sink: BlockSink;
  readonly #type: number;
  readonly #id: number;
  readonly #block = Buffer.alloc(BLOCK_BYTES);
  #blockOffset: number | undefined;
  #sequence = -1;
  #used = 0;
  #lastNs = 0;
  /** Encodes the record in place. */
  readonly #out = new ByteCursor(this.#block);
  readonly #previousByGroup = new Map<number, { sequence: number; values: Float64Array }>();

  constructor(sink: BlockSink, type: number, id: number) {
    this.#sink = sink;
    this.#type = type;
    this.#id = id;
  }

  sample(group: Group, values: Float64Array, elapsedNs: number): boolean {
    const channels = group.kinds.length;
    const bytesMax =
      RECORD_OVERHEAD_MAX + 2 * VARINT_BYTES_MAX + Math.ceil(channels / 8) + channels * VARINT_BYTES_MAX;
    if (!this.#makeRoom(bytesMax, elapsedNs)) return false;

    const isAbsent = (i: number) => !isPresent(values[i] as number, group.kinds[i]);
    const isSparse = group.kinds.some((_, i) => isAbsent(i));
    this.#begin(isSparse ? RecordKind.SparseSample : RecordKind.Sample);
    this.#out.varint(group.id);
    this.#time(elapsedNs);
    if (isSparse)
      for (let first = 0; first < channels; first += 8) {
        let bits = 0;
        for (let i = first; i < Math.min(first + 8, channels); i++)
          if (!isAbsent(i)) bits |= 1 << (i - first);
        this.#out.byte(bits);
      }
    this.#values(group, values);
    this.#commit();
    return true;
  }

  #values(group: Group, values: Float64Array): void {
    const previous = this.#previousOf(group);
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      if (!isPresent(value, group.kinds[i])) continue;
      if (group.kinds[i] === 'real') {
        this.#out.real(value);
      } else {
        const rounded = nearestInteger(value);
        this.#out.zigzagDifference(rounded, previous[i] as number);
        previous[i] = rounded;
      }
    }
  }

  #previousOf(group: Group): Float64Array {
    let previous = this.#previousByGroup.get(group.id);
    if (previous?.sequence !== this.#sequence) {
      previous = { sequence: this.#sequence, values: new Float64Array(group.kinds.length) };
      this.#previousByGroup.set(group.id, previous);
    }
    return previous.values;
  }

  event(name: Uint8Array, detail: Uint8Array, elapsedNs: number): boolean {
    const head = () => {
      this.#time(elapsedNs);
      this.#out.varint(name.length);
      this.#out.bytes(name);
    };
    return this.#textRecord(RecordKind.Event, 2 * VARINT_BYTES_MAX + name.length, head, detail, elapsedNs);
  }

  definition(groupId: number, json: Uint8Array, elapsedNs: number): boolean {
    return this.#textRecord(
      RecordKind.Group,
      VARINT_BYTES_MAX,
      () => this.#out.varint(groupId),
      json,
      elapsedNs,
    );
  }

  /** A record that ends in text; where it does not fit into the block the rest follows in further records. */
  #textRecord(
    kind: number,
    headBytesMax: number,
    encodeHead: () => void,
    text: Uint8Array,
    elapsedNs: number,
  ): boolean {
    let rest = text;
    let headBytes = headBytesMax;
    let continues = 0;
    do {
      const least = RECORD_OVERHEAD_MAX + headBytes + Math.min(rest.length, KEPT_WHOLE_BYTES);
      if (!this.#makeRoom(least, elapsedNs)) return false;
      const piece = Math.min(rest.length, PAYLOAD_BYTES - this.#used - RECORD_OVERHEAD_MAX - headBytes);
      this.#begin(kind | continues | (piece < rest.length ? CONTINUED_BY_NEXT : 0));
      if (continues === 0) encodeHead();
      this.#out.bytes(rest.subarray(0, piece));
      this.#commit();
      rest = rest.subarray(piece);
      continues = CONTINUES_PREVIOUS;
      headBytes = 0;
    } while (rest.length > 0);
    return true;
  }

  #makeRoom(bytes: number, elapsedNs: number): boolean {
    if (this.#blockOffset !== undefined && bytes <= PAYLOAD_BYTES - this.#used) return true;
    this.seal();
    const sequence = this.#sequence + 1;
    this.#blockOffset = this.#sink.takeBlock({ type: this.#type, stream: this.#id, sequence });
    if (this.#blockOffset === undefined) return false;
    this.#sequence = sequence;
    this.#used = 0;
    this.#lastNs = elapsedNs;
    this.#block.fill(0);
    this.#block.writeUInt32LE(BLOCK_MAGIC, BLOCK_HEADER.magic);
    this.#block.writeUInt8(this.#type, BLOCK_HEADER.type);
    this.#block.writeUInt16LE(BLOCK_HEADER.size, BLOCK_HEADER.payloadOffset);
    this.#block.writeUInt32LE(this.#id, BLOCK_HEADER.stream);
    this.#block.writeUInt32LE(this.#sequence, BLOCK_HEADER.sequence);
    this.#block.writeBigInt64LE(BigInt(elapsedNs), BLOCK_HEADER.baseNs);
    this.#sink.write(this.#block.subarray(0, BLOCK_HEADER.size), this.#blockOffset);
    return true;
  }

  /** Ends the open block. */
  seal(): void {
    if (this.#blockOffset === undefined) return;
    const payload = this.#block.subarray(BLOCK_HEADER.size, BLOCK_HEADER.size + this.#used);
    this.#block.writeUInt32LE(crc32c(payload), BLOCK_HEADER.payloadChecksum);
    this.#block.writeBigInt64LE(BigInt(this.#lastNs), BLOCK_HEADER.lastNs);
    this.#block.writeUInt8(1, BLOCK_HEADER.sealed);
    this.#sink.write(this.#block.subarray(0, BLOCK_HEADER.size), this.#blockOffset);
    this.#sink.blockSealed(this.#blockOffset);
    this.#blockOffset = undefined;
  }

  /** The record is encoded as if its length took one byte, as nearly always. */
  #begin(kind: number): void {
    this.#out.at = BLOCK_HEADER.size + this.#used + 1 + CHECK_BYTES;
    this.#out.byte(kind);
  }

  #commit(): void {
    const start = BLOCK_HEADER.size + this.#used;
    const length = this.#out.at - (start + 1 + CHECK_BYTES);
    const content = start + varintBytes(length) + CHECK_BYTES;
    this.#block.copyWithin(content, start + 1 + CHECK_BYTES, this.#out.at);
    this.#out.at = start;
    this.#out.varint(length);
    this.#block.writeUInt16LE(crc32c(this.#block, 0, content, content + length) & 0xffff, this.#out.at);
    this.#used = content + length - BLOCK_HEADER.size;
    this.#block.writeUInt32LE(this.#used, BLOCK_HEADER.used);
    const offset = this.#blockOffset as number;
    this.#sink.write(this.#block.subarray(start, content + length), offset + start);
    // Last of all: a reader trusts what `used` covers.
    this.#sink.write(
      this.#block.subarray(BLOCK_HEADER.used, BLOCK_HEADER.used + 4),
      offset + BLOCK_HEADER.used,
    );
  }

  #time(elapsedNs: number): void {
    this.#out.zigzagDifference(elapsedNs, this.#lastNs);
    this.#lastNs = elapsedNs;
  }
}

/** Halves go up. Adding 0.5 at once would move odd integers above 2^52. */
function nearestInteger(value: number): number {
  const below = Math.floor(value);
  return value - below >= 0.5 ? below + 1 : below;
}

function isPresent(value: number, kind: ChannelDefinition['kind'] | undefined): boolean {
  return kind === 'real' ? !Number.isNaN(value) : Math.abs(value) <= INTEGER_MAX;
}
