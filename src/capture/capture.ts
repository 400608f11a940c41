import { rmSync } from 'node:fs';
import {
  type ChannelDefinition,
  loadCore,
  type NativeCore,
  type NativeRecordingWriter,
  type NativeSampler,
  type ProcessMemory,
  type RecordingStatus,
  type SamplerStatistics,
} from '../native.js';
import { registryMemory } from '../refcount/index.js';

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
  /** Goes into the recording's header as it is. */
  header: Record<string, unknown>;
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
  const core = loadCore();
  const recording = core.createRecording({ path: options.path, header: JSON.stringify(options.header) });
  try {
    const { rateHz, detailIntervalMs, counterIntervalMs = 0 } = options;
    const counters = registryMemory();
    const sampler = core.startSampler({ recording, rateHz, detailIntervalMs, counters, counterIntervalMs });
    return new Capture(core, recording, sampler);
  } catch (error) {
    recording.close();
    rmSync(options.path, { force: true });
    throw error;
  }
}

export class Capture {
  readonly #core: NativeCore;
  readonly #recording: NativeRecordingWriter;
  readonly #sampler: NativeSampler;
  #statisticsAtStop: SamplerStatistics | undefined;

  constructor(core: NativeCore, recording: NativeRecordingWriter, sampler: NativeSampler) {
    this.#core = core;
    this.#recording = recording;
    this.#sampler = sampler;
  }

  /** @param channels their names must be new to the recording */
  group(name: string, channels: ChannelDefinition[]): CaptureGroup {
    const id = this.#recording.defineGroup(name, channels);
    const numbers = new Float64Array(channels.length);
    return {
      append: (values, timeNs) => {
        for (let i = 0; i < numbers.length; i++) numbers[i] = values[i] ?? Number.NaN;
        this.#recording.append(id, numbers, timeNs);
      },
    };
  }

  /** @param detail anything that JSON can say */
  event(name: string, detail?: unknown): void {
    this.#recording.event(name, detail === undefined ? '' : JSON.stringify(detail));
  }

  beginPhase(phase: string): void {
    this.event('phase', { phase, edge: 'begin' });
  }

  endPhase(phase: string): void {
    this.event('phase', { phase, edge: 'end' });
  }

  /** Memory of this process now; blocks for as long as the memory map takes to read. */
  readMemory(): ProcessMemory {
    return this.#core.readMemory();
  }

  /** Allocator in use and held, in microseconds; null where the allocator does not tell. */
  readAllocator(): { inUseBytes: number; heldBytes: number } | null {
    return this.#core.readAllocator();
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
    if (!this.#statisticsAtStop) {
      this.#statisticsAtStop = this.#sampler.stop();
      this.event('sampler', this.#statisticsAtStop);
      this.#recording.close();
    }
    return this.#statisticsAtStop;
  }
}
