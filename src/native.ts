import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CrucibleMemoryError, type ErrorCode, type ErrorParts, messageOf } from './errors.js';
import type { NativeIsolate } from './native-isolate.js';

export type * from './native-isolate.js';

/**
 * The typed wall: the only file that loads the addons. Everything native is
 * reached through the interfaces below; nothing else knows that C++ exists.
 */

/** One column of a recording. Values are float64; a missing value is NaN, never 0. */
export interface ChannelDefinition {
  /** Lower-case words joined by underscores, unit last: `rss_bytes`. Unique in the recording. */
  name: string;
  unit: 'bytes' | 'count' | 'ns' | 'ratio' | 'other';
  /** `integer` values are stored exactly up to 2^53 and compactly. */
  kind: 'integer' | 'real';
  description: string;
}

/** Writes one recording file. Safe to use while the sampler thread writes to it. */
export interface NativeRecordingWriter {
  /** Channels that are always appended together. Returns the group's id. */
  defineGroup(name: string, channels: ChannelDefinition[]): number;
  /** One sample of a group, at `timeNs` of process.hrtime.bigint(), or now. NaN: absent. */
  append(groupId: number, values: Float64Array, timeNs?: bigint): void;
  /** `detail` is JSON text. `timeNs` as for append(). */
  event(name: string, detail: string, timeNs?: bigint): void;
  /** Seals and trims the file. Further calls throw, and so does this one while a sampler runs. */
  close(): void;
  status(): RecordingStatus;
}

export interface RecordingStatus {
  bytesWritten: number;
  /** Of the file, mapped into this process: the blocks that are being filled. */
  memoryBytes: number;
  /** How often old samples were summarised to make room for new ones. */
  reductions: number;
  /** Samples and events for which there was no room. */
  samplesDropped: number;
  /** Why samples were dropped, if any were: "No space left on device". */
  failure: string | null;
}

/** The process sampler: a thread of its own that needs no JavaScript. */
export interface NativeSampler {
  stop(): SamplerStatistics;
  statistics(): SamplerStatistics;
  /** RSS samples a second from the next tick on. Throws USAGE. */
  setRate(rateHz: number): void;
  /**
   * Records slots of shared memory as channels of a new group, at each tick
   * at which one of them changed: slots[firstSlot] is the first channel, the
   * next slot the second, and so on. Throws USAGE, RECORDING_UNWRITABLE.
   */
  watchSlots(options: {
    group: string;
    channels: ChannelDefinition[];
    slots: Int32Array;
    firstSlot: number;
  }): void;
  /** Of the recording and the ticks, for the V8 addon of this thread. */
  link(): NativeCaptureLink;
  /** Lets the other threads of this process join, through sharedCapture(), until stop(). */
  share(): void;
}

/** A recording that lives on the ticks of its process's sampler, for a worker thread. */
export type NativeFollower = Pick<NativeSampler, 'stop' | 'statistics' | 'setRate' | 'watchSlots' | 'link'>;

/** A recording and a sampler's ticks, as one addon hands them to the other; opaque to JavaScript. */
export interface NativeCaptureLink {
  readonly brand: unique symbol;
}

export interface SamplerStatistics {
  samples: number;
  missedTicks: number;
  /** CPU time of the sampler threads, nanoseconds. */
  cpuNs: number;
  elapsedNs: number;
}

/** Memory of a process right now. A figure that the platform cannot give is absent. */
export interface ProcessMemory {
  rssBytes: number;
  pssBytes?: number;
  /** Resident part of the brk heap ([heap] in the memory map). */
  mapHeapBytes?: number;
  stackBytes?: number;
  anonymousBytes?: number;
  fileBytes?: number;
  threadCount?: number;
  mallocInUseBytes?: number;
  mallocHeldBytes?: number;
}

/** How much more memory a process may take: the least that cgroups (1 and 2), the system and ulimit leave. */
export interface MemoryRoom {
  /** Page cache that the kernel would drop first counts as available. Absent: unknown here. */
  availableBytes?: number;
  /** Of what leaves least. */
  limitBytes?: number;
  usedBytes?: number;
  /** "cgroup v2 /sys/fs/cgroup/app", "cgroup v1 ...", "the system", "ulimit -d", "ulimit -v". */
  limitedBy: string;
}

/** Something that runs on threads of its own, not the event loop's nor libuv's. */
export interface NativeTask<Result> {
  /** Rejects with a CrucibleMemoryError; INTERRUPTED after cancel(). */
  result: Promise<Result>;
  /** `phase` in plain words: 'parsing', 'dominators', ... Percent of that phase. */
  progress(): { phase: string; percent: number };
  /** The work stops within milliseconds. */
  cancel(): void;
}

/** Where a heap snapshot comes from. */
export interface NativeHeapSource {
  /** The file; with `fd` only its name in answers and errors. */
  path: string;
  /** Read this descriptor to its end instead; native code closes it, also when the work fails. */
  fd?: number;
}

export interface NativeHeapOptions {
  /** Analyse what can be read of a damaged file. */
  salvage?: boolean;
  /** Default: as many as the machine has cores, at most 8. */
  threads?: number;
  /** Contents of strings appear as length and keyed hash everywhere. */
  redact?: boolean;
}

/** An analysed heap. Its methods answer with JSON text: the shapes are in src/snapshot/answers.ts. */
export interface NativeHeapSnapshot {
  /** OverviewAnswer, `top` rows a list; collections with at least `entriesMin` entries. */
  overview(options: { top: number; entriesMin: number }): NativeTask<string>;
  /** NodeDetailAnswer. Rejects with UNKNOWN_NODE. */
  node(options: { id: number; paths: number; fields: number }): NativeTask<string>;
  /** CSV of all nodes, mode 0600. Rejects with OUTPUT_UNWRITABLE, and then leaves no file behind. */
  writeNodes(options: { path: string }): NativeTask<void>;
  /**
   * The same snapshot with the contents of its strings replaced, mode 0600, whether or not answers
   * are redacted. `from` gives the original bytes once more (it may have come through a pipe).
   */
  writeRedacted(options: { path: string; from: NativeHeapSource }): NativeTask<void>;
  /** Gives the memory back now rather than when it is collected. Running tasks finish first. */
  close(): void;
}

export interface NativeHeap {
  readHeap(source: NativeHeapSource, options: NativeHeapOptions): NativeTask<NativeHeapSnapshot>;
  /**
   * DiffAnswer of two or more snapshots in the order in which they were taken; each is read when
   * the one before has been reduced, so that two are never in memory at once.
   */
  diffHeaps(
    sources: NativeHeapSource[],
    options: NativeHeapOptions & { growersMax: number; growthMax: number; pathsMax: number },
  ): NativeTask<string>;
  /** A pipe: what is written to one descriptor can be read from the other. */
  openPipe(): { readFd: number; writeFd: number };
}

export interface NativeCore extends NativeHeap {
  /** @param options.bytesMax size beyond which the oldest samples are summarised; from 2 MiB on. Default: none */
  createRecording(options: { path: string; header: string; bytesMax?: number }): NativeRecordingWriter;
  /** CRC-32C. */
  checksum(bytes: Uint8Array): number;
  /** decodeSampleRun() of src/recording/sample-run.ts, to the bit. */
  decodeSampleRun(
    payload: Uint8Array,
    place: Float64Array,
    groups: readonly (Float64Array[] | undefined)[],
  ): number;
  /** Starts sampling this process into `recording`. Throws PROC_UNREADABLE. */
  startSampler(options: {
    recording: NativeRecordingWriter;
    rateHz: number;
    detailIntervalMs: number;
    /** What registryMemory() of src/refcount returns: recorded too, without JavaScript. */
    counters?: Uint8Array;
    /** With `counters`: shortest time between two readings of them; 0: with every RSS sample. */
    counterIntervalMs?: number;
  }): NativeSampler;
  /**
   * The capture that another thread of this process shares, if one does. `recording` is the same
   * file; its close() ends only this thread's part, which may outlive the recording.
   */
  sharedCapture(): { recording: NativeRecordingWriter; link: NativeCaptureLink } | null;
  /**
   * Records RSS at no more than `rateHz` of the ticks of the sampler that this process shares, and passes them
   * on through link(); null when none is shared. No thread of its own: `cpuNs` is 0.
   */
  followSampler(options: { recording: NativeRecordingWriter; rateHz: number }): NativeFollower | null;
  /** This process, everything that the platform gives. Blocks for as long as the memory map takes to read. */
  readMemory(): ProcessMemory;
  /** Allocator in use and held, without reading the memory map: microseconds. */
  readAllocator(): { inUseBytes: number; heldBytes: number } | null;
  /** What this process may take more of memory. */
  readMemoryRoom(): MemoryRoom;
  /** Any process's RSS in bytes; null when it is gone. Throws PROC_UNREADABLE when it may not be looked at. */
  readRss(pid: number): number | null;
  /**
   * Limits this process's private writable memory to what it has now plus
   * `bytes`; allocations beyond it fail. Returns the absolute limit, or null
   * where the system has no such limit.
   */
  limitMemoryGrowth(bytes: number): number | null;
  /** Lifts the limit again. */
  unlimitMemoryGrowth(): void;
}

/** Length of NativeSnapshotOptions.control. */
export const SNAPSHOT_CONTROL_WORDS = 5;

/**
 * The process addon, loaded once for each thread.
 * @throws CrucibleMemoryError ADDON_MISSING
 */
export function loadCore(): NativeCore {
  loadedCore ??= load<CoreAddon>('core.node');
  return loadedCore;
}

/**
 * The V8 addon of this Node, loaded once for each thread.
 * @throws CrucibleMemoryError ADDON_MISSING, also when it was built for another major of Node
 */
export function loadIsolate(): NativeIsolate {
  loadedIsolate ??= loadForThisAbi();
  return loadedIsolate;
}

interface IsolateAddon extends NativeIsolate {
  onError(make: (code: ErrorCode, parts: ErrorParts) => Error): void;
}

interface CoreAddon extends NativeCore {
  /** Errors that native code throws are made here, so that they are ours. */
  onError(make: (code: ErrorCode, parts: ErrorParts) => Error): void;
}

const BUILT = join('build', 'Release');
let loadedCore: NativeCore | undefined;
let loadedIsolate: NativeIsolate | undefined;

function load<Addon extends CoreAddon | IsolateAddon>(name: string): Addon {
  const path = join(packageRoot(), BUILT, name);
  try {
    const addon = createRequire(import.meta.url)(path) as Addon;
    addon.onError((code, parts) => new CrucibleMemoryError(code, parts));
    return addon;
  } catch (error) {
    throw addonMissing(
      path,
      existsSync(path)
        ? messageOf(error)
        : 'it has not been built, or npm was told to run no install scripts',
      error,
    );
  }
}

/**
 * V8 addons load into any Node without an error, and then read V8's memory
 * wrongly. Hence the ABI in the name of the file, and once more inside.
 */
function loadForThisAbi(): NativeIsolate {
  const abi = process.versions.modules;
  const name = `isolate.abi${abi}.node`;
  const folder = join(packageRoot(), BUILT);
  const others = existsSync(folder)
    ? readdirSync(folder).filter((file) => /^isolate\.abi\d+\.node$/.test(file) && file !== name)
    : [];
  if (!existsSync(join(folder, name)) && others.length > 0) {
    const why = `it was built for another Node: there is ${others.join(' and ')}, and Node ${process.versions.node} has ABI ${abi}`;
    throw addonMissing(join(folder, name), why);
  }
  const isolate = load<IsolateAddon>(name);
  if (String(isolate.abi) === abi) return isolate;
  throw addonMissing(join(folder, name), `it was built for ABI ${isolate.abi}, whatever its name says`);
}

function addonMissing(path: string, why: string, cause?: unknown): CrucibleMemoryError {
  return new CrucibleMemoryError('ADDON_MISSING', {
    what: `the native addon ${path} cannot be loaded`,
    why,
    fix: `run \`node ${join(packageRoot(), 'scripts', 'install.mjs')}\`, which builds it`,
    cause,
  });
}

/** This file runs as dist/src/native.js, or as src/native.ts under a TypeScript loader. */
function packageRoot(): string {
  const above = dirname(dirname(fileURLToPath(import.meta.url)));
  return basename(above) === 'dist' ? dirname(above) : above;
}
