import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CrucibleMemoryError, messageOf } from '../errors.js';
import { type ChannelDefinition, loadCore, type NativeRecordingWriter } from '../native.js';
import {
  FLOOR_CHANNELS,
  PROGRAM_KIND,
  RecordedEvents,
  RSS_CHANNEL,
  V8_CHANNELS,
} from '../recording/channels.js';
import { RecordingWriter } from '../recording/writer.js';
import { InsideReader } from './inside-figures.js';
import { type OpenInspector, openInspector } from './inspector-door.js';
import { OutsideFigures } from './outside-figures.js';
import { argumentsOf, requireProcess } from './process-table.js';
import { takeSnapshot } from './snapshot-of-process.js';

/** How often what is dearer than RSS is read. */
const DETAIL_INTERVAL_MS = 1000;
/** Timers of Node fire at most so often. */
const RATE_MAX_HZ = 1000;

export interface AttachOptions {
  pid: number;
  /** The folder must exist. */
  folder: string;
  /** Name of the recording's file in it. */
  file: string;
  rateHz: number;
  /** Whether to open the inspector, for what only V8 knows. */
  inspector: boolean;
  /** Forces a full collection about so often, for points of the floor; 0: never. */
  collectEveryMs: number;
  /** Heap snapshots at the beginning and at the end, to be compared. */
  snapshots: boolean;
  /** Ends the recording. */
  signal: AbortSignal;
  /** A sentence for a person. */
  onNews: (sentence: string) => void;
}

/** What an attachment left behind. */
export interface AttachOutcome {
  /** The process ended by itself. */
  ended: boolean;
  /** What else was written, in the order in which it was. */
  files: string[];
}

/**
 * Records a running process from outside: RSS at the full rate by the clock of this process, so that nothing the
 * other does can delay it; its parts and its container's memory each second; and through its inspector V8's
 * figures, what full collections left, and a profile of the allocations. What cannot be had is a note in the
 * recording, and the rest goes on.
 *
 * Ends when the signal is aborted or the process is gone.
 * @throws CrucibleMemoryError PROCESS_GONE, PROC_UNREADABLE, RECORDING_UNWRITABLE
 */
export async function recordProcess(options: AttachOptions): Promise<AttachOutcome> {
  requireProcess(options.pid);
  const attachment = new Attachment(options);
  try {
    return await attachment.run();
  } finally {
    await attachment.finish();
  }
}

class Attachment {
  readonly #options: AttachOptions;
  readonly #figures: OutsideFigures;
  readonly #recording: NativeRecordingWriter;
  readonly #groups: Record<GroupName, number>;
  readonly #startedMs = performance.now();
  readonly #files: string[] = [];
  #inspector: OpenInspector | undefined;
  #inside: InsideReader | undefined;
  #samples = 0;
  #collectionDueMs = 0;
  #ended = false;

  constructor(options: AttachOptions) {
    this.#options = options;
    this.#figures = new OutsideFigures(options.pid);
    this.#recording = createRecording(options);
    this.#groups = defineGroups(this.#recording);
  }

  async run(): Promise<AttachOutcome> {
    this.#sample();
    const timer = setInterval(() => this.#sample(), 1000 / Math.min(this.#options.rateHz, RATE_MAX_HZ));
    try {
      if (this.#options.inspector) await this.#openInside();
      await this.#snapshot('begin');
      while (!this.#ended && !this.#options.signal.aborted) {
        this.#details();
        await this.#collectIfDue();
        await this.#readInside();
        await this.#pause();
      }
      await this.#readInside();
      await this.#snapshot('end');
      await this.#profile();
    } finally {
      clearInterval(timer);
    }
    return { ended: this.#ended, files: this.#files };
  }

  async finish(): Promise<void> {
    await this.#inside?.stop();
    await this.#inspector?.close();
    const elapsedMs = performance.now() - this.#startedMs;
    const expected = Math.floor((elapsedMs / 1000) * this.#options.rateHz);
    const { user, system } = process.cpuUsage();
    const statistics = {
      samples: this.#samples,
      missedTicks: Math.max(0, expected - this.#samples),
      cpuNs: (user + system) * 1000,
      elapsedNs: Math.round(elapsedMs * 1e6),
    };
    this.#recording.event(RecordedEvents.Sampler, JSON.stringify(statistics));
    this.#recording.close();
  }

  #sample(): void {
    const rssBytes = this.#figures.rssBytes();
    if (rssBytes === null) {
      this.#ended = true;
      return;
    }
    this.#recording.append(this.#groups.process, Float64Array.of(rssBytes));
    this.#samples++;
  }

  #details(): void {
    if (!this.#figures.isSame()) this.#ended = true;
    if (this.#ended) return;
    const { pssBytes, anonymousBytes, fileBytes, threadCount, cpuTimeMs } = this.#figures.details();
    this.#append('detail', [pssBytes, anonymousBytes, fileBytes, threadCount, cpuTimeMs]);
    const cgroup = this.#figures.cgroup();
    if (cgroup)
      this.#append('cgroup', [cgroup.usedBytes, cgroup.inactiveFileBytes, cgroup.limitBytes ?? undefined]);
  }

  async #openInside(): Promise<void> {
    try {
      this.#inspector = await openInspector(this.#options.pid);
      this.#inside = await InsideReader.start(this.#inspector.client);
    } catch (error) {
      this.#say(`only figures from outside, because ${messageOf(error)}`);
      return;
    }
    try {
      await this.#inside.startAllocationProfile();
    } catch (error) {
      this.#say(`no allocation profile: ${messageOf(error)}`);
    }
  }

  async #collectIfDue(): Promise<void> {
    const { collectEveryMs } = this.#options;
    if (collectEveryMs === 0 || !this.#inside || this.#ended || performance.now() < this.#collectionDueMs)
      return;
    this.#collectionDueMs = performance.now() + collectEveryMs;
    await this.#inside.collect().catch(() => {});
  }

  async #readInside(): Promise<void> {
    if (!this.#inside || this.#ended) return;
    try {
      const { heapUsed, heapTotal, external, arrayBuffers, collections } = await this.#inside.read();
      this.#append('v8', [heapUsed, heapTotal, external, arrayBuffers]);
      for (const { endNs, heapUsedBytes, externalBytes } of collections) {
        const values = [
          heapUsedBytes + externalBytes,
          heapUsedBytes,
          externalBytes,
          undefined,
          undefined,
          undefined,
        ];
        this.#append('floor', values, BigInt(endNs));
      }
    } catch (error) {
      this.#inside = undefined;
      if (this.#figures.rssBytes() !== null) this.#say(`V8's figures end here: ${messageOf(error)}`);
    }
  }

  async #snapshot(when: 'begin' | 'end'): Promise<void> {
    if (!this.#options.snapshots || this.#ended || !this.#inspector) return;
    const path = join(this.#options.folder, `${this.#options.pid}-${when}.heapsnapshot`);
    try {
      const version = String(await this.#inspector.client.evaluate('process.version'));
      this.#options.onNews(`taking a heap snapshot; the process stands still meanwhile`);
      this.#recording.event('snapshot', JSON.stringify({ path }));
      await takeSnapshot(this.#inspector.client, { path, version });
      this.#files.push(path);
    } catch (error) {
      this.#say(`no heap snapshot: ${messageOf(error)}`);
    }
  }

  async #profile(): Promise<void> {
    if (!this.#inside || this.#ended) return;
    const path = join(this.#options.folder, `${this.#options.pid}.heapprofile`);
    try {
      await this.#inside.writeAllocationProfile(path);
      this.#files.push(path);
    } catch (error) {
      this.#say(`no allocation profile: ${messageOf(error)}`);
    }
  }

  /** Until the next second, the end of the recording, or that of the process. */
  async #pause(): Promise<void> {
    const { collectEveryMs } = this.#options;
    const pauseMs = collectEveryMs === 0 ? DETAIL_INTERVAL_MS : Math.min(DETAIL_INTERVAL_MS, collectEveryMs);
    const untilMs = performance.now() + pauseMs;
    while (!this.#ended && !this.#options.signal.aborted && performance.now() < untilMs)
      await sleep(Math.min(50, pauseMs), undefined, { signal: this.#options.signal }).catch(() => {});
  }

  #append(group: GroupName, values: (number | undefined)[], timeNs?: bigint): void {
    const row = Float64Array.from(values, (value) => value ?? Number.NaN);
    this.#recording.append(this.#groups[group], row, timeNs);
  }

  /** What a person hears now, and a reader of the recording later. */
  #say(text: string): void {
    this.#options.onNews(text);
    this.#recording.event(RecordedEvents.Note, JSON.stringify({ text }));
  }
}

type GroupName = 'process' | 'detail' | 'cgroup' | 'v8' | 'floor';

/** Natively where that can be had; the process that writes is not the one that is measured, so its cost is its own. */
function createRecording({ pid, folder, file, rateHz }: AttachOptions): NativeRecordingWriter {
  const argv = argumentsOf(pid).slice(1);
  const header = JSON.stringify({
    kind: PROGRAM_KIND,
    attached: true,
    pid,
    argv,
    rateHz,
  });
  const path = join(folder, file);
  try {
    return loadCore().createRecording({ path, header });
  } catch (error) {
    if (!(error instanceof CrucibleMemoryError && error.code === 'ADDON_MISSING')) throw error;
    return RecordingWriter.create({ path, header, pid });
  }
}

function defineGroups(recording: NativeRecordingWriter): Record<GroupName, number> {
  const bytes = (name: string, description: string): ChannelDefinition => ({
    name,
    unit: 'bytes',
    kind: 'integer',
    description,
  });
  return {
    process: recording.defineGroup('process', [bytes(RSS_CHANNEL, 'resident set size of the process')]),
    detail: recording.defineGroup('process_detail', [
      bytes('pss_bytes', 'resident memory, with what is shared divided by the number of sharers'),
      bytes('anonymous_bytes', 'resident memory without a file behind it'),
      bytes('file_bytes', 'resident memory mapped from files or shared'),
      { name: 'thread_count', unit: 'count', kind: 'integer', description: 'threads of the process' },
      {
        name: 'cpu_time_ms',
        unit: 'other',
        kind: 'integer',
        description: 'CPU time of the process since its start',
      },
    ]),
    cgroup: recording.defineGroup('cgroup', [
      bytes('cgroup_used_bytes', 'memory that the container uses'),
      bytes('cgroup_inactive_file_bytes', 'part of it that the kernel drops first'),
      bytes('cgroup_limit_bytes', 'memory that the container may use'),
    ]),
    v8: recording.defineGroup('v8', [...V8_CHANNELS]),
    floor: recording.defineGroup('floor', [...FLOOR_CHANNELS]),
  };
}
