import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { LeakPatternType } from '../../../src/diagnosis/index.js';
import type { ProcessSeries } from '../../../src/recording/process-series.js';

/** Recordings of real programs, one a line; written by `npm run truth:record`. */
export const REAL_RECORDINGS = join(
  import.meta.dirname,
  '../../../../scripts/truth/real/recordings.ndjson.gz',
);

export interface RealRecording {
  series: ProcessSeries;
  /** null: clean. */
  pattern: LeakPatternType | null;
}

/** Samples that are kept of each. */
const SAMPLES = 400;

/** The form that `analyze` reads, and the truth; memory in whole KiB, which is enough and packs well. */
export function encodeReal(series: ProcessSeries, pattern: LeakPatternType | null): string {
  const stride = Math.max(1, Math.floor(series.timesMs.length / SAMPLES));
  const thin = (values: Float64Array, round: (value: number) => number) =>
    Array.from(values)
      .filter((_, i) => i % stride === 0)
      .map((value) => (Number.isNaN(value) ? null : round(value)));
  const bytes = (value: number) => Math.round(value / 1024) * 1024;
  const signals = Object.fromEntries(
    Object.entries(series.signals).map(([name, values]) => [name, thin(values, bytes)]),
  );
  const { timesMs = new Float64Array(), liveBytes = new Float64Array() } = series.liveAfterGc ?? {};
  return JSON.stringify({
    id: series.id,
    pattern,
    t_ms: thin(series.timesMs, Math.round),
    ops: series.operations ? thin(series.operations, Math.round) : null,
    signals: { ...signals, liveAfterGc: Array.from(timesMs, (ms, i) => [Math.round(ms), liveBytes[i]]) },
  });
}

export function realRecordings(): RealRecording[] {
  return gunzipSync(readFileSync(REAL_RECORDINGS)).toString().trim().split('\n').map(decodeReal);
}

interface Line {
  id: string;
  pattern: LeakPatternType | null;
  t_ms: number[];
  ops: (number | null)[] | null;
  signals: Record<string, (number | null)[]> & { liveAfterGc: [number, number][] };
}

function decodeReal(line: string): RealRecording {
  const { id, pattern, t_ms, ops, signals } = JSON.parse(line) as Line;
  const column = (values: (number | null)[]) => Float64Array.from(values, (value) => value ?? Number.NaN);
  const { liveAfterGc, ...sampled } = signals;
  return {
    pattern,
    series: {
      id,
      timesMs: Float64Array.from(t_ms),
      ...(ops && { operations: column(ops) }),
      signals: Object.fromEntries(Object.entries(sampled).map(([name, values]) => [name, column(values)])),
      liveAfterGc: {
        timesMs: Float64Array.from(liveAfterGc, ([ms]) => ms),
        liveBytes: Float64Array.from(liveAfterGc, ([, bytes]) => bytes),
      },
    },
  };
}
