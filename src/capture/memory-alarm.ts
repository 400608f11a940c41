import { getHeapStatistics } from 'node:v8';
import { isMainThread, resourceLimits } from 'node:worker_threads';
import { loadCore, type NativeHeapSampler } from '../native.js';
import { MIB } from '../units.js';
import { primeLineTablesOfThisThread } from './snapshot-writer.js';

export interface MemoryAlarmOptions {
  /** Where the allocation profile goes, if a profiler runs then. '': none. */
  profilePath: string;
  /** Where a heap snapshot goes, if it fits into memory then. Default: none. */
  snapshotPath?: string;
  /** Share of the old generation's limit that a full collection has to leave alive. Default: 0.75. */
  heapShare?: number;
  /** Share of the tightest limit (container, ulimit, system) that has to be left. Default: 0.1. */
  availableShare?: number;
}

/**
 * A node of small objects takes 33 bytes of heap, and 400 bytes of V8's graph. Programs with large strings and
 * arrays need less: refused too often rather than killed.
 */
const SNAPSHOT_BYTES_PER_HEAP_BYTE = 400 / 33;

/**
 * Has the evidence saved before memory runs out, whether of the heap or of the container: see NativeHeapSampler.
 * V8's last call is answered on the main thread only; a worker's error stays the worker's.
 *
 * @returns the triggers, bytes
 */
export function armMemoryAlarm(
  sampler: NativeHeapSampler,
  options: MemoryAlarmOptions,
): { heapLimitBytes: number; heapLiveBytes: number; availableBytes: number } {
  const { profilePath, snapshotPath = '', heapShare = 0.75, availableShare = 0.1 } = options;
  const heapLimitBytes = oldGenerationLimitBytes();
  const room = loadCore().readMemoryRoom();
  // Where little is left from the start on, that by itself is no alarm.
  const leastBytes = Math.min(availableShare * (room.limitBytes ?? 0), (room.availableBytes ?? Infinity) / 2);
  const availableBytes = Math.round(leastBytes);
  if (snapshotPath !== '') primeLineTablesOfThisThread();
  sampler.armMemoryAlarm({
    heapShare,
    heapLimitBytes,
    rssBytes: 0,
    availableBytes,
    profilePath,
    snapshotPath,
    snapshotBytesPerHeapByte: SNAPSHOT_BYTES_PER_HEAP_BYTE,
    isAtHeapLimitToo: isMainThread,
  });
  return { heapLimitBytes, heapLiveBytes: Math.round(heapShare * heapLimitBytes), availableBytes };
}

/**
 * What the old generation of this thread may grow to. V8's own heap_size_limit has the young generation
 * added, which is most of it where somebody has set --max-old-space-size to a few dozen MB.
 */
export function oldGenerationLimitBytes(
  heapSizeLimitBytes = getHeapStatistics().heap_size_limit,
  argumentsGiven: string[] = [...(process.env.NODE_OPTIONS ?? '').split(/\s+/), ...process.execArgv],
): number {
  const limits = isMainThread ? {} : resourceLimits;
  if (limits.maxOldGenerationSizeMb) return limits.maxOldGenerationSizeMb * MIB;
  const given = argumentsGiven.join(' ').matchAll(/--max[-_]old[-_]space[-_]size[= ](\d+)/g);
  const lastMib = Number([...given].at(-1)?.[1] ?? 0);
  return lastMib > 0 ? Math.min(lastMib * MIB, heapSizeLimitBytes) : heapSizeLimitBytes;
}
