import { PROGRAM_KIND } from '../recording/channels.js';
import type { Recording } from '../recording/recording.js';
import { Phase } from '../vocabulary.js';

/** When the judged load ran, milliseconds of recording time. */
export interface LoadWindow {
  startMs: number;
  endMs: number;
}

/** The load phase, or undefined when the test did not come so far. */
export function loadWindow(recording: Recording): LoadWindow | undefined {
  const load = recording.phases().find((span) => span.phase === Phase.Load);
  if (load) return { startMs: load.startMs, endMs: load.endMs };
  return recording.header.details.kind === PROGRAM_KIND ? programWindow(recording) : undefined;
}

/** The beginning of a program's life in which it loads its modules and fills its caches. */
const STARTING_SHARE = 0.2;

/** A program that marks no load goes through no phases: all is load but its first fifth. */
function programWindow({ endMs }: Recording): LoadWindow {
  return { startMs: STARTING_SHARE * endMs, endMs };
}

/** The values of a channel within the load, not copied: also for channels of millions of samples. */
export function loadValues(recording: Recording, channel: string): Float64Array | undefined {
  const window = loadWindow(recording);
  const recorded = recording.series(channel);
  if (window === undefined || recorded === undefined) return undefined;
  return recording.window(recorded, window.startMs, window.endMs).values;
}

/** A channel within the load. The arrays are of one length; times count from the beginning of the load. */
export interface LoadSeries {
  channel: string;
  timesMs: number[];
  values: number[];
  /** How long the load lasted; to the end of the recording if it never ended. */
  loadMs: number;
}

/** Undefined when there was no load, or when the channel was not recorded. */
export function loadSeries(recording: Recording, channel: string): LoadSeries | undefined {
  const window = loadWindow(recording);
  const recorded = recording.series(channel);
  if (window === undefined || recorded === undefined) return undefined;
  const { timesMs, values } = recording.window(recorded, window.startMs, window.endMs);
  return {
    channel,
    timesMs: Array.from(timesMs, (ms) => ms - window.startMs),
    values: Array.from(values),
    loadMs: window.endMs - window.startMs,
  };
}

/** Live memory right after full collections, over the load, with the operations completed until then. */
export interface FloorSeries {
  channel: string;
  timesMs: number[];
  liveBytes: number[];
  operations: number[];
  loadMs: number;
}

/**
 * `channel` must be one of the floor's: only their rows hold the operations too. A program that nobody made
 * collect has no such rows; there what V8's own full collections left is the floor.
 */
export function floorSeries(recording: Recording, channel: `floor_${string}`): FloorSeries | undefined {
  const floor = loadSeries(recording, channel);
  if (floor === undefined) return channel === 'floor_live_bytes' ? collectedFloor(recording) : undefined;
  const completed = loadSeries(recording, 'floor_operations');
  const operationsAt = new Map(completed?.timesMs.map((ms, i) => [ms, completed.values[i] ?? 0]));
  return {
    channel,
    timesMs: floor.timesMs,
    liveBytes: floor.values,
    operations: floor.timesMs.map((ms) => operationsAt.get(ms) ?? 0),
    loadMs: floor.loadMs,
  };
}

/** From what the V8 addon wrote in the epilogues of full collections. */
function collectedFloor(recording: Recording): FloorSeries | undefined {
  const heap = loadSeries(recording, 'live_heap_bytes');
  const external = loadSeries(recording, 'live_external_bytes');
  if (heap === undefined || external === undefined) return undefined;
  const counted = loadSeries(recording, 'operations');
  let next = 0;
  return {
    channel: 'live_heap_bytes + live_external_bytes',
    timesMs: heap.timesMs,
    liveBytes: heap.values.map((bytes, i) => bytes + (external.values[i] ?? 0)),
    operations: heap.timesMs.map((ms) => {
      // Counts are recorded when they change: the last one before holds.
      while (counted && (counted.timesMs[next] ?? Number.POSITIVE_INFINITY) <= ms) next++;
      return counted?.values[next - 1] ?? 0;
    }),
    loadMs: heap.loadMs,
  };
}

/** A peak that is gone again within so many floor points was not live for good. */
const SPIKE_POINTS = 2;

/**
 * The floor without what was let go soon after: each point is lowered to the
 * lowest of itself and the next two. What leaked is still there then; what was
 * only on its way out (sockets that close, timers that run off, contexts whose
 * finalizers wait) is not.
 */
export function withoutSpikes(floor: FloorSeries): FloorSeries {
  const liveBytes = floor.liveBytes.map((_, i) =>
    Math.min(...floor.liveBytes.slice(i, i + SPIKE_POINTS + 1)),
  );
  return { ...floor, liveBytes };
}

/** More points than these are taken together: a judgement costs what its points cost. */
const POINTS_AT_MOST = 110;
const BLOCKS_OF_POINTS = 90;

/**
 * The floor in blocks of equal time where it has very many points, or many at
 * its beginning: the mean of each block. Of points without spikes, so that a mean is low enough.
 */
export function inBlocks(floor: FloorSeries): FloorSeries {
  if (floor.timesMs.length <= POINTS_AT_MOST) return floor;
  const groups = new Map<number, number[]>();
  floor.timesMs.forEach((ms, i) => {
    const block = Math.min(BLOCKS_OF_POINTS - 1, Math.floor((BLOCKS_OF_POINTS * ms) / floor.loadMs));
    groups.set(block, [...(groups.get(block) ?? []), i]);
  });
  const means = (values: number[]) =>
    Array.from(
      groups.values(),
      (group) => group.reduce((sum, i) => sum + (values[i] ?? 0), 0) / group.length,
    );
  return {
    ...floor,
    timesMs: means(floor.timesMs),
    liveBytes: means(floor.liveBytes),
    operations: means(floor.operations),
  };
}
