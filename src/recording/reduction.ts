import type { Group } from './block-stream.js';
import { ByteCursor, varintBytes } from './byte-cursor.js';
import { crc32c } from './checksum.js';
import {
  CHECK_BYTES,
  CONTINUED_BY_NEXT,
  CONTINUES_PREVIOUS,
  PAYLOAD_BYTES,
  RecordKind,
  VARINT_BYTES_MAX,
} from './layout.js';
import { type BlockView, type ChannelSummary, type RecordListener, readRecords } from './record-listener.js';

/** As in native/recording/reduction.cc. */
const SUMMARY_BYTES = 8;
const CHANNEL_BYTES = 6;
const CHANNEL_BYTES_MAX = 5 * VARINT_BYTES_MAX;

/** By id, of which the first is 1. */
export type GroupTable = readonly (Group | undefined)[];

/**
 * What is kept of several blocks of one stream, as the payload of one: native/recording/reduction.h, byte for
 * byte.
 * @returns undefined when events alone are too many
 */
export function reduceBlocks(blocks: readonly BlockView[], groups: GroupTable): Uint8Array | undefined {
  const survey = new Survey(groups.length);
  for (const block of blocks) readRecords(block, groups, survey);
  const samplesBySummary = firstGuess(survey, groups);
  for (;;) {
    const writer = new SummaryWriter(groups, samplesBySummary, survey, (blocks[0] as BlockView).baseNs);
    for (const block of blocks) readRecords(block, groups, writer);
    writer.flush();
    if (writer.bytes <= PAYLOAD_BYTES) return writer.written();
    const most = largest(writer.bytesByGroup, survey, samplesBySummary);
    if (most === undefined) return undefined;
    samplesBySummary[most] = 2 * (samplesBySummary[most] as number);
  }
}

/** Before anything is written: how much there is, and whether a long event goes on behind the blocks. */
class Survey implements RecordListener {
  readonly samplesByGroup: number[];
  /** Number of the first piece of an event whose end is in a later block: it has to be written last. */
  unfinishedPiece: number | undefined;
  #pieces = 0;

  constructor(groups: number) {
    this.samplesByGroup = new Array<number>(groups).fill(0);
  }

  samples({ id }: Group): void {
    this.samplesByGroup[id] = (this.samplesByGroup[id] as number) + 1;
  }

  eventPiece(head: number): void {
    if ((head & (CONTINUED_BY_NEXT | CONTINUES_PREVIOUS)) === CONTINUED_BY_NEXT)
      this.unfinishedPiece = this.#pieces;
    if (!(head & CONTINUED_BY_NEXT)) this.unfinishedPiece = undefined;
    this.#pieces++;
  }
}

interface BucketChannel {
  count: number;
  sum: number;
  min: number;
  max: number;
  last: number;
}

/** Samples of one group that become one summary. */
class Bucket {
  samples = 0;
  firstNs = 0;
  lastNs = 0;
  channels: BucketChannel[] = [];

  add(firstNs: number, lastNs: number, added: readonly ChannelSummary[]): void {
    if (this.samples === 0) {
      this.firstNs = firstNs;
      this.lastNs = lastNs;
      this.channels = added.map(() => ({ count: 0, sum: 0, min: 0, max: 0, last: 0 }));
    }
    this.samples++;
    this.firstNs = Math.min(this.firstNs, firstNs);
    this.lastNs = Math.max(this.lastNs, lastNs);
    added.forEach((one, i) => {
      addTo(this.channels[i] as BucketChannel, one);
    });
  }
}

function addTo(channel: BucketChannel, { count, min, max, mean, last }: ChannelSummary): void {
  if (count === 0) return;
  if (channel.count === 0) Object.assign(channel, { min, max });
  channel.count += count;
  channel.sum += mean * count;
  if (min < channel.min) channel.min = min;
  if (max > channel.max) channel.max = max;
  channel.last = last;
}

/** Writes summaries as long as there is room, and counts the bytes of all of them. */
class SummaryWriter implements RecordListener {
  bytes = 0;
  readonly bytesByGroup: number[];
  readonly #groups: GroupTable;
  readonly #samplesBySummary: readonly number[];
  readonly #survey: Survey;
  readonly #out = Buffer.alloc(PAYLOAD_BYTES);
  readonly #buckets: Bucket[];
  readonly #previous: number[][];
  #lastNs: number;
  #pieces = 0;

  constructor(groups: GroupTable, samplesBySummary: readonly number[], survey: Survey, baseNs: number) {
    this.#groups = groups;
    this.#samplesBySummary = samplesBySummary;
    this.#survey = survey;
    this.#lastNs = baseNs;
    this.bytesByGroup = groups.map(() => 0);
    this.#buckets = Array.from(groups, () => new Bucket());
    this.#previous = Array.from(groups, (group) => new Array<number>(group?.kinds.length ?? 0).fill(0));
  }

  samples(group: Group, firstNs: number, lastNs: number, channels: readonly ChannelSummary[]): void {
    const bucket = this.#buckets[group.id] as Bucket;
    bucket.add(firstNs, lastNs, channels);
    if (bucket.samples === this.#samplesBySummary[group.id]) this.#write(group, bucket);
  }

  eventPiece(head: number, timeNs: number, body: Uint8Array): void {
    if (this.#survey.unfinishedPiece === this.#pieces++) this.flush();
    const to = new ByteCursor(Buffer.alloc(1 + VARINT_BYTES_MAX + body.length));
    to.byte(head);
    if (!(head & CONTINUES_PREVIOUS)) this.#time(to, timeNs);
    to.bytes(body);
    this.#commit(to);
  }

  flush(): void {
    this.#buckets.forEach((bucket, id) => {
      if (bucket.samples > 0) this.#write(this.#groups[id] as Group, bucket);
    });
  }

  written(): Uint8Array {
    return this.#out.subarray(0, this.bytes);
  }

  #write(group: Group, bucket: Bucket): void {
    const size = 1 + 3 * VARINT_BYTES_MAX + bucket.channels.length * CHANNEL_BYTES_MAX;
    const to = new ByteCursor(Buffer.alloc(size));
    to.byte(RecordKind.Summary);
    to.varint(group.id);
    this.#time(to, bucket.lastNs);
    to.varint(bucket.lastNs - bucket.firstNs);
    const previous = this.#previous[group.id] as number[];
    bucket.channels.forEach(({ count, sum, min, max, last }, i) => {
      to.varint(count);
      if (count === 0) return;
      const kind = group.kinds[i];
      writeValue(to, kind, min, previous[i] as number);
      previous[i] = last;
      if (count === 1) return;
      writeValue(to, kind, max, min);
      const mean = sum / count;
      // There are many NaN; the literal one is that of the native writer.
      to.real(Number.isNaN(mean) ? Number.NaN : mean);
      writeValue(to, kind, last, min);
    });
    const before = this.bytes;
    this.#commit(to);
    this.bytesByGroup[group.id] = (this.bytesByGroup[group.id] as number) + this.bytes - before;
    bucket.samples = 0;
  }

  #time(to: ByteCursor, timeNs: number): void {
    to.zigzagDifference(timeNs, this.#lastNs);
    this.#lastNs = timeNs;
  }

  #commit({ buffer, at: length }: ByteCursor): void {
    const content = buffer.subarray(0, length);
    const size = varintBytes(length) + CHECK_BYTES + length;
    if (this.bytes + size <= PAYLOAD_BYTES) {
      const to = new ByteCursor(this.#out);
      to.at = this.bytes;
      to.varint(length);
      to.at = this.#out.writeUInt16LE(crc32c(content) & 0xffff, to.at);
      to.bytes(content);
    }
    this.bytes += size;
  }
}

function writeValue(to: ByteCursor, kind: Group['kinds'][number] | undefined, value: number, base: number) {
  if (kind === 'real') to.real(value);
  else to.zigzagDifference(value, base);
}

/** The first group that has most, of those that can still be summarised further. */
function largest(
  sizes: readonly number[],
  { samplesByGroup }: Survey,
  samplesBySummary: readonly number[],
): number | undefined {
  let found: number | undefined;
  sizes.forEach((size, id) => {
    if ((samplesBySummary[id] as number) >= (samplesByGroup[id] as number)) return;
    if (found === undefined || size > (sizes[found] as number)) found = id;
  });
  return found;
}

/** Where to begin: with what would probably fit. */
function firstGuess(survey: Survey, groups: GroupTable): number[] {
  const samplesBySummary = Array.from(groups, () => 1);
  for (;;) {
    const sizes = Array.from(groups, (group, id) => {
      const summaries = Math.ceil((survey.samplesByGroup[id] as number) / (samplesBySummary[id] as number));
      return summaries * (SUMMARY_BYTES + CHANNEL_BYTES * (group?.kinds.length ?? 0));
    });
    const all = sizes.reduce((sum, size) => sum + size, 0);
    const most = largest(sizes, survey, samplesBySummary);
    if (all <= PAYLOAD_BYTES || most === undefined) return samplesBySummary;
    samplesBySummary[most] = 2 * (samplesBySummary[most] as number);
  }
}
