import type { MemoryMeasurement } from '../diagnosis/index.js';
import {
  CUSTOM_CHANNEL_PREFIX,
  MAIN_REFERENCE_CHANNELS,
  REFERENCE_CHANNELS,
  RSS_CHANNEL,
  STACK_CHANNEL,
  STRONG_COUNT_CHANNELS,
} from '../recording/channels.js';
import type { Recording } from '../recording/recording.js';

/** Channels that have a field of their own, or that are shown elsewhere. */
const OWN_FIELD = new Set([
  RSS_CHANNEL,
  STACK_CHANNEL,
  'heap_used_bytes',
  'external_bytes',
  'cache_bytes',
  'connection_bytes',
  'arc_ref_count',
  'active_operations',
  'active_tasks',
]);
/** An 8-hour test holds 28,800 measurements; a result is for reading, the recording has them all. */
const MOST_MEASUREMENTS = 2000;

/**
 * The MemoryMeasurements of a recording: one for every time that the V8 figures
 * were read, each other channel with its latest value at that time.
 * Above 2,000 of them, every second, third, ... is taken.
 */
export function memoryMeasurements(recording: Recording): MemoryMeasurement[] {
  const clock = recording.series('heap_used_bytes');
  if (clock === undefined) return [];
  const cursors = new Map(
    recording.channels.flatMap(({ name }) => {
      const series = recording.series(name);
      return series === undefined || name.startsWith('floor_') ? [] : [[name, new Cursor(series)] as const];
    }),
  );
  const phases = recording.phases();
  const stride = Math.ceil(clock.timesMs.length / MOST_MEASUREMENTS);
  const measurements: MemoryMeasurement[] = [];
  for (let i = 0; i < clock.timesMs.length; i += stride) {
    const elapsedMs = clock.timesMs[i] as number;
    // Phases may lie within each other: the innermost began last.
    const phase = phases.findLast((span) => span.startMs <= elapsedMs && elapsedMs <= span.endMs)?.phase;
    measurements.push({
      ...measurementAt(elapsedMs, cursors),
      timestamp: new Date(recording.header.startedAtEpochMs + elapsedMs).toISOString(),
      ...(phase === undefined ? {} : { phase }),
    });
  }
  return measurements;
}

function measurementAt(
  elapsedMs: number,
  cursors: Map<string, Cursor>,
): Omit<MemoryMeasurement, 'timestamp' | 'phase'> {
  const at = (channel: string) => cursors.get(channel)?.latest(elapsedMs);
  const heapUsed = at('heap_used_bytes');
  const external = at('external_bytes');
  const customMetrics: Record<string, number> = {};
  for (const [name, cursor] of cursors) {
    const value = isListed(name) ? cursor.latest(elapsedMs) : undefined;
    if (value === undefined) continue;
    customMetrics[name.startsWith(CUSTOM_CHANNEL_PREFIX) ? name.slice(CUSTOM_CHANNEL_PREFIX.length) : name] =
      value;
  }
  return {
    elapsedMs,
    ...present('totalMemoryBytes', at(RSS_CHANNEL)),
    ...present('heapMemoryBytes', heapUsed === undefined ? undefined : heapUsed + (external ?? 0)),
    ...present('stackMemoryBytes', at(STACK_CHANNEL)),
    ...present('cacheMemoryBytes', at('cache_bytes')),
    ...present('connectionMemoryBytes', at('connection_bytes')),
    ...present('arcRefCount', at('arc_ref_count') ?? strongReferences(elapsedMs, cursors)),
    ...present('activeTasks', at('active_tasks') ?? at('active_operations')),
    customMetrics,
  };
}

/** Of each kind of reference the main figures; the recording has the others. */
function isListed(channel: string): boolean {
  if (!REFERENCE_CHANNELS.test(channel)) return !OWN_FIELD.has(channel);
  return MAIN_REFERENCE_CHANNELS.test(channel);
}

/** The sum over all names, for a target that does not say. */
function strongReferences(elapsedMs: number, cursors: Map<string, Cursor>): number | undefined {
  let sum: number | undefined;
  for (const [name, cursor] of cursors) {
    const value = STRONG_COUNT_CHANNELS.test(name) ? cursor.latest(elapsedMs) : undefined;
    if (value !== undefined) sum = (sum ?? 0) + value;
  }
  return sum;
}

function present<Name extends string>(name: Name, value: number | undefined): { [Key in Name]?: number } {
  return (value === undefined ? {} : { [name]: value }) as { [Key in Name]?: number };
}

/** Walks a series once, forwards: the latest value up to a time that only ever increases. */
class Cursor {
  readonly #series: { timesMs: Float64Array; values: Float64Array };
  #next = 0;

  constructor(series: { timesMs: Float64Array; values: Float64Array }) {
    this.#series = series;
  }

  latest(elapsedMs: number): number | undefined {
    const { timesMs, values } = this.#series;
    while (this.#next < timesMs.length && (timesMs[this.#next] as number) <= elapsedMs) this.#next++;
    return values[this.#next - 1];
  }
}
