import type { Group } from './block-stream.js';
import { CHECK_BYTES, CONTINUES_PREVIOUS, KIND_MASK, RecordKind } from './layout.js';
import { RecordBytes } from './record-bytes.js';

/** What is kept of some values of one channel; of a single value, that value four times. */
export interface ChannelSummary {
  /** 0: none was present, and the rest means nothing. */
  count: number;
  min: number;
  max: number;
  mean: number;
  last: number;
}

/** Hears of the records of a block in their order. */
export interface RecordListener {
  /** A sample (then both times are the same), or what is kept of several. */
  samples(group: Group, firstNs: number, lastNs: number, channels: readonly ChannelSummary[]): void;
  /** An event, or a piece of a long one. `body` of a first piece begins behind its time. */
  eventPiece(head: number, timeNs: number, body: Uint8Array): void;
}

/** The used part of a block's payload. */
export interface BlockView {
  payload: Uint8Array;
  baseNs: number;
}

const ABSENT: ChannelSummary = { count: 0, min: 0, max: 0, mean: 0, last: 0 };

/**
 * Only for blocks that this process has written itself: nothing is checked. The reader of files is
 * RecordingDecoder.
 */
export function readRecords(
  { payload, baseNs }: BlockView,
  groups: readonly (Group | undefined)[],
  listener: RecordListener,
): void {
  const bytes = new RecordBytes(payload);
  const previous = Array.from(groups, (group) => new Array<number>(group?.kinds.length ?? 0).fill(0));
  let elapsedNs = baseNs;
  while (bytes.left > 0) {
    const length = bytes.varint();
    bytes.take(CHECK_BYTES);
    bytes.limitTo(length);
    const head = bytes.byte();
    const kind = head & KIND_MASK;
    if (kind === RecordKind.Event) {
      if (!(head & CONTINUES_PREVIOUS)) elapsedNs += bytes.zigzag();
      listener.eventPiece(head, elapsedNs, bytes.peek());
    } else {
      const group = groups[bytes.varint()] as Group;
      elapsedNs += bytes.zigzag();
      const before = previous[group.id] as number[];
      const isSummary = kind === RecordKind.Summary;
      const firstNs = isSummary ? elapsedNs - bytes.varint() : elapsedNs;
      const channels = isSummary
        ? summaryChannels(bytes, group, before)
        : sampleChannels(bytes, group, before, kind === RecordKind.SparseSample);
      listener.samples(group, firstNs, elapsedNs, channels);
    }
    bytes.leaveLimit();
  }
}

function sampleChannels(
  bytes: RecordBytes,
  { kinds }: Group,
  previous: number[],
  isSparse: boolean,
): ChannelSummary[] {
  const presence = isSparse ? bytes.take(Math.ceil(kinds.length / 8)) : undefined;
  return kinds.map((kind, i) => {
    if (presence && !((presence[i >> 3] as number) & (1 << (i & 7)))) return ABSENT;
    const value = readValue(bytes, kind, previous[i] as number);
    previous[i] = value;
    return single(value);
  });
}

function summaryChannels(bytes: RecordBytes, { kinds }: Group, previous: number[]): ChannelSummary[] {
  return kinds.map((kind, i) => {
    const summary = readSummary(bytes, kind, previous[i] as number);
    if (summary.count > 0) previous[i] = summary.last;
    return summary;
  });
}

/** One channel of a SUMMARY record. @param previous the channel's last value in this block */
export function readSummary(
  bytes: RecordBytes,
  kind: Group['kinds'][number],
  previous: number,
): ChannelSummary {
  const count = bytes.varint();
  if (count === 0) return ABSENT;
  const min = readValue(bytes, kind, previous);
  if (count === 1) return single(min);
  const max = readValue(bytes, kind, min);
  const mean = bytes.real();
  return { count, min, max, mean, last: readValue(bytes, kind, min) };
}

function single(value: number): ChannelSummary {
  return { count: 1, min: value, max: value, mean: value, last: value };
}

function readValue(bytes: RecordBytes, kind: Group['kinds'][number], base: number): number {
  return kind === 'real' ? bytes.real() : bytes.zigzag(base);
}
