import { CHECK_BYTES, RecordKind } from './layout.js';
import { FIRST_CHANNEL, PROGRESS, TIMES } from './sample-columns.js';

/** Four bytes of a varint hold 28 bits, which nearly every difference between two samples fits into. */
const MORE = 0x80;
const BITS = 0x7f;
/** A run ends at the first record that is anything else. */
const NOT_HERE = -1;
/** Numbers of groups from here on take two bytes. */
export const GROUPS_AT_MOST = MORE;

/** Where decoding is, and when: byte of the payload, time of the last record, latest time of all so far. */
export const RUN_PLACE = { at: 0, elapsedNs: 1, latestNs: 2 } as const;

/** Arrays of SampleColumns by the number of their group; only of groups that have nothing but integers. */
export type IntegerGroups = (Float64Array[] | undefined)[];

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
 * of more than 28 bits. It is what eight hours at 1 kHz consist of.
 *
 * native/recording/sample_run.cc does the same five times as fast; a test
 * holds the two together. This one serves where the addon is missing.
 *
 * @param place where to begin (RUN_PLACE); moves on to where the run ended
 * @returns the group whose columns are full, and which has to grow first; -1: the run has ended
 */
export function decodeSampleRun(payload: Uint8Array, place: Float64Array, groups: IntegerGroups): number {
  let at = place[RUN_PLACE.at] as number;
  let elapsedNs = place[RUN_PLACE.elapsedNs] as number;
  let latestNs = place[RUN_PLACE.latestNs] as number;
  const end = payload.length;
  let id = NOT_HERE;
  let full = NOT_HERE;
  let group: Float64Array[] | undefined;
  let progress: Float64Array = new Float64Array();
  let times: Float64Array = progress;
  let differences = new Float64Array();
  while (at + 1 + CHECK_BYTES < end) {
    const length = payload[at] as number;
    const first = at + 1 + CHECK_BYTES;
    const behind = first + length;
    if (length === 0 || length >= MORE || behind > end || payload[first] !== RecordKind.Sample) break;
    const wanted = payload[first + 1] as number;
    if (wanted >= GROUPS_AT_MOST) break;
    if (wanted !== id) {
      id = wanted;
      group = groups[wanted];
      if (group === undefined) break;
      progress = group[PROGRESS] as Float64Array;
      times = group[TIMES] as Float64Array;
      differences = new Float64Array(group.length - FIRST_CHANNEL);
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
    // Only a record that was read to its end, and has room, has changed anything.
    if (!isHere || cursor > behind) break;
    const sample = progress[0] as number;
    if (sample === times.length) {
      full = id;
      break;
    }
    elapsedNs += signed(step);
    if (elapsedNs > latestNs) latestNs = elapsedNs;
    times[sample] = elapsedNs / 1e6;
    for (let i = 0; i < differences.length; i++) {
      const value = (progress[1 + i] as number) + (differences[i] as number);
      progress[1 + i] = value;
      (group[FIRST_CHANNEL + i] as Float64Array)[sample] = value;
    }
    progress[0] = sample + 1;
    at = behind;
  }
  place[RUN_PLACE.at] = at;
  place[RUN_PLACE.elapsedNs] = elapsedNs;
  place[RUN_PLACE.latestNs] = latestNs;
  return full;
}

/** Zigzag: 0, -1, 1, -2, ... are 0, 1, 2, 3, ... */
function signed(value: number): number {
  return (value >>> 1) ^ -(value & 1);
}
