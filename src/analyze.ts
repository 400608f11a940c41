import { open } from 'node:fs/promises';
import { ANALYSIS_DEFAULTS } from './detect/analysis-defaults.js';
import { Fleet, type FleetConclusion } from './detect/fleet.js';
import type { JudgeSettings } from './detect/judge.js';
import { judgeProcess } from './detect/process-judge.js';
import { judgeRecording } from './detect/recording-judge.js';
import type { LeakDetectionResult } from './diagnosis/index.js';
import { readRecording } from './recording/index.js';
import { FILE_MAGIC } from './recording/layout.js';
import type { ProcessSeries } from './recording/process-series.js';
import { readCsv } from './recording/series-csv.js';
import { readNdjson } from './recording/series-ndjson.js';
import { type PrometheusRequest, readPrometheus } from './recording/series-prometheus.js';

export { Fleet, type FleetConclusion };

/** A series and what came out. */
export interface Analysis {
  id: string;
  result: LeakDetectionResult;
}

/**
 * Judges every series of a file, in the order in which they stand there: one
 * of our recordings, a CSV, or an NDJSON file with a series a line. What a file
 * is, its content says.
 *
 * A recording is judged as `run` and `record` do it.
 *
 * @throws CrucibleMemoryError SERIES_UNREADABLE, SERIES_INVALID, RECORDING_...
 */
export async function* analyzeFile(
  path: string,
  given: Partial<JudgeSettings> = {},
): AsyncGenerator<Analysis> {
  const settings = { ...ANALYSIS_DEFAULTS, ...given };
  const kind = await kindOf(path);
  if (kind === 'recording') {
    yield { id: path, result: judgeRecording(await readRecording(path), settings) };
  } else if (kind === 'ndjson') {
    for await (const series of readNdjson(path)) yield analysed(series, settings);
  } else {
    yield analysed(await readCsv(path), settings);
  }
}

/**
 * Judges every series of a range query, one after the other as they arrive.
 * @throws CrucibleMemoryError PROMETHEUS_UNREACHABLE, PROMETHEUS_REFUSED
 */
export async function* analyzePrometheus(
  request: PrometheusRequest,
  given: Partial<JudgeSettings> = {},
): AsyncGenerator<Analysis> {
  const settings = { ...ANALYSIS_DEFAULTS, ...given };
  for await (const series of readPrometheus(request)) yield analysed(series, settings);
}

function analysed(series: ProcessSeries, settings: JudgeSettings): Analysis {
  return { id: series.id, result: judgeProcess(series, settings) };
}

const SNIFFED_BYTES = 4096;

async function kindOf(path: string): Promise<'recording' | 'ndjson' | 'csv'> {
  const file = await open(path, 'r').catch(() => undefined);
  // Whoever reads it says why it cannot be read.
  if (file === undefined) return 'csv';
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(SNIFFED_BYTES), 0, SNIFFED_BYTES, 0);
    const head = buffer.subarray(0, bytesRead);
    if (head.subarray(0, FILE_MAGIC.length).equals(FILE_MAGIC)) return 'recording';
    return head
      .toString('utf8')
      .replace(/^\uFEFF/, '')
      .trimStart()
      .startsWith('{')
      ? 'ndjson'
      : 'csv';
  } catch {
    return 'csv';
  } finally {
    await file.close();
  }
}
