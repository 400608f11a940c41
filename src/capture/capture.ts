import { rmSync } from 'node:fs';
import { CrucibleMemoryError, messageOf } from '../errors.js';
import {
  type ChannelDefinition,
  loadCore,
  loadIsolate,
  type NativeCore,
  type NativeFollower,
  type NativeHeapSampler,
  type NativeRecordingWriter,
  type NativeSampler,
  type ProcessMemory,
  type RecordingStatus,
  type SamplerStatistics,
} from '../native.js';
import { RecordedEvents } from '../recording/channels.js';
import { RecordingWriter } from '../recording/writer.js';
import { registryMemory } from '../refcount/registry.js';
import { type CaptureBudget, withinBudget } from './budget.js';
import { type JavaScriptSampler, startJavaScriptSampler } from './javascript-sampler.js';
import { armMemoryAlarm, type MemoryAlarmOptions } from './memory-alarm.js';

export interface CaptureOptions {
  /** The recording's file. Its folder must exist; a regular file of that name is replaced. */
  path: string;
  /** RSS samples a second, up to 10,000. The wake-ups cost about 2.5 to 3 % of a core at 1,000. */
  rateHz: number;
  /**
   * Shortest time between two readings of the details (stacks, allocator and
   * the like), milliseconds; 0: none. Where reading them takes long they are
   * read more rarely, so that they cost at most 0.5 % of a core; PSS, the
   * dearest, is absent from most of their samples.
   */
  detailIntervalMs: number;
  /**
   * Shortest time between two readings of the program's own counters (src/refcount), milliseconds;
   * 0, the default: with every RSS sample. They are written when they have changed.
   */
  counterIntervalMs?: number;
  /**
   * Lives on the ticks of the capture that this process shares, if one does: for worker threads. What is of
   * the whole process (its details, its counters) is then in that one's recording only.
   */
  joinsProcess?: boolean;
  /** Goes into the recording's header as it is; without the addon with `sampler: 'javascript'`. */
  header: Record<string, unknown>;
  /**
   * What to do where the addon cannot be loaded: refuse, or sample by a timer of JavaScript, which
   * sees nothing while JavaScript is busy. The recording then says so. Default: fail.
   */
  withoutAddon?: 'fail' | 'javascript';
  /**
   * What recording may cost. CPU and memory are looked after each second by a timer that keeps no program
   * alive; where it costs more, the rate is lowered, and the recording says so. Default: no bound.
   */
  budget?: CaptureBudget;
}

/** Channels of the application that are appended together. */
export interface CaptureGroup {
  /** One value a channel; undefined: absent. `timeNs` of process.hrtime.bigint(), or now. */
  append(values: (number | undefined)[], timeNs?: bigint): void;
}

/**
 * Begins to record this process. Memory is sampled by native threads, whatever
 * JavaScript does, until stop().
 *
 * @throws CrucibleMemoryError ADDON_MISSING, PROC_UNREADABLE, RECORDING_UNWRITABLE, USAGE
 */
export function startCapture(options: CaptureOptions): Capture {
  const core = coreFor(options);
  if (core instanceof CrucibleMemoryError) return startWithoutAddon(options, core);
  const header = JSON.stringify(options.header);
  const recording = core.createRecording({ path: options.path, header, ...sizeOf(options) });
  return startedOn(recording, options.path, () => {
    const { rateHz, detailIntervalMs, counterIntervalMs = 0, joinsProcess = false } = options;
    const joined = joinsProcess ? core.followSampler({ recording, rateHz }) : null;
    if (joined) return new Capture(core, recording, joined).keepTo(options.budget, rateHz);
    const counters = registryMemory();
    const sampler = core.startSampler({ recording, rateHz, detailIntervalMs, counters, counterIntervalMs });
    return new Capture(core, recording, sampler).keepTo(options.budget, rateHz);
  });
}

/** The addon, or why there is none where that is no reason to give up. */
function coreFor({ withoutAddon = 'fail' }: CaptureOptions): NativeCore | CrucibleMemoryError {
  try {
    return loadCore();
  } catch (error) {
    const isMissing = error instanceof CrucibleMemoryError && error.code === 'ADDON_MISSING';
    if (isMissing && withoutAddon === 'javascript') return error;
    throw error;
  }
}

function startWithoutAddon(options: CaptureOptions, missing: CrucibleMemoryError): Capture {
  const header = JSON.stringify({ ...options.header, sampler: 'javascript' });
  const recording = RecordingWriter.create({ path: options.path, header, ...sizeOf(options) });
  return startedOn(recording, options.path, () => {
    const capture = new Capture(
      null,
      recording,
      startJavaScriptSampler({ recording, rateHz: options.rateHz }),
    );
    capture.note(`sampled by JavaScript, which sees nothing while it is busy, because ${messageOf(missing)}`);
    return capture.keepTo(options.budget, options.rateHz);
  });
}

function sizeOf({ budget }: CaptureOptions): { bytesMax?: number } {
  return budget?.diskBytes === undefined ? {} : { bytesMax: budget.diskBytes };
}

/** How often the cost is looked at. */
const BUDGET_INTERVAL_MS = 1000;

/** A capture that cannot be started leaves no file behind. */
function startedOn(recording: NativeRecordingWriter, path: string, start: () => Capture): Capture {
  try {
    return start();
  } catch (error) {
    recording.close();
    rmSync(path, { force: true });
    throw error;
  }
}

type AnySampler = NativeSampler | NativeFollower | JavaScriptSampler;

export class Capture {
  readonly #core: NativeCore | null;
  readonly #notes = new Set<string>();
  readonly #recording: NativeRecordingWriter;
  readonly #sampler: AnySampler;
  #heapSampler: NativeHeapSampler | undefined;
  #statisticsAtStop: SamplerStatistics | undefined;
  #budgetTimer: NodeJS.Timeout | undefined;
  #isOverBudget = false;

  /** @param core null: without the addon */
  constructor(core: NativeCore | null, recording: NativeRecordingWriter, sampler: AnySampler) {
    this.#core = core;
    this.#recording = recording;
    this.#sampler = sampler;
  }

  /** @internal Watches what recording costs, from now on. */
  keepTo(budget: CaptureBudget | undefined, rateHz: number): this {
    if (budget?.cpuShare === undefined && budget?.memoryBytes === undefined) return this;
    const watch = new BudgetWatch(this, budget, rateHz);
    this.#budgetTimer = setInterval(() => watch.look(), BUDGET_INTERVAL_MS).unref();
    return this;
  }

  /** RSS samples a second from now on. @throws CrucibleMemoryError USAGE */
  setRate(rateHz: number): void {
    this.#sampler.setRate(rateHz);
  }

  /** @param channels their names must be new to the recording */
  group(name: string, channels: ChannelDefinition[]): CaptureGroup {
    const id = this.#recording.defineGroup(name, channels);
    const numbers = new Float64Array(channels.length);
    return {
      append: (values, timeNs) => {
        // Ended by its budget: whoever appends need not know.
        if (this.#isOverBudget) return;
        for (let i = 0; i < numbers.length; i++) numbers[i] = values[i] ?? Number.NaN;
        this.#recording.append(id, numbers, timeNs);
      },
    };
  }

  /**
   * Records V8's figures and collections of this thread at the sampler's ticks, also while JavaScript is busy.
   * @param options.spacesIntervalMs shortest time between two samples of the heap spaces
   * @returns false where the V8 addon cannot be loaded; the recording then says why
   */
  watchHeap(options: { spacesIntervalMs: number }): boolean {
    if (!('link' in this.#sampler)) return false;
    try {
      this.#heapSampler = loadIsolate().startHeapSampler({
        link: this.#sampler.link(),
        prefix: '',
        ticksPerSample: 1,
        ...options,
      });
      return true;
    } catch (error) {
      this.note(
        `V8's figures are read by JavaScript, at most ten times a second, because ${messageOf(error)}`,
      );
      return false;
    }
  }

  /** Has the evidence saved before memory runs out; after watchHeap(), and not where that was refused. */
  armMemoryAlarm(options: MemoryAlarmOptions): void {
    if (this.#heapSampler) armMemoryAlarm(this.#heapSampler, options);
  }

  /**
   * Records slots of shared memory at the sampler's ticks; see NativeSampler.
   * @returns false without the addon
   */
  watchSlots(options: Parameters<NativeSampler['watchSlots']>[0]): boolean {
    if (!('watchSlots' in this.#sampler)) return false;
    this.#sampler.watchSlots(options);
    return true;
  }

  /** Lets captures of other threads join this one; see CaptureOptions.joinsProcess. */
  share(): void {
    if ('share' in this.#sampler) this.#sampler.share();
  }

  /** @param detail anything that JSON can say */
  event(name: string, detail?: unknown): void {
    if (this.#isOverBudget) return;
    this.#recording.event(name, detail === undefined ? '' : JSON.stringify(detail));
  }

  beginPhase(phase: string): void {
    this.event('phase', { phase, edge: 'begin' });
  }

  endPhase(phase: string): void {
    this.event('phase', { phase, edge: 'end' });
  }

  /** Something that a reader of the recording should know; each sentence once. */
  note(text: string): void {
    if (this.#notes.has(text)) return;
    this.#notes.add(text);
    this.event(RecordedEvents.Note, { text });
  }

  /** The sentences that were noted, in their order. */
  get notes(): string[] {
    return [...this.#notes];
  }

  /** Memory of this process now; blocks for as long as the memory map takes to read. */
  readMemory(): ProcessMemory {
    return this.#core?.readMemory() ?? { rssBytes: process.memoryUsage.rss() };
  }

  /** Allocator in use and held, in microseconds; null where the allocator does not tell. */
  readAllocator(): { inUseBytes: number; heldBytes: number } | null {
    return this.#core?.readAllocator() ?? null;
  }

  /** @internal Ends the recording early; what is appended from now on is dropped. */
  endByBudget(): void {
    this.stop();
    this.#isOverBudget = true;
  }

  statistics(): SamplerStatistics {
    return this.#statisticsAtStop ?? this.#sampler.statistics();
  }

  status(): RecordingStatus {
    return this.#recording.status();
  }

  /**
   * Ends the sampling, notes its statistics as the event `sampler`, and closes
   * the file. Called again it only returns the statistics.
   */
  stop(): SamplerStatistics {
    clearInterval(this.#budgetTimer);
    if (!this.#statisticsAtStop) {
      const heap = this.#heapSampler?.stop();
      this.#statisticsAtStop = this.#sampler.stop();
      if (heap) this.event(RecordedEvents.HeapSampler, heap);
      this.event('sampler', this.#statisticsAtStop);
      this.#recording.close();
    }
    return this.#statisticsAtStop;
  }
}

/** Compares what a capture costs with what it may, and lowers its rate. */
class BudgetWatch {
  readonly #capture: Capture;
  readonly #budget: CaptureBudget;
  #rateHz: number;
  #before: SamplerStatistics;

  constructor(capture: Capture, budget: CaptureBudget, rateHz: number) {
    this.#capture = capture;
    this.#budget = budget;
    this.#rateHz = rateHz;
    this.#before = capture.statistics();
  }

  look(): void {
    const { cpuNs, elapsedNs } = this.#capture.statistics();
    const cpuShare = (cpuNs - this.#before.cpuNs) / Math.max(1, elapsedNs - this.#before.elapsedNs);
    this.#before = this.#capture.statistics();
    const { memoryBytes } = this.#capture.status();
    const measure = withinBudget(this.#budget, { rateHz: this.#rateHz, cpuShare, memoryBytes });
    if (measure === undefined) return;
    this.#capture.note(measure.reason);
    if ('end' in measure) {
      this.#capture.endByBudget();
      return;
    }
    this.#rateHz = measure.rateHz;
    this.#capture.setRate(measure.rateHz);
  }
}
