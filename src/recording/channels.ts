import type { ChannelDefinition } from '../native.js';

/**
 * The channels that the tool itself records, by name: what `capture` writes
 * and `detect` reads. A recording may hold any others; each describes itself.
 */

const bytes = (name: string, description: string): ChannelDefinition => ({
  name,
  unit: 'bytes',
  kind: 'integer',
  description,
});
const count = (name: string, description: string): ChannelDefinition => ({
  name,
  unit: 'count',
  kind: 'integer',
  description,
});

/** Written by the sampler thread; defined in native/process/sampler. */
export const RSS_CHANNEL = 'rss_bytes';
export const STACK_CHANNEL = 'stack_bytes';

/**
 * What the program counts through src/refcount, also written by the sampler
 * thread and defined in native/process/counter_scanner: `arc.NAME.strong_count`,
 * `mutex.NAME.waiters_count`, ..., and `counter.NAME`.
 */
export const REFERENCE_CHANNELS = /^(arc|mutex|rwlock|resource)\./;
/** What is held now, and who waits for it. */
export const MAIN_REFERENCE_CHANNELS = /\.(strong|holders|waiters|open)_count$/;
export const STRONG_COUNT_CHANNELS = /^arc\..*\.strong_count$/;

/** V8's own figures, read on the JavaScript thread. */
export const V8_CHANNELS = [
  bytes('heap_used_bytes', 'V8 heap in use, live and garbage'),
  bytes('heap_total_bytes', 'V8 heap committed'),
  bytes('external_bytes', 'memory outside the heap that JavaScript objects hold'),
  bytes('array_buffers_bytes', 'part of external that is ArrayBuffers'),
] as const;

/** Live memory right after forced full collections, with nothing in flight. */
export const FLOOR_CHANNELS = [
  bytes('floor_live_bytes', 'V8 heap in use plus external memory after full collections'),
  bytes('floor_heap_used_bytes', 'V8 heap in use after full collections'),
  bytes('floor_external_bytes', 'external memory after full collections'),
  bytes('floor_malloc_in_use_bytes', 'allocator memory in use at the same moment'),
  bytes('floor_rss_bytes', 'resident set size at the same moment'),
  count('floor_operations', 'operations completed in the test until then'),
] as const;

/** Operations of the running load. */
export const OPERATION_CHANNELS = [
  count('operations', 'operations completed in the test'),
  count('failed_operations', 'operations that failed'),
  count('active_operations', 'operations in flight'),
] as const;

/** What the target says of itself; see TargetMetrics. */
export const TARGET_CHANNELS = [
  bytes('cache_bytes', "the target's caches"),
  count('cache_entries', 'entries in them'),
  count('cache_hits', 'look-ups that found something, since the start'),
  count('cache_misses', 'look-ups that did not, since the start'),
  bytes('connection_bytes', "buffers of the target's connections"),
  count('open_connections', 'connections that are open'),
  count('max_connections', 'connections that may be open'),
  count('queue_length', 'requests that wait'),
  count('active_tasks', 'tasks that are being worked on'),
  count('arc_ref_count', 'strong references held through Arc'),
] as const;

/** Channels of a target's custom metrics begin with this. */
export const CUSTOM_CHANNEL_PREFIX = 'custom.';

/** Counts that only ever rise, whatever is kept: what was done since the start. `_total` is Prometheus' convention. */
export const CUMULATIVE_CHANNELS =
  /^(floor_|failed_)?operations$|^cache_(hits|misses)$|\.(created|acquired|timed_out)_count$|\.longest_hold_ns$|(_total|Total)$/;
/** What collections move more than the program does; the floor and the heap spaces tell instead. */
export const GARBAGE_CHANNELS =
  /(^|\.)(heap_used|heap_total|external|array_buffers|v8_malloced)_bytes$|_space_committed_bytes$/;
/** Memory of the whole process, which is judged by itself. */
export const PROCESS_CHANNELS =
  /^(rss|pss|map_heap|anonymous|file|malloc_in_use|malloc_held|floor_live|floor_rss|floor_malloc_in_use)_bytes$/;
/** A heap space holds garbage until it is collected. */
export const SPACE_CHANNELS = /_space_used_bytes$/;

/** The names of the events that the tool writes. */
export const RecordedEvents = {
  Phase: 'phase',
  /** LoadOutcome of the judged load. */
  LoadOutcome: 'load-outcome',
  /** A payload that is about to be tried: { payloadBytes }. */
  Attempt: 'attempt',
  /** ExhaustionOutcome, without crashes. */
  Exhaustion: 'exhaustion',
  /** CleanupOutcome. */
  Cleanup: 'cleanup',
  /** { wantedBytes, payloadBytes, refusal }: the payload that large operations use. */
  Payload: 'payload',
  /** { cpuUserUs, cpuSystemUs, wallMs } of the load phase. */
  Cpu: 'cpu',
  /**
   * Before the target is stopped: { counts: ReferenceCount[], leaked: LeakedReferences[],
   * held: HeldGuard[], cycles: ArcCycles } of src/refcount, of the lists the first 50.
   */
  References: 'references',
  /** { verdict, reason, plannedMs }: the judged load was ended before its time, because enough was seen. */
  StoppedEarly: 'stopped-early',
  /** What a diagnosis read, took and had to do without; the shapes are in diagnosis-record.ts. */
  DiagnosisReading: 'diagnosis-reading',
  DiagnosisSnapshot: 'diagnosis-snapshot',
  DiagnosisProfile: 'diagnosis-profile',
  DiagnosisAddons: 'diagnosis-addons',
  DiagnosisLack: 'diagnosis-lack',
  /** SamplerStatistics at the end. */
  Sampler: 'sampler',
  /** HeapSamplerStatistics at the end. */
  HeapSampler: 'heap-sampler',
  /** { trigger, heapUsedBytes, heapLimitBytes, externalBytes, rssBytes, availableBytes, limitedBy }. */
  NearOutOfMemory: 'near-out-of-memory',
  /** { path, bytes }, or { missing: why }. */
  NearOutOfMemoryProfile: 'near-out-of-memory-profile',
  /** { path, bytes, nodes, elapsedNs }, or { missing: why }. */
  NearOutOfMemorySnapshot: 'near-out-of-memory-snapshot',
  /** { sizeBytes, mode, pauseMs, fallback }: a heap snapshot that was asked for while it ran. */
  Snapshot: 'snapshot',
  /** RecordedAllocationProfile. */
  AllocationProfile: 'allocation-profile',
  /** { text }: something a reader should know. */
  Note: 'note',
} as const;

/** The allocation profile of one thread, a .heapprofile beside its recording. */
export interface RecordedAllocationProfile {
  /** Its name. */
  file: string;
  samples: number;
  intervalBytes: number;
  startedAtEpochMs: number;
  durationMs: number;
  /** Garbage was collected before: what is in it is alive. */
  isCollected: boolean;
}

/** `kind` in the header of a recording of a whole program, which went through no scenario. */
export const PROGRAM_KIND = 'program';
