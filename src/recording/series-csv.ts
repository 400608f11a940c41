import { open } from 'node:fs/promises';
import { CrucibleMemoryError, messageOf } from '../errors.js';
import { NumberColumn } from './column.js';
import type { ProcessSeries, SignalName } from './process-series.js';

/**
 * A CSV with a header row: a column of time, and any of rss, heapUsed,
 * liveAfterGc, heapTotal, external, mallocInUse, handles, ops. Names may be
 * written in any way (heap_used, HeapUsed, heap_used_bytes, `heap used (MB)`);
 * a unit in the name counts. Commas, semicolons or tabs. Our own exports too.
 *
 * Holds 8 bytes for each value; the text is read line by line.
 *
 * @throws CrucibleMemoryError SERIES_UNREADABLE, SERIES_INVALID
 */
export async function readCsv(path: string): Promise<ProcessSeries> {
  const file = await openText(path);
  let reader: CsvReader | undefined;
  let line = 0;
  try {
    for await (const text of file.readLines()) {
      line++;
      if (text.trim() === '') continue;
      if (reader === undefined) reader = new CsvReader(path, text.replace(/^\uFEFF/, ''));
      else reader.take(text, line);
    }
  } finally {
    await file.close();
  }
  if (reader === undefined)
    throw invalid(path, 'it is empty', 'give a file with a header row and a row a sample');
  return reader.finish();
}

/** @throws CrucibleMemoryError SERIES_UNREADABLE */
export async function openText(path: string) {
  try {
    const file = await open(path, 'r');
    if (!(await file.stat()).isDirectory()) return file;
    await file.close();
    throw new Error('it is a folder');
  } catch (error) {
    throw new CrucibleMemoryError('SERIES_UNREADABLE', {
      what: `${path} cannot be read`,
      why: messageOf(error),
      fix: 'give the path of a recording, a CSV or an NDJSON file that exists',
      cause: error,
    });
  }
}

type ColumnName = SignalName | 'ops' | 'liveAfterGc' | 'time';

/** Names as they remain without case, separators and units. */
const KNOWN: Record<string, ColumnName> = {
  rss: 'rss',
  residentsetsize: 'rss',
  resident: 'rss',
  heapused: 'heapUsed',
  heaptotal: 'heapTotal',
  liveaftergc: 'liveAfterGc',
  floor: 'liveAfterGc',
  floorlive: 'liveAfterGc',
  external: 'external',
  mallocinuse: 'mallocInUse',
  handles: 'handles',
  ops: 'ops',
  operations: 'ops',
  t: 'time',
  time: 'time',
  timestamp: 'time',
  elapsed: 'time',
  date: 'time',
  datetime: 'time',
};

/** By the unit at the end of a name; bytes and milliseconds are 1. */
const UNITS: Record<string, number> = {
  bytes: 1,
  b: 1,
  kb: 1000,
  kib: 1024,
  mb: 1e6,
  mib: 1024 ** 2,
  gb: 1e9,
  gib: 1024 ** 3,
  ms: 1,
  s: 1000,
  sec: 1000,
  seconds: 1000,
  us: 1e-3,
  ns: 1e-6,
};

interface CsvColumn {
  name: ColumnName;
  /** What a number of this column is multiplied by; undefined: a time that does not say. */
  factor: number | undefined;
  numbers: NumberColumn;
}

class CsvReader {
  readonly #path: string;
  readonly #separator: string;
  readonly #columns: (CsvColumn | undefined)[];
  readonly #time: CsvColumn;

  constructor(path: string, header: string) {
    this.#path = path;
    this.#separator = [';', '\t', ','].find((one) => header.includes(one)) ?? ',';
    const names = cellsOf(header, this.#separator);
    this.#columns = names.map(columnNamed);
    const time = this.#columns.find((column) => column?.name === 'time');
    if (time === undefined) {
      throw invalid(
        path,
        `it has no column of time: its columns are ${names.join(', ')}`,
        'add a column t_ms (milliseconds), t_s (seconds) or timestamp',
      );
    }
    this.#time = time;
    if (this.#columns.every((column) => column === undefined || ['time', 'ops'].includes(column.name))) {
      throw invalid(
        path,
        `it has no column of memory: its columns are ${names.join(', ')}`,
        'name at least one of rss, heapUsed, liveAfterGc, heapTotal, external, mallocInUse',
      );
    }
  }

  take(text: string, line: number): void {
    const cells = cellsOf(text, this.#separator);
    this.#columns.forEach((column, i) => {
      column?.numbers.push(this.#number(column, (cells[i] ?? '').trim(), line));
    });
  }

  #number({ name, factor }: CsvColumn, cell: string, line: number): number {
    if (cell === '' || /^(nan|null|na|-)$/i.test(cell)) return Number.NaN;
    const number = Number(cell);
    if (!Number.isNaN(number)) return number * (factor ?? 1);
    const date = name === 'time' ? Date.parse(cell) : Number.NaN;
    if (!Number.isNaN(date)) return date;
    throw invalid(
      this.#path,
      `line ${line} holds "${cell}" where a ${name === 'time' ? 'time' : 'number'} is expected`,
      'leave a cell empty where nothing was measured',
    );
  }

  finish(): ProcessSeries {
    const timesMs = this.#timesMs();
    const signals: ProcessSeries['signals'] = {};
    let operations: Float64Array | undefined;
    let liveAfterGc: ProcessSeries['liveAfterGc'];
    for (const column of this.#columns) {
      if (column === undefined || column.name === 'time') continue;
      const values = column.numbers.view().slice();
      if (column.name === 'ops') operations = values;
      else if (column.name === 'liveAfterGc') liveAfterGc = floorOf(timesMs, values);
      else signals[column.name] = values;
    }
    return {
      id: this.#path,
      timesMs,
      signals,
      ...(operations && { operations }),
      ...(liveAfterGc && { liveAfterGc }),
    };
  }

  /** A time that does not say its unit says it by its size: epoch seconds have ten digits, milliseconds 13. */
  #timesMs(): Float64Array {
    const times = this.#time.numbers.view().slice();
    if (this.#time.factor !== undefined) return times;
    const first = times.find((time) => !Number.isNaN(time)) ?? 0;
    return first >= 1e11 ? times : times.map((time) => time * 1000);
  }
}

/** A cell that repeats the one before is the same floor, written down with every sample. */
function floorOf(timesMs: Float64Array, values: Float64Array): NonNullable<ProcessSeries['liveAfterGc']> {
  const present = Array.from(values, (_, i) => i).filter((i) => !Number.isNaN(values[i]));
  const isDense = present.length > 0.9 * values.length;
  const kept = isDense ? present.filter((i) => i === 0 || values[i] !== values[i - 1]) : present;
  return {
    timesMs: Float64Array.from(kept, (i) => timesMs[i] as number),
    liveBytes: Float64Array.from(kept, (i) => values[i] as number),
  };
}

function columnNamed(header: string): CsvColumn | undefined {
  const words = header
    .trim()
    .replace(/([a-z])(Bytes|KiB|MiB|GiB|KB|MB|GB|Ms|Seconds)$/, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
  const unit = words.length > 1 ? UNITS[words.at(-1) ?? ''] : undefined;
  const whole = words.join('');
  const bare = unit === undefined ? whole : words.slice(0, -1).join('');
  const isSeconds = /^(seconds|s)$/.test(whole);
  const name = KNOWN[bare] ?? (isSeconds ? 'time' : undefined);
  if (name === undefined) return undefined;
  const factor = isSeconds ? 1000 : (unit ?? (name === 'time' ? undefined : 1));
  return { name, factor, numbers: new NumberColumn() };
}

/** Fields of a line; quotes as in RFC 4180, but no line breaks within them. */
function cellsOf(line: string, separator: string): string[] {
  if (!line.includes('"')) return line.split(separator);
  const cells: string[] = [];
  let cell = '';
  let isQuoted = false;
  for (let i = 0; i < line.length; i++) {
    const character = line[i] as string;
    if (character === '"' && isQuoted && line[i + 1] === '"') {
      cell += '"';
      i++;
    } else if (character === '"') isQuoted = !isQuoted;
    else if (character === separator && !isQuoted) {
      cells.push(cell);
      cell = '';
    } else cell += character;
  }
  return [...cells, cell];
}

export function invalid(path: string, why: string, fix: string): CrucibleMemoryError {
  return new CrucibleMemoryError('SERIES_INVALID', {
    what: `${path} is no series that can be judged`,
    why,
    fix,
  });
}
