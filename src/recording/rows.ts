import type { RecordedGroup, Recording } from './recording.js';

/**
 * The samples of a recording as rows of a table, for tools that read CSV or
 * NDJSON. Groups are sampled at times of their own, so a row has the values of
 * one moment: of all groups that were sampled at it, and nothing in the columns
 * of the others. What is absent stays absent; nothing is carried forward.
 */

/** All values of one moment. The same object in every row: copy what is to be kept. */
export interface SampleRow {
  /** Wall clock, epoch milliseconds: the start's, and then the monotonic clock. */
  epochMs: number;
  /** In the order of the recording's channels; NaN: absent. */
  values: Float64Array;
}

/** In order of time. Linear in samples times groups; holds one row. */
export function* sampleRows(recording: Recording): Generator<SampleRow> {
  const cursors = cursorsOf(recording.groups);
  const values = new Float64Array(recording.channels.length);
  const row: SampleRow = { epochMs: Number.NaN, values };
  for (;;) {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { group, at } of cursors) nextMs = Math.min(nextMs, group.timesMs[at] ?? nextMs);
    if (nextMs === Number.POSITIVE_INFINITY) return;
    values.fill(Number.NaN);
    for (const cursor of cursors) {
      const { group, firstColumn } = cursor;
      if (group.timesMs[cursor.at] !== nextMs) continue;
      for (let c = 0; c < group.values.length; c++)
        values[firstColumn + c] = (group.values[c] as Float64Array)[cursor.at] as number;
      cursor.at++;
    }
    row.epochMs = recording.header.startedAtEpochMs + nextMs;
    yield row;
  }
}

/** A header line, then a line for each row: `t_ms` first, units in the names, absent values empty (RFC 4180). */
export function* csvLines(recording: Recording): Generator<string> {
  const names = recording.channels.map((channel) => channel.name);
  yield `${['t_ms', ...names.map(quoted)].join(',')}\n`;
  for (const { epochMs, values } of sampleRows(recording)) {
    let line = String(epochMs);
    for (const value of values) line += Number.isFinite(value) ? `,${value}` : ',';
    yield `${line}\n`;
  }
}

/** One JSON object a row, with `t_ms` first; absent values have no member. */
export function* ndjsonLines(recording: Recording): Generator<string> {
  const keys = recording.channels.map((channel) => JSON.stringify(channel.name));
  for (const { epochMs, values } of sampleRows(recording)) {
    let line = `{"t_ms":${epochMs}`;
    values.forEach((value, i) => {
      if (Number.isFinite(value)) line += `,${keys[i]}:${value}`;
    });
    yield `${line}}\n`;
  }
}

interface Cursor {
  group: RecordedGroup;
  /** The sample that comes next. */
  at: number;
  firstColumn: number;
}

function cursorsOf(groups: RecordedGroup[]): Cursor[] {
  let column = 0;
  return groups.map((group) => {
    const cursor = { group, at: 0, firstColumn: column };
    column += group.channels.length;
    return cursor;
  });
}

function quoted(name: string): string {
  return /[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
}
