import { constants, PerformanceObserver } from 'node:perf_hooks';
import { GCProfiler, type GCProfilerResult } from 'node:v8';

/** V8's heap right after a full collection (mark-compact): what is live. */
export interface LiveHeap {
  /** process.hrtime.bigint() of the end of the collection. */
  timeNs: bigint;
  heapUsedBytes: number;
  externalBytes: number;
}

/** Beyond this an entry of one source is not the same collection as that of the other. */
const COST_TOLERANCE_MS = 0.5;
/** Collections whose other half never came are forgotten. */
const WAITING_MAX = 256;

interface Timed {
  endNs: bigint;
  durationMs: number;
}
interface Sized {
  durationMs: number;
  heapUsedBytes: number;
  externalBytes: number;
}

/**
 * Full collections as V8 makes them anyway, from two sources of Node that each know one half:
 * v8.GCProfiler reads the heap inside the collection's epilogue, when it happened only the
 * PerformanceObserver knows. They are joined by their order and by how long they took.
 *
 * What happens while JavaScript is busy is not lost, only learnt of later. Cost: 10 to 40 us a
 * collection, and 3 KB for each (young ones too) that happens before collect() is called again.
 * Given up: V8 does not say how much of `external` belongs to array buffers.
 */
export class CollectionWatch {
  #profiler = new GCProfiler();
  readonly #observer: PerformanceObserver;
  readonly #timed: Timed[] = [];
  readonly #sized: Sized[] = [];
  /** What has to be added to performance.now(), as nanoseconds, for process.hrtime.bigint(). */
  readonly #clockOffsetNs: bigint;

  constructor() {
    this.#clockOffsetNs = process.hrtime.bigint() - milliseconds(performance.now());
    this.#observer = new PerformanceObserver((list) => this.#time(list.getEntries()));
    this.#observer.observe({ entryTypes: ['gc'] });
    this.#profiler.start();
  }

  /** The full collections that are known by now and have not been handed out, in their order. */
  collect(): LiveHeap[] {
    const ended = this.#profiler;
    // Begun before the other ends: nothing falls between the two.
    this.#profiler = new GCProfiler();
    this.#profiler.start();
    this.#size(ended.stop());
    this.#time(this.#observer.takeRecords());
    return this.#joined();
  }

  stop(): LiveHeap[] {
    this.#size(this.#profiler.stop());
    this.#time(this.#observer.takeRecords());
    this.#observer.disconnect();
    return this.#joined();
  }

  #size(result: GCProfilerResult | undefined): void {
    for (const { gcType, cost, afterGC } of result?.statistics ?? []) {
      if (gcType !== 'MarkSweepCompact') continue;
      const { usedHeapSize, externalMemory } = afterGC.heapStatistics;
      this.#sized.push({
        durationMs: cost / 1000,
        heapUsedBytes: usedHeapSize,
        externalBytes: externalMemory,
      });
    }
  }

  #time(entries: readonly { startTime: number; duration: number; detail?: unknown }[]): void {
    for (const { startTime, duration, detail } of entries) {
      if ((detail as { kind?: number } | undefined)?.kind !== constants.NODE_PERFORMANCE_GC_MAJOR) continue;
      this.#timed.push({
        endNs: milliseconds(startTime + duration) + this.#clockOffsetNs,
        durationMs: duration,
      });
    }
  }

  #joined(): LiveHeap[] {
    const found: LiveHeap[] = [];
    while (this.#timed.length > 0 && this.#sized.length > 0) {
      const [timed] = this.#timed as [Timed];
      const at = this.#sized.findIndex(
        ({ durationMs }) => Math.abs(durationMs - timed.durationMs) <= COST_TOLERANCE_MS,
      );
      this.#timed.shift();
      if (at < 0) continue;
      const [sized] = this.#sized.splice(0, at + 1).slice(-1) as [Sized];
      found.push({
        timeNs: timed.endNs,
        heapUsedBytes: sized.heapUsedBytes,
        externalBytes: sized.externalBytes,
      });
    }
    this.#timed.splice(0, this.#timed.length - WAITING_MAX);
    this.#sized.splice(0, this.#sized.length - WAITING_MAX);
    return found;
  }
}

function milliseconds(amount: number): bigint {
  return BigInt(Math.round(amount * 1e6));
}
