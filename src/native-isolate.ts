import type { NativeCaptureLink } from './native.js';

/** What the V8 addon answers: types only, loaded through native.ts. */

/** V8's figures of one isolate on the recording's clock. */
export interface NativeHeapSampler {
  stop(): HeapSamplerStatistics;
  statistics(): HeapSamplerStatistics;
  /**
   * Saves the evidence before memory has run out, once a trigger: the allocation profile first, if one
   * runs, then a snapshot, if it fits. Events near-out-of-memory, -profile and -snapshot say what was
   * done. In place of an earlier alarm; until stop().
   */
  armMemoryAlarm(options: {
    /** Trigger `heap`: a full collection leaves this share of the limit alive; 0: never. */
    heapShare: number;
    /** What the share is of; 0: V8's heap_size_limit, which counts the young generation in. */
    heapLimitBytes: number;
    /** Trigger `process`: RSS has come so far; 0: never. */
    rssBytes: number;
    /** Trigger `process`: cgroup, system or ulimit leave less; 0: never. */
    availableBytes: number;
    /** '': none. */
    profilePath: string;
    snapshotPath: string;
    snapshotBytesPerHeapByte: number;
    /** Trigger `limit`: V8 gives up; only the profile. Not for workers, which it may turn into an abort. */
    isAtHeapLimitToo: boolean;
  }): void;
}

export interface HeapSamplerStatistics {
  /** Ticks at which V8 was to be asked. */
  ticks: number;
  /** Samples written, one for each answer. */
  answers: number;
  /** Ticks without an answer to the request before: its thread was busy where V8 does not answer. */
  busyTicks: number;
  /** The same, while its event loop had nothing to do. */
  idleTicks: number;
  /** Garbage collections recorded. */
  collections: number;
}

/** V8 as the thread that loaded the addon sees it. Only to be used on that thread. */
export interface NativeIsolate {
  /** What it was built for; as process.versions.modules, but a number. */
  readonly abi: number;
  /**
   * Records V8's figures, also while JavaScript blocks the event loop, and every garbage collection.
   * Groups v8, v8_spaces, v8_silence, collections and live (the floor: what full collections left).
   */
  startHeapSampler(options: {
    link: NativeCaptureLink;
    /** Before the names of all channels: '' for the main thread, 'worker1.' and so on. */
    prefix: string;
    /** V8 is asked at every n-th tick of the process sampler. */
    ticksPerSample: number;
    /** Shortest time between two samples of the heap spaces. */
    spacesIntervalMs: number;
  }): NativeHeapSampler;
  /**
   * Begins V8's sampling heap profiler, of which an isolate has one. False: one runs already,
   * perhaps an APM's or the inspector's. Ends with the thread.
   */
  startAllocationProfile(options: {
    /** Mean number of allocated bytes between two samples. */
    intervalBytes: number;
    /** Frames kept of a stack. */
    depth: number;
    /** Keep samples of freed objects too. Their list then grows until the profiler is stopped. */
    includesCollectedByMinor: boolean;
    includesCollectedByMajor: boolean;
  }): boolean;
  /** .heapprofile text so far; null when none runs, or somebody else stopped it. Blocks for milliseconds. */
  allocationProfile(): string | null;
  stopAllocationProfile(): void;
  /**
   * Live JavaScript objects by the name of their constructor, most first. Collects fully and blocks:
   * 0.3 s for a heap of 25 MB, 5 s for 140 MB; takes no memory to speak of.
   */
  countObjects(): { objects: number; classes: { name: string; objects: number }[] };
  /**
   * V8's low-memory notification: collects everything that it can let go of now, in some rounds, and drops
   * compiled code that does not run. Blocks for 15 ms per 10 MB of live heap and round.
   */
  collectGarbage(): void;
  /** Takes a heap snapshot and writes it to `fd`, which stays open. Blocks for 1.4 to 4 us a node. */
  writeSnapshot(options: NativeSnapshotOptions): NativeSnapshotOutcome;
  /** Asks the allocator to return free memory to the system: milliseconds. */
  giveMemoryBack(): void;
  /** false: not Linux on x64 or arm64. */
  readonly canForkSnapshot: boolean;
  /**
   * Forks a child that writes the snapshot to `fd` while this process goes on. It may hang, and must
   * then be killed; it ends itself after `secondsMax`. Throws SNAPSHOT_FORK_FAILED.
   */
  forkSnapshot(options: {
    fd: number;
    bytesMax: number;
    includesNumbers: boolean;
    secondsMax: number;
  }): NativeForkedSnapshot;
}

export interface NativeForkedSnapshot {
  readonly pid: number;
  /** How long this process stood still for the fork. */
  readonly pauseNs: number;
  /** Call it until the child has ended: it is what waits for it. */
  poll(): {
    isRunning: boolean;
    /** Of an ended child: 0 complete, 10 cancelled, 11 too large, 12 unwritable; negative: a signal. */
    exitCode: number;
    cpuNs: number;
    rssMaxBytes: number;
    /** libuv's, for unwritable: negative. */
    errno: number;
    /** As in NativeSnapshotOptions.control. */
    phase: number;
    progress: number;
    writtenKib: number;
  };
  kill(): void;
}

export interface NativeSnapshotOptions {
  fd: number;
  /** Beyond that the outcome is too-large, and what was written is no snapshot. */
  bytesMax: number;
  /** Numbers become nodes of their own. */
  includesNumbers: boolean;
  /**
   * Best over a SharedArrayBuffer, so that other threads see it while this one is blocked:
   * [0] phase: 1 taking, 2 writing, 3 ended; [1] hundredths of a percent of it; [2] set it to other
   * than 0 to cancel; [3] KiB written; [4] libuv's number of why it could not be.
   */
  control: Int32Array;
}

export interface NativeSnapshotOutcome {
  outcome: 'complete' | 'cancelled' | 'too-large' | 'unwritable';
  /** libuv's, for unwritable: negative. */
  errno: number;
  nodes: number;
  bytes: number;
  takeNs: number;
  writeNs: number;
}
