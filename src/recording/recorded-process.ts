import type { ProcessSeries, ProcessSignals } from './process-series.js';
import type { Recording, Series } from './recording.js';

/** Samples that are kept of a channel, however long the recording: enough for every window that is judged. */
const SAMPLES_AT_MOST = 4000;

const CHANNELS = {
  rss: 'rss_bytes',
  heapUsed: 'heap_used_bytes',
  heapTotal: 'heap_total_bytes',
  external: 'external_bytes',
  mallocInUse: 'malloc_in_use_bytes',
} as const satisfies Partial<Record<keyof ProcessSignals, string>>;

/**
 * A recording as a series of one process: every channel on the clock of the
 * resident memory, of which every so many samples are taken. Linear in the
 * samples; eight hours at 1 kHz take less than a second.
 */
export function processSeriesOf(recording: Recording): ProcessSeries {
  const clock = recording.series(CHANNELS.rss) ?? recording.series(CHANNELS.heapUsed);
  const stride = Math.max(1, Math.ceil((clock?.timesMs.length ?? 0) / SAMPLES_AT_MOST));
  const timesMs = clock ? clock.timesMs.filter((_, i) => i % stride === 0) : new Float64Array();
  const signals: ProcessSignals = {};
  for (const [name, channel] of Object.entries(CHANNELS) as [keyof typeof CHANNELS, string][]) {
    const series = recording.series(channel);
    if (series && series.values.length > 0) signals[name] = latestAt(series, timesMs);
  }
  const operations = recording.series('operations');
  return {
    id: recording.path,
    timesMs,
    hasSteadyClock: true,
    signals,
    ...(operations && operations.values.length > 0 && { operations: latestAt(operations, timesMs) }),
    ...liveAfterGcOf(recording),
  };
}

/** Of collections that somebody forced, or else of those that V8 made by itself. */
function liveAfterGcOf(recording: Recording): Pick<ProcessSeries, 'liveAfterGc'> {
  const forced = recording.series('floor_live_bytes');
  if (forced) return { liveAfterGc: { timesMs: forced.timesMs, liveBytes: forced.values } };
  const heap = recording.series('live_heap_bytes');
  const external = recording.series('live_external_bytes');
  if (!heap || !external) return {};
  return {
    liveAfterGc: {
      timesMs: heap.timesMs,
      liveBytes: heap.values.map((bytes, i) => bytes + (external.values[i] ?? 0)),
    },
  };
}

/** The value that a channel had at each time; missing before its first. */
function latestAt({ timesMs, values }: Series, at: Float64Array): Float64Array {
  let cursor = -1;
  return at.map((ms) => {
    while (cursor + 1 < timesMs.length && (timesMs[cursor + 1] as number) <= ms) cursor++;
    return cursor < 0 ? Number.NaN : (values[cursor] as number);
  });
}
