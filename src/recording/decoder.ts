import type { ChannelDefinition } from '../native.js';
import { type BlockArithmetic, TYPESCRIPT_ARITHMETIC } from './block-arithmetic.js';
import { crc32c } from './checksum.js';
import { type BlockSummary, decodeBlockSummary } from './geometry.js';
import {
  BLOCK_HEADER,
  BlockType,
  CHECK_BYTES,
  CONTINUED_BY_NEXT,
  CONTINUES_PREVIOUS,
  FILE_HEADER,
  KIND_MASK,
  RecordKind,
} from './layout.js';
import { RecordBytes } from './record-bytes.js';
import { readSummary } from './record-listener.js';
import { type GroupSummary, type RecordedEvent, Recording, type RecordingHeader } from './recording.js';
import { PROGRESS, SampleColumns, TIMES } from './sample-columns.js';
import { GROUPS_AT_MOST, type IntegerGroups, RUN_PLACE } from './sample-run.js';

interface DecodedGroup {
  name: string;
  channels: ChannelDefinition[];
  isReal: boolean[];
  samples: SampleColumns;
  summaries: GroupSummary[];
}

/** A run of fewer bytes costs more to hand to native code than to decode here. */
const SHORT_RUN_BYTES = 512;
/** So many of them in a block, and the rest of it is decoded here. Each group begins with a number that ends a run. */
const SHORT_RUNS = 16;
/** Before so many blocks it is not foreseen how many samples there will be. */
const BLOCKS_TO_FORESEE_FROM = 8;

/** Where in time the records of one block are; one object a block. */
interface Clock {
  elapsedNs: number;
}

/** A record whose rest is in the next one of its stream. */
interface UnfinishedRecord {
  kind: number;
  /** Copies: where the block was, the next may be read. A Buffer's slice() would be none. */
  pieces: Uint8Array[];
  elapsedNs: number;
}

const text = new TextDecoder();
const KNOWN_BLOCKS: readonly number[] = Object.values(BlockType);

/**
 * Turns blocks into a Recording. Give it the header, then the catalogue blocks,
 * then the data blocks of each stream in the order of their sequence numbers.
 *
 * A damaged stretch costs the rest of its block and nothing else; what could
 * not be read is said in the recording's problems.
 */
export class RecordingDecoder {
  readonly #path: string;
  readonly #header: RecordingHeader;
  readonly #isClosed: boolean;
  readonly #recordsDropped: number;
  /** As the header knows it. */
  readonly #blockCount: number;
  readonly #problems: string[] = [];
  readonly #arithmetic: BlockArithmetic;
  /** Catalogue and data blocks of the file, and those that were decoded. */
  readonly #blocksToDecode: number;
  #blocksDecoded = 0;
  readonly #groups = new Map<number, DecodedGroup>();
  readonly #integerGroups: IntegerGroups = [];
  readonly #place = new Float64Array(3);
  readonly #events: RecordedEvent[] = [];
  readonly #unknown = new Map<string, number>();
  #unfinished: UnfinishedRecord | undefined;
  #stream = -1;
  #sequence = -1;
  #endNs = 0;

  /**
   * @param header headerBytes long, or less where the file ends before
   * @param blocks how many will be given, about: room is made for as many
   */
  constructor(path: string, header: Uint8Array, blocks: number, arithmetic: BlockArithmetic) {
    this.#path = path;
    this.#arithmetic = arithmetic;
    this.#blocksToDecode = blocks;
    const view = viewOf(header);
    this.#header = {
      startedAtEpochMs: Number(view.getBigInt64(FILE_HEADER.startEpochNs, true)) / 1e6,
      startNs: view.getBigInt64(FILE_HEADER.startMonotonicNs, true),
      pid: view.getUint32(FILE_HEADER.pid, true),
      formatVersion: `${view.getUint16(FILE_HEADER.versionMajor, true)}.${view.getUint16(FILE_HEADER.versionMinor, true)}`,
      details: this.#decodeDetails(header, view),
    };
    this.#isClosed = view.getUint32(FILE_HEADER.closed, true) === 1;
    this.#blockCount = view.getUint32(FILE_HEADER.blockCount, true);
    this.#recordsDropped = Number(view.getBigUint64(FILE_HEADER.recordsDropped, true));
    if (this.#recordsDropped > 0) {
      const reason = header.subarray(FILE_HEADER.dropReason, FILE_HEADER.details);
      const end = reason.indexOf(0);
      this.problem(
        `${this.#recordsDropped} records were not written: ${text.decode(reason.subarray(0, end < 0 ? reason.length : end)) || 'there was no room'}`,
      );
    }
  }

  #decodeDetails(header: Uint8Array, view: DataView): Record<string, unknown> {
    const end = FILE_HEADER.details + view.getUint32(FILE_HEADER.detailsBytes, true);
    const details = header.subarray(FILE_HEADER.details, end);
    const checksum = crc32c(details, crc32c(header.subarray(0, FILE_HEADER.checksum)));
    if (checksum !== view.getUint32(FILE_HEADER.checksum, true)) this.problem('the header is damaged');
    try {
      return JSON.parse(text.decode(details) || '{}') as Record<string, unknown>;
    } catch {
      this.problem("the header's details cannot be read");
      return {};
    }
  }

  problem(sentence: string): void {
    this.#problems.push(sentence);
  }

  /** @param number of the block in the file, for messages. @param block blockBytes long, or less at the end of the file */
  decodeBlock(number: number, block: Uint8Array): void {
    const view = viewOf(block);
    const summary = decodeBlockSummary(block);
    if (summary === undefined || summary === 'damaged') return;
    this.#followStream(summary);
    if (!KNOWN_BLOCKS.includes(summary.type)) {
      this.#countUnknown(`blocks of the unknown type ${summary.type}`);
      return;
    }
    const payloadOffset = view.getUint16(BLOCK_HEADER.payloadOffset, true);
    const used = view.getUint32(BLOCK_HEADER.used, true);
    const payload = block.subarray(payloadOffset, payloadOffset + used);
    if (payload.length < used) this.problem(`the file ends inside block ${number}`);
    const isWhole = payload.length === used;
    const isSealed = view.getUint8(BLOCK_HEADER.sealed) === 1;
    const checksum = view.getUint32(BLOCK_HEADER.payloadChecksum, true);
    const isDamaged = isWhole && isSealed && this.#arithmetic.checksum(payload) !== checksum;

    // The checksum of a sealed block covers every record: only of others each is checked by itself.
    const isChecked = isWhole && isSealed && !isDamaged;
    const read = this.#decodePayload(payload, Number(view.getBigInt64(BLOCK_HEADER.baseNs, true)), isChecked);
    this.#blocksDecoded++;
    if (isDamaged || (isWhole && read < used))
      this.problem(`block ${number} is damaged: ${used - read} of its ${used} bytes were not read`);
  }

  #followStream({ stream, sequence, covered }: BlockSummary): void {
    if (stream !== this.#stream) this.#dropUnfinished();
    const expected = stream === this.#stream ? this.#sequence + 1 : 0;
    if (sequence > expected) this.problem(`${sequence - expected} blocks of stream ${stream} are missing`);
    this.#stream = stream;
    this.#sequence = sequence + covered - 1;
  }

  /** Returns how many bytes of whole records there were. */
  #decodePayload(payload: Uint8Array, baseNs: number, isChecked: boolean): number {
    const clock: Clock = { elapsedNs: baseNs };
    const bytes = new RecordBytes(payload);
    let whole = 0;
    let arithmetic = this.#arithmetic;
    let shortRuns = 0;
    for (const { samples } of this.#groups.values()) samples.startBlock();
    while (bytes.left > 0) {
      if (isChecked && this.#unfinished === undefined) {
        this.#decodeRun(payload, bytes, clock, arithmetic);
        if (bytes.at - whole < SHORT_RUN_BYTES && ++shortRuns === SHORT_RUNS)
          arithmetic = TYPESCRIPT_ARITHMETIC;
        whole = bytes.at;
        if (bytes.left === 0) break;
      }
      const length = bytes.varint();
      if (length === 0 || length + CHECK_BYTES > bytes.left) break;
      const check = bytes.uint16();
      if (!isChecked && (crc32c(payload, 0, bytes.at, bytes.at + length) & 0xffff) !== check) break;
      bytes.limitTo(length);
      this.#decodeRecord(bytes, clock);
      bytes.leaveLimit();
      whole = bytes.at;
    }
    return whole;
  }

  /** The samples of integers from here on, up to the first record that is anything else. */
  #decodeRun(payload: Uint8Array, bytes: RecordBytes, clock: Clock, arithmetic: BlockArithmetic): void {
    const place = this.#place;
    place[RUN_PLACE.at] = bytes.at;
    place[RUN_PLACE.elapsedNs] = clock.elapsedNs;
    place[RUN_PLACE.latestNs] = this.#endNs;
    for (;;) {
      const full = this.#groups.get(arithmetic.decodeSampleRun(payload, place, this.#integerGroups));
      if (full === undefined) break;
      this.#makeRoom(full.samples);
    }
    bytes.skipTo(place[RUN_PLACE.at] as number);
    clock.elapsedNs = place[RUN_PLACE.elapsedNs] as number;
    this.#endNs = place[RUN_PLACE.latestNs] as number;
  }

  /** For all the samples that the file has, if it goes on as it began: copying them again and again takes longer than decoding. */
  #makeRoom(samples: SampleColumns): void {
    const foreseen =
      this.#blocksDecoded < BLOCKS_TO_FORESEE_FROM
        ? 0
        : (1.02 * samples.length * this.#blocksToDecode) / this.#blocksDecoded;
    samples.grow(foreseen);
  }

  #decodeRecord(bytes: RecordBytes, clock: Clock): void {
    const head = bytes.byte();
    const kind = head & KIND_MASK;
    if (head & CONTINUES_PREVIOUS) {
      this.#continue(kind, bytes, !(head & CONTINUED_BY_NEXT));
      return;
    }
    this.#dropUnfinished();
    if (head & CONTINUED_BY_NEXT) {
      this.#unfinished = { kind, pieces: [Uint8Array.from(bytes.peek())], elapsedNs: clock.elapsedNs };
      // The time that is in it moves the clock on for the records behind it.
      if (kind === RecordKind.Event) clock.elapsedNs += bytes.zigzag();
      return;
    }
    this.#decodeBody(kind, bytes, clock);
  }

  #continue(kind: number, bytes: RecordBytes, isLast: boolean): void {
    const unfinished = this.#unfinished;
    if (unfinished?.kind !== kind) {
      this.#unfinished = undefined;
      if (isLast) this.problem('the beginning of a long record is missing, so it was left out');
      return;
    }
    unfinished.pieces.push(Uint8Array.from(bytes.peek()));
    if (isLast) this.#finish(unfinished);
  }

  #finish({ kind, pieces, elapsedNs }: UnfinishedRecord): void {
    this.#unfinished = undefined;
    this.#decodeBody(kind, new RecordBytes(Buffer.concat(pieces)), { elapsedNs });
  }

  #decodeBody(kind: number, bytes: RecordBytes, clock: Clock): void {
    if (kind === RecordKind.Sample) this.#decodeSample(bytes, clock, false);
    else if (kind === RecordKind.SparseSample) this.#decodeSample(bytes, clock, true);
    else if (kind === RecordKind.Summary) this.#decodeSummary(bytes, clock);
    else if (kind === RecordKind.Event) this.#decodeEvent(bytes, clock);
    else if (kind === RecordKind.Group) this.#decodeGroup(bytes);
    else this.#countUnknown(`records of the unknown kind ${kind}`);
  }

  /** Begins a sample: the group that it is of, and its place there. Undefined, and counted, when nobody knows the group. */
  #sampled(
    bytes: RecordBytes,
    clock: Clock,
  ): { group: DecodedGroup; at: number; timeMs: number } | undefined {
    const group = this.#groups.get(bytes.varint());
    clock.elapsedNs += bytes.zigzag();
    if (!group) {
      this.#countUnknown('samples of a group whose definition is lost');
      return undefined;
    }
    const { samples } = group;
    if (samples.isFull) this.#makeRoom(samples);
    const at = samples.length;
    const timeMs = this.#happened(clock);
    (samples.arrays[TIMES] as Float64Array)[at] = timeMs;
    (samples.arrays[PROGRESS] as Float64Array)[0] = at + 1;
    return { group, at, timeMs };
  }

  #decodeSample(bytes: RecordBytes, clock: Clock, isSparse: boolean): void {
    const place = this.#sampled(bytes, clock);
    if (!place) return;
    const { isReal, samples } = place.group;
    const presence = isSparse ? bytes.take(Math.ceil(isReal.length / 8)) : undefined;
    const progress = samples.arrays[PROGRESS] as Float64Array;
    for (let i = 0; i < isReal.length; i++) {
      let value = Number.NaN;
      if (!presence || (presence[i >> 3] as number) & (1 << (i & 7))) {
        if (isReal[i]) value = bytes.real();
        else {
          value = bytes.zigzag(progress[1 + i]);
          progress[1 + i] = value;
        }
      }
      samples.set(place.at, i, value);
    }
  }

  /** What stands in for the samples is the last one; the rest is kept beside it. */
  #decodeSummary(bytes: RecordBytes, clock: Clock): void {
    const place = this.#sampled(bytes, clock);
    if (!place) return;
    const { samples, channels, summaries } = place.group;
    const progress = samples.arrays[PROGRESS] as Float64Array;
    summaries.push({
      firstMs: (clock.elapsedNs - bytes.varint()) / 1e6,
      lastMs: place.timeMs,
      channels: channels.map(({ kind }, i) => {
        const summary = readSummary(bytes, kind, progress[1 + i] as number);
        if (summary.count > 0) progress[1 + i] = summary.last;
        samples.set(place.at, i, summary.count > 0 ? summary.last : Number.NaN);
        return summary;
      }),
    });
  }

  #decodeEvent(bytes: RecordBytes, clock: Clock): void {
    clock.elapsedNs += bytes.zigzag();
    const name = text.decode(bytes.take(bytes.varint()));
    const json = text.decode(bytes.take(bytes.left));
    this.#events.push({ name, elapsedMs: this.#happened(clock), detail: this.#parse(json, `event ${name}`) });
  }

  /** Elapsed milliseconds of a record. */
  #happened({ elapsedNs }: Clock): number {
    this.#endNs = Math.max(this.#endNs, elapsedNs);
    return elapsedNs / 1e6;
  }

  #decodeGroup(bytes: RecordBytes): void {
    const id = bytes.varint();
    const definition = this.#parse(text.decode(bytes.take(bytes.left)), `definition of group ${id}`);
    if (!isDefinition(definition)) {
      this.problem(`group ${id} is not defined as a group is`);
      return;
    }
    const { name, channels } = definition;
    const isReal = channels.map(({ kind }) => kind === 'real');
    const samples = new SampleColumns(channels.length);
    this.#groups.set(id, { name, channels, isReal, samples, summaries: [] });
    if (id < GROUPS_AT_MOST) this.#integerGroups[id] = isReal.includes(true) ? undefined : samples.arrays;
  }

  #parse(json: string, what: string): unknown {
    try {
      return json === '' ? undefined : JSON.parse(json);
    } catch {
      this.problem(`the ${what} is no JSON`);
      return undefined;
    }
  }

  #dropUnfinished(): void {
    if (this.#unfinished) this.problem('the end of a long record is missing, so it was left out');
    this.#unfinished = undefined;
  }

  #countUnknown(what: string): void {
    this.#unknown.set(what, (this.#unknown.get(what) ?? 0) + 1);
  }

  /** @param blockCount of the file, those that were not used or are damaged included */
  finish(blockCount: number): Recording {
    this.#dropUnfinished();
    const lost = this.#blockCount - blockCount;
    if (lost > 0)
      this.problem(`the file ends before its last block: ${lost} of ${this.#blockCount} are missing`);
    for (const [what, count] of this.#unknown) this.problem(`skipped ${what} (${count} of them)`);
    const groups = [...this.#groups.values()].map(({ name, channels, samples, summaries }) => {
      samples.orderByTime();
      const { timesMs, values, hasAbsent } = samples;
      return { name, channels, timesMs, values, hasAbsent, summaries };
    });
    return new Recording({
      path: this.#path,
      header: this.#header,
      groups,
      events: this.#events.sort((a, b) => a.elapsedMs - b.elapsedMs),
      endMs: this.#endNs / 1e6,
      isClosed: this.#isClosed,
      recordsDropped: this.#recordsDropped,
      problems: this.#problems,
    });
  }
}

function isDefinition(value: unknown): value is { name: string; channels: ChannelDefinition[] } {
  const { name, channels } = (value ?? {}) as { name?: unknown; channels?: unknown };
  return (
    typeof name === 'string' &&
    Array.isArray(channels) &&
    channels.every(
      (channel) =>
        typeof channel?.name === 'string' && (channel.kind === 'integer' || channel.kind === 'real'),
    )
  );
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
