import { Session } from 'node:inspector';
import { getHeapStatistics } from 'node:v8';
import type { LiveHeap } from './collections.js';

/**
 * Collections take at most this share of a core, however often they are asked for. By CPU time: on a
 * busy machine the waiting for it is not theirs.
 */
const CPU_SHARE_MAX = 0.1;
/** V8's own account of a collection comes a second or so later. */
const SPANS_REMEMBERED = 64;

/**
 * Full collections on a schedule, for a floor where V8 itself collects too rarely to tell one. Through the
 * inspector inside the process: V8's low-memory notification, which also drops compiled code that is not
 * running. Blocks the program for as long as a mark-compact takes, some 15 ms for 10 MB of live heap; where
 * that is long they come more rarely, so that they take at most a tenth of a core.
 */
export class ForcedCollections {
  readonly #intervalMs: number;
  readonly #session = new Session();
  #dueMs: number;
  /** When the last ones ran, process.hrtime.bigint(). */
  readonly #spans: { startNs: bigint; endNs: bigint }[] = [];

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
    this.#dueMs = performance.now() + intervalMs;
    this.#session.connect();
  }

  /** Starts one when it is due; V8 carries it out at its next turn, and then says what is live. */
  collectIfDue(onCollected: (live: LiveHeap) => void): void {
    const startMs = performance.now();
    if (startMs < this.#dueMs) return;
    this.#dueMs = Number.POSITIVE_INFINITY;
    const startNs = process.hrtime.bigint();
    const startCpu = process.cpuUsage();
    this.#session.post('HeapProfiler.collectGarbage', () => {
      const endNs = process.hrtime.bigint();
      this.#spans.push({ startNs, endNs });
      if (this.#spans.length > SPANS_REMEMBERED) this.#spans.shift();
      const { user, system } = process.cpuUsage(startCpu);
      this.#dueMs = startMs + Math.max(this.#intervalMs, (user + system) / 1000 / CPU_SHARE_MAX);
      const { used_heap_size, external_memory } = getHeapStatistics();
      onCollected({ timeNs: endNs, heapUsedBytes: used_heap_size, externalBytes: external_memory });
    });
  }

  /** Whether a collection that ended then was one of these. */
  wasForced(timeNs: bigint): boolean {
    return this.#spans.some(({ startNs, endNs }) => startNs <= timeNs && timeNs <= endNs);
  }

  stop(): void {
    this.#session.disconnect();
  }
}
