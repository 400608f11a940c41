import { z } from 'zod';
import { messageOf } from '../errors.js';
import type { ProcessSeries } from './process-series.js';
import { invalid, openText } from './series-csv.js';

const numbers = z.array(z.number().nullable());

/** One line: a series of one process. Unknown signals are let pass. */
const LineSchema = z.object({
  id: z.union([z.string(), z.number()]).optional(),
  t_ms: numbers,
  ops: numbers.nullish(),
  signals: z.object({
    rss: numbers.nullish(),
    heapUsed: numbers.nullish(),
    heapTotal: numbers.nullish(),
    external: numbers.nullish(),
    mallocInUse: numbers.nullish(),
    handles: numbers.nullish(),
    liveAfterGc: z.array(z.tuple([z.number().nullable(), z.number().nullable()])).nullish(),
  }),
});

/**
 * The series of an NDJSON file, one a line, one after the other:
 * `{"id", "t_ms": [...], "ops": [...], "signals": {"rss": [...], "heapUsed",
 * "liveAfterGc": [[t_ms, bytes], ...], "heapTotal", "external", "mallocInUse",
 * "handles"}}`. `null` is a value that is missing. Holds one line at a time.
 *
 * @throws CrucibleMemoryError SERIES_UNREADABLE, SERIES_INVALID with the line's number
 */
export async function* readNdjson(path: string): AsyncGenerator<ProcessSeries> {
  const file = await openText(path);
  let line = 0;
  let found = 0;
  try {
    for await (const text of file.readLines()) {
      line++;
      if (text.trim() === '') continue;
      found++;
      yield seriesOf(path, line, text);
    }
  } finally {
    await file.close();
  }
  if (found === 0) throw invalid(path, 'it is empty', 'give a file with a JSON object a line');
}

function seriesOf(path: string, line: number, text: string): ProcessSeries {
  const where = `line ${line}`;
  const parsed = LineSchema.safeParse(parse(path, where, text));
  if (!parsed.success) {
    const { path: at, message } = parsed.error.issues[0] ?? { path: [], message: '' };
    throw invalid(path, `${where}, ${at.join('.') || 'the object'}: ${message}`, FORMAT);
  }
  const { id, t_ms, ops, signals } = parsed.data;
  const column = (name: string, values: (number | null)[]) => {
    if (values.length !== t_ms.length)
      throw invalid(path, `${where}: ${name} has ${values.length} values for ${t_ms.length} times`, FORMAT);
    return Float64Array.from(values, (value) => value ?? Number.NaN);
  };
  const { liveAfterGc, ...sampled } = signals;
  return {
    id: String(id ?? `${path}:${line}`),
    timesMs: column('t_ms', t_ms),
    ...(ops && { operations: column('ops', ops) }),
    signals: Object.fromEntries(
      Object.entries(sampled).flatMap(([name, values]) => (values ? [[name, column(name, values)]] : [])),
    ),
    ...(liveAfterGc && {
      liveAfterGc: {
        timesMs: Float64Array.from(liveAfterGc, ([at]) => at ?? Number.NaN),
        liveBytes: Float64Array.from(liveAfterGc, ([, bytes]) => bytes ?? Number.NaN),
      },
    }),
  };
}

const FORMAT =
  'one object a line: {"id", "t_ms": [...], "ops": [...], "signals": {"rss": [...], "heapUsed": [...], "liveAfterGc": [[t_ms, bytes], ...]}}';

function parse(path: string, where: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(path, `${where} is no JSON: ${messageOf(error)}`, FORMAT);
  }
}
