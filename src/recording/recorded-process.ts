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
 * resident memory, of which every so many samples are taken. Costs as much as
 * the samples that are kept, and a search in each channel for each of them.
 */
export function processSeriesOf(recording: Recording): ProcessSeries {
  const clock = recording.series(CHANNELS.rss) ?? recording.series(CHANNELS.heapUsed);
  const stride = Math.max(1, Math.ceil((clock?.timesMs.length ?? 0) / SAMPLES_AT_MOST));
  const timesMs = clock ? everyOf(clock.timesMs, stride) : new Float64Array();
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

function everyOf(numbers: Float64Array, stride: number): Float64Array {
  return Float64Array.from(
    { length: Math.ceil(numbers.length / stride) },
    (_, i) => numbers[i * stride] as number,
  );
}

/** The value that a channel had at each time; missing before its first. */
function latestAt({ timesMs, values }: Series, at: Float64Array): Float64Array {
  let from = 0;
  return at.map((ms) => {
    from = behind(timesMs, ms, from);
    return from === 0 ? Number.NaN : (values[from - 1] as number);
  });
}

/** The first index, not before `from`, whose time is later: in steps that double, and then by bisection. */
function behind(timesMs: Float64Array, ms: number, from: number): number {
  const isLater = (i: number) => i >= timesMs.length || (timesMs[i] as number) > ms;
  let low = from;
  let step = 1;
  while (!isLater(low + step - 1)) {
    low += step;
    step *= 2;
  }
  let high = Math.min(low + step - 1, timesMs.length);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isLater(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
