import type { NumberColumn } from './column.js';
import { CHECK_BYTES, RecordKind } from './layout.js';

/** What samples of a group of integers need to be decoded. */
export interface IntegerGroup {
  timesMs: NumberColumn;
  values: NumberColumn[];
  /** What differences count from, within a block. */
  previous: Float64Array;
}

/** A run of samples: where it ended, when the last of them was, and the latest time of all records so far. */
export interface SampleRun {
  at: number;
  elapsedNs: number;
  latestNs: number;
}

/** Four bytes of a varint hold 28 bits, which nearly every difference between two samples fits into. */
const MORE = 0x80;
const BITS = 0x7f;
/** A run ends at the first record that is anything else. */
const NOT_HERE = -1;

let cursor = 0;

function smallVarint(bytes: Uint8Array): number {
  let byte = bytes[cursor++] as number;
  let value = byte & BITS;
  for (let shift = 7; byte >= MORE; shift += 7) {
    if (shift > 21) return NOT_HERE;
    byte = bytes[cursor++] as number;
    value |= (byte & BITS) << shift;
  }
  return value;
}

/**
 * Decodes the samples of integers that follow each other in a payload whose
 * checksum was right, until the first record of another kind or with a number
 * of more than 28 bits. It is what eight hours at 1 kHz consist of: the general
 * decoder takes three times as long for them.
 *
 * @param groupOf the group of that number; undefined: not decoded here
 */
export function decodeSampleRun(
  payload: Uint8Array,
  from: SampleRun,
  groupOf: (id: number) => IntegerGroup | undefined,
): SampleRun {
  let { at, elapsedNs, latestNs } = from;
  const end = payload.length;
  let id = NOT_HERE;
  let group: IntegerGroup | undefined;
  let differences = new Float64Array();
  while (at + 1 + CHECK_BYTES < end) {
    const length = payload[at] as number;
    const first = at + 1 + CHECK_BYTES;
    const behind = first + length;
    if (length === 0 || length >= MORE || behind > end || payload[first] !== RecordKind.Sample) break;
    const wanted = payload[first + 1] as number;
    if (wanted >= MORE) break;
    if (wanted !== id) {
      group = groupOf(wanted);
      id = wanted;
      differences = new Float64Array(group?.values.length ?? 0);
    }
    if (group === undefined) break;
    cursor = first + 2;
    const step = smallVarint(payload);
    let isHere = step !== NOT_HERE;
    for (let i = 0; i < differences.length && isHere; i++) {
      const difference = smallVarint(payload);
      isHere = difference !== NOT_HERE;
      differences[i] = signed(difference);
    }
    // Only a record that was read to its end has changed anything.
    if (!isHere || cursor > behind) break;
    elapsedNs += signed(step);
    if (elapsedNs > latestNs) latestNs = elapsedNs;
    group.timesMs.push(elapsedNs / 1e6);
    for (let i = 0; i < differences.length; i++) {
      const value = (group.previous[i] as number) + (differences[i] as number);
      group.previous[i] = value;
      (group.values[i] as NumberColumn).push(value);
    }
    at = behind;
  }
  return { at, elapsedNs, latestNs };
}

/** Zigzag: 0, -1, 1, -2, ... are 0, 1, 2, 3, ... */
function signed(value: number): number {
  return (value >>> 1) ^ -(value & 1);
}
