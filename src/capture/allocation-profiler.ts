import { CrucibleMemoryError } from '../errors.js';
import { loadIsolate } from '../native.js';
import { type AllocationProfile, decodeHeapProfile } from '../recording/allocation-profile.js';

export interface AllocationProfilerOptions {
  /** Mean number of allocated bytes between two samples; 512 KiB is within noise, 32 KiB costs 1.4 % at 100 MB/s. */
  intervalBytes?: number;
  /** Frames kept of a stack. */
  depth?: number;
  /** Also keep samples of what collections freed: who allocates, rather than who holds. */
  includesCollected?: 'none' | 'by-minor' | 'all';
  /**
   * A profile of more samples starts the profiler anew: the list must not grow without end. Samples of before
   * cannot be compared with those of after.
   */
  samplesMax?: number;
}

export interface ProfileReading {
  profile: AllocationProfile;
  /** Only profiles of the same run can be compared: their samples have the same ids. */
  run: number;
}

/**
 * V8's sampling heap profiler in this thread, of which there is one: started, read at moments, stopped. With
 * samples of live objects only (the default) two readings give what has grown in between: liveDelta().
 * Ends with its thread at the latest.
 */
export class AllocationProfiler {
  readonly #isolate = loadIsolate();
  readonly #options: Required<AllocationProfilerOptions>;
  #run = 0;
  #startedAtEpochMs = 0;
  #startedMs = 0;

  /** @throws CrucibleMemoryError ADDON_MISSING, PROFILER_BUSY */
  constructor(options: AllocationProfilerOptions = {}) {
    this.#options = {
      intervalBytes: 512 * 1024,
      depth: 64,
      includesCollected: 'none',
      samplesMax: 50_000,
      ...options,
    };
    this.#start();
  }

  /** Blocks for up to some milliseconds. @throws CrucibleMemoryError PROFILER_BUSY: somebody else stopped it */
  read(): ProfileReading {
    const text = this.#isolate.allocationProfile();
    if (text === null)
      throw new CrucibleMemoryError('PROFILER_BUSY', {
        what: "V8's sampling heap profiler does not run any more",
        why: 'it was stopped, perhaps by another tool that uses it: V8 has one a thread',
        fix: 'let one tool profile at a time',
      });
    const { intervalBytes, samplesMax } = this.#options;
    const profile = decodeHeapProfile(text, {
      intervalBytes,
      startedAtEpochMs: this.#startedAtEpochMs,
      durationMs: performance.now() - this.#startedMs,
    });
    const run = this.#run;
    if (profile.samples.length > samplesMax) {
      this.stop();
      this.#start();
    }
    return { profile, run };
  }

  stop(): void {
    this.#isolate.stopAllocationProfile();
  }

  #start(): void {
    const { intervalBytes, depth, includesCollected } = this.#options;
    const hasStarted = this.#isolate.startAllocationProfile({
      intervalBytes,
      depth,
      includesCollectedByMinor: includesCollected !== 'none',
      includesCollectedByMajor: includesCollected === 'all',
    });
    if (!hasStarted)
      throw new CrucibleMemoryError('PROFILER_BUSY', {
        what: 'allocations cannot be profiled',
        why: "V8's sampling heap profiler runs already: an APM, DevTools or --heap-prof has started it",
        fix: 'switch the other one off, or go without allocation profiles',
      });
    this.#run++;
    this.#startedAtEpochMs = Date.now();
    this.#startedMs = performance.now();
  }
}
