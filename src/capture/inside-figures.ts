import { writeFileSync } from 'node:fs';
import type { InspectorClient } from './inspector-client.js';

/** What a process tells of its V8 through its inspector. */
export interface InsideFigures {
  heapUsed: number;
  heapTotal: number;
  external: number;
  arrayBuffers: number;
  /** Full collections since the last call. */
  collections: { endNs: number; heapUsedBytes: number; externalBytes: number }[];
}

/** V8 takes a sample of the allocations every so many bytes: within noise of the program's speed. */
const ALLOCATION_INTERVAL_BYTES = 512 * 1024;

/**
 * Figures from inside a process that has no agent. A few lines of JavaScript are put into it that watch its
 * collections, and take themselves out again when nobody has asked for ten seconds.
 */
export class InsideReader {
  readonly #client: InspectorClient;
  #isProfiling = false;

  static async start(client: InspectorClient): Promise<InsideReader> {
    await client.evaluate(`(${installWatch})(require)`);
    return new InsideReader(client);
  }

  private constructor(client: InspectorClient) {
    this.#client = client;
  }

  async read(): Promise<InsideFigures> {
    return (await this.#client.evaluate(`globalThis[Symbol.for('${WATCH}')]()`)) as InsideFigures;
  }

  /** Collects fully; the process stands still for some 15 ms per 10 MB of live heap. */
  async collect(): Promise<void> {
    await this.#client.send('HeapProfiler.collectGarbage');
  }

  /** @throws INSPECTOR_UNAVAILABLE when V8's sampling profiler is in use already, by an APM or a debugger */
  async startAllocationProfile(): Promise<void> {
    await this.#client.send('HeapProfiler.startSampling', { samplingInterval: ALLOCATION_INTERVAL_BYTES });
    this.#isProfiling = true;
  }

  /** Writes what is still live of what was allocated since, as a .heapprofile. Mode 0600. */
  async writeAllocationProfile(path: string): Promise<void> {
    if (!this.#isProfiling) return;
    this.#isProfiling = false;
    const { profile } = (await this.#client.send('HeapProfiler.stopSampling')) as { profile: unknown };
    writeFileSync(path, JSON.stringify(profile), { mode: 0o600 });
  }

  async stop(): Promise<void> {
    await this.#client.evaluate(`globalThis[Symbol.for('${WATCH}')]?.('stop')`).catch(() => {});
  }
}

const WATCH = 'crucible-memory.attached';

/**
 * Runs in the other process, as its source text: it can reach nothing of this file, and must not be noticed.
 * Times are joined to sizes by their order, where there are as many of each; else the time is when they were
 * asked for.
 */
function installWatch(require: NodeJS.Require): void {
  const { GCProfiler } = require('node:v8') as typeof import('node:v8');
  const { PerformanceObserver } = require('node:perf_hooks') as typeof import('node:perf_hooks');
  const key = Symbol.for('crucible-memory.attached');
  const place = globalThis as { [key]?: (command?: 'stop') => unknown };
  const MAJOR = 4;
  const SILENCE_MS = 10_000;
  const milliseconds = (amount: number) => Math.round(amount * 1e6);
  place[key]?.('stop');

  const ends: number[] = [];
  const observer = new PerformanceObserver((list) => {
    const offsetNs = Number(process.hrtime.bigint()) - milliseconds(performance.now());
    for (const entry of list.getEntries())
      if ((entry as unknown as { detail?: { kind?: number } }).detail?.kind === MAJOR)
        ends.push(offsetNs + milliseconds(entry.startTime + entry.duration));
  });
  observer.observe({ entryTypes: ['gc'] });
  let profiler = new GCProfiler();
  profiler.start();
  const stop = () => {
    profiler.stop();
    observer.disconnect();
    delete place[key];
  };
  let deserted = setTimeout(stop, SILENCE_MS).unref();
  const watch = (command?: 'stop') => {
    clearTimeout(deserted);
    if (command === 'stop') return stop();
    deserted = setTimeout(stop, SILENCE_MS).unref();
    const ended = profiler;
    profiler = new GCProfiler();
    profiler.start();
    const sizes = (ended.stop()?.statistics ?? []).filter(({ gcType }) => gcType === 'MarkSweepCompact');
    const times = ends.splice(0);
    const now = Number(process.hrtime.bigint());
    const collections = sizes.map(({ afterGC: { heapStatistics } }, i) => ({
      endNs: times.length === sizes.length ? times[i] : now,
      heapUsedBytes: heapStatistics.usedHeapSize,
      externalBytes: heapStatistics.externalMemory,
    }));
    const { heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
    return { heapUsed, heapTotal, external, arrayBuffers, collections };
  };
  Object.defineProperty(place, key, { value: watch, configurable: true });
}
