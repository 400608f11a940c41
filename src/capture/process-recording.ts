import type { SamplerStatistics } from '../native.js';
import { FLOOR_CHANNELS, V8_CHANNELS } from '../recording/channels.js';
import type { Capture, CaptureGroup } from './capture.js';
import { CollectionWatch, type LiveHeap } from './collections.js';
import { ForcedCollections } from './forced-collections.js';
import type { Guard } from './guard.js';
import type { OperationCounter } from './operation-counter.js';

/** How often JavaScript looks: at what only it can tell, or at everything where it has to do it alone. */
const INTERVAL_MS = 1000;
const INTERVAL_ALONE_MS = 100;
/** How often V8's account of its collections is fetched then. */
const TURNS_PER_COLLECTING = 10;
const REMEMBERED_READINGS = 64;
/** Heap spaces, for those who look at the recording itself. */
const SPACES_INTERVAL_MS = 1000;

/**
 * What is recorded of one thread of a program beside its process's memory: V8's figures, the floor after full
 * collections, operations, phases.
 *
 * The V8 addon does most of it from the sampler's ticks, also while JavaScript is busy. Without it a timer
 * that keeps no program alive reads what Node offers, and the recording says so.
 */
export class ProcessRecording {
  readonly #capture: Capture;
  readonly #timer: NodeJS.Timeout;
  readonly #alone: JavaScriptFigures | undefined;
  readonly #forced: ForcedCollections | undefined;
  readonly #onCollected: (live: LiveHeap) => void;
  readonly #arrayBuffers: CaptureGroup | undefined;
  #phase: string | undefined;

  constructor(options: {
    capture: Capture;
    counter: OperationCounter;
    /** Forces a full collection so often; 0: never. */
    collectEveryMs: number;
    guarded: Guard;
  }) {
    const { capture, counter, collectEveryMs, guarded } = options;
    this.#capture = capture;
    counter.record(capture);
    if (collectEveryMs > 0) this.#forced = new ForcedCollections(collectEveryMs);
    if (capture.watchHeap({ spacesIntervalMs: SPACES_INTERVAL_MS })) {
      this.#arrayBuffers = capture.group('array_buffers', V8_CHANNELS.slice(-1));
      this.#onCollected = () => {};
    } else {
      const alone = new JavaScriptFigures(
        capture,
        counter,
        (timeNs) => this.#forced?.wasForced(timeNs) ?? false,
      );
      this.#alone = alone;
      this.#onCollected = guarded((live) => alone.appendForced(live));
    }
    this.#measure();
    const intervalMs = this.#alone || collectEveryMs > 0 ? INTERVAL_ALONE_MS : INTERVAL_MS;
    this.#timer = setInterval(
      guarded(() => this.#turn()),
      intervalMs,
    ).unref();
  }

  /** The phase that was marked before ends. */
  mark(name: string): void {
    if (this.#phase !== undefined) this.#capture.endPhase(this.#phase);
    this.#phase = name;
    this.#measure();
    this.#capture.beginPhase(name);
  }

  /** The last readings, and then the end of the recording. */
  stop(): SamplerStatistics {
    clearInterval(this.#timer);
    this.#measure();
    this.#alone?.stop();
    this.#forced?.stop();
    if (this.#phase !== undefined) this.#capture.endPhase(this.#phase);
    return this.#capture.stop();
  }

  #turn(): void {
    this.#measure();
    this.#forced?.collectIfDue(this.#onCollected);
  }

  #measure(): void {
    this.#alone?.turn();
    this.#arrayBuffers?.append([process.memoryUsage().arrayBuffers]);
  }
}

/** What Node itself tells of V8, on the JavaScript thread. */
class JavaScriptFigures {
  readonly #capture: Capture;
  readonly #counter: OperationCounter;
  readonly #wasForced: (timeNs: bigint) => boolean;
  readonly #v8: CaptureGroup;
  readonly #floor: CaptureGroup;
  readonly #watch = new CollectionWatch();
  /** Operations completed by then, of the last readings: what a collection that is learnt of later counts. */
  readonly #completedAt: { timeNs: bigint; completed: number }[] = [];
  #turns = 0;

  constructor(capture: Capture, counter: OperationCounter, wasForced: (timeNs: bigint) => boolean) {
    this.#capture = capture;
    this.#counter = counter;
    this.#wasForced = wasForced;
    this.#v8 = capture.group('v8', [...V8_CHANNELS]);
    this.#floor = capture.group('floor', [...FLOOR_CHANNELS]);
  }

  turn(): void {
    const { heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
    this.#v8.append([heapUsed, heapTotal, external, arrayBuffers]);
    this.#counter.append();
    this.#completedAt.push({ timeNs: process.hrtime.bigint(), completed: this.#counter.completed });
    if (this.#completedAt.length > REMEMBERED_READINGS) this.#completedAt.shift();
    if (this.#turns++ % TURNS_PER_COLLECTING === 0) this.#appendNatural(this.#watch.collect());
  }

  stop(): void {
    this.#appendNatural(this.#watch.stop());
  }

  appendForced(live: LiveHeap): void {
    const mallocInUseBytes = this.#capture.readAllocator()?.inUseBytes;
    this.#append(live, [mallocInUseBytes, process.memoryUsage.rss(), this.#counter.completed]);
  }

  /** Of collections that V8 made by itself; only what was read inside them is known. */
  #appendNatural(collections: readonly LiveHeap[]): void {
    for (const live of collections) {
      if (this.#wasForced(live.timeNs)) continue;
      const reading = this.#completedAt.findLast(({ timeNs }) => timeNs <= live.timeNs);
      this.#append(live, [undefined, undefined, reading?.completed ?? 0]);
    }
  }

  #append({ timeNs, heapUsedBytes, externalBytes }: LiveHeap, others: (number | undefined)[]): void {
    this.#floor.append([heapUsedBytes + externalBytes, heapUsedBytes, externalBytes, ...others], timeNs);
  }
}
