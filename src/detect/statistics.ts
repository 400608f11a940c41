import { median } from 'simple-statistics';
import type { MemoryStatistics } from '../diagnosis/index.js';
import { RecordedEvents, RSS_CHANNEL } from '../recording/channels.js';
import type { Recording } from '../recording/recording.js';
import { Phase } from '../vocabulary.js';
import { floorSeries, type LoadWindow, loadWindow } from './floor.js';
import { recordedOutcome } from './outcomes.js';
import { fitTrend } from './trend.js';

/** RSS over a stretch of time, in one pass over the samples. Bytes. */
interface ResidentSummary {
  peak: number;
  average: number;
  deviation: number;
}

/** The figures of the load phase; each null where the recording does not hold what it needs. */
export function memoryStatistics(recording: Recording): MemoryStatistics {
  const window = loadWindow(recording);
  const resident = window && summariseResident(recording, window);
  const baselineMemoryBytes = window ? baselineResident(recording, window) : null;
  const floor = floorSeries(recording, 'floor_live_bytes');
  const trend = floor && fitTrend(floor.timesMs, floor.liveBytes);
  const operations = recordedOutcome(recording)?.completed ?? 0;
  return {
    baselineMemoryBytes,
    peakMemoryBytes: resident?.peak ?? null,
    averageMemoryBytes: resident?.average ?? null,
    memoryGrowthRate: trend === undefined ? null : trend.slope * 1000,
    memoryVolatility: resident === undefined ? null : resident.deviation / resident.average,
    cleanupEfficiency: cleanupEfficiency(recording),
    memoryPerOperation:
      resident === undefined || baselineMemoryBytes === null || operations === 0
        ? null
        : Math.max(0, resident.peak - baselineMemoryBytes) / operations,
  };
}

/** Median RSS of the settling right before the load. */
function baselineResident(recording: Recording, load: LoadWindow): number | null {
  const settle = recording
    .phases()
    .findLast((span) => span.phase === Phase.Settle && span.endMs <= load.startMs);
  const series = recording.series(RSS_CHANNEL);
  if (settle === undefined || series === undefined) return null;
  const { values } = recording.window(series, settle.startMs, settle.endMs);
  // The collections at its beginning still move memory: the later half is at rest.
  const resting = values.subarray(Math.floor(values.length / 2));
  return resting.length === 0 ? null : median(Array.from(resting));
}

function summariseResident(recording: Recording, load: LoadWindow): ResidentSummary | undefined {
  const series = recording.series(RSS_CHANNEL);
  if (series === undefined) return undefined;
  const { timesMs, values } = recording.window(series, load.startMs, load.endMs);
  if (values.length === 0) return undefined;
  let peak = 0;
  let weightMs = 0;
  let sum = 0;
  let sumOfSquares = 0;
  const origin = values[0] as number;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value > peak) peak = value;
    // A sample stands for the time until the next one; the last for as long as the one before.
    const untilNextMs = (timesMs[i + 1] ?? load.endMs) - (timesMs[i] as number);
    const offset = value - origin;
    weightMs += untilNextMs;
    sum += offset * untilNextMs;
    sumOfSquares += offset * offset * untilNextMs;
  }
  if (weightMs <= 0) return { peak, average: origin, deviation: 0 };
  const meanOffset = sum / weightMs;
  return {
    peak,
    average: origin + meanOffset,
    deviation: Math.sqrt(Math.max(0, sumOfSquares / weightMs - meanOffset * meanOffset)),
  };
}

/**
 * Of the rise of memory in use over the floor before the load: the share that
 * was given back at the last floor of the recording. Null when the target was
 * not stopped, 1 when nothing rose. The cleanup scenario measures it itself,
 * against a baseline of its own.
 */
function cleanupEfficiency(recording: Recording): number | null {
  const measured = recording.events(RecordedEvents.Cleanup)[0]?.detail;
  if (hasEfficiency(measured)) return measured.efficiency;
  const floor = recording.series('floor_live_bytes');
  const load = loadWindow(recording);
  const wasStopped = recording.phases().some((span) => span.phase === Phase.Teardown && span.complete);
  if (floor === undefined || load === undefined || !wasStopped) return null;
  const before = recording.window(floor, 0, load.startMs).values.at(-1);
  const after = floor.values.at(-1);
  if (before === undefined || after === undefined) return null;
  const peak = Math.max(highestInUse(recording, load), after);
  if (peak <= before) return 1;
  return Math.min(1, Math.max(0, (peak - after) / (peak - before)));
}

function hasEfficiency(detail: unknown): detail is { efficiency: number } {
  return typeof detail === 'object' && detail !== null && 'efficiency' in detail;
}

/** Highest sum of V8 heap in use and external memory under load, bytes. */
function highestInUse(recording: Recording, load: LoadWindow): number {
  const heap = recording.series('heap_used_bytes');
  const external = recording.series('external_bytes');
  if (heap === undefined || external === undefined) return 0;
  const heapUsed = recording.window(heap, load.startMs, load.endMs).values;
  const externalBytes = recording.window(external, load.startMs, load.endMs).values;
  let highest = 0;
  for (let i = 0; i < Math.min(heapUsed.length, externalBytes.length); i++) {
    highest = Math.max(highest, (heapUsed[i] as number) + (externalBytes[i] as number));
  }
  return highest;
}
