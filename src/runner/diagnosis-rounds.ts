import { readFileSync, writeFileSync } from 'node:fs';
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import { AllocationProfiler } from '../capture/allocation-profiler.js';
import { writeBoundedSnapshot } from '../capture/bounded-snapshot.js';
import type { Capture } from '../capture/capture.js';
import { requireRoomForSnapshot } from '../capture/head-room.js';
import { primeLineTablesOfThisThread, writeHeapSnapshot } from '../capture/snapshot-writer.js';
import { CrucibleMemoryError, messageOf } from '../errors.js';
import { encodeHeapProfile } from '../recording/allocation-profile.js';
import { RecordedEvents } from '../recording/channels.js';
import type { DiagnosisProfile, DiagnosisReading, DiagnosisSnapshot } from '../recording/diagnosis-record.js';
import { formatDuration, KIB, MIB } from '../units.js';
import { collectGarbage } from './collection.js';
import type { DiagnosisRequest } from './messages.js';

/** Rounds of equal work, if what leaks does not come in lumps, with a snapshot before the first and after each. */
const ROUNDS = 3;
/** What a round should leave behind: far more than V8's own comings and goings, and quickly snapshotted. */
const ROUND_BYTES = 768 * KIB;
const ROUND_MS = 1200;
/** What leaks only now and then (a model that is loaded anew, a pool that turns over) needs some work to show ... */
const ROUND_MS_WANTED = 600;
/** ... within reason. */
const ROUND_BYTES_MAX = 8 * MIB;
/** Slow targets get this many operations even where that takes longer ... */
const OPERATIONS_AT_LEAST = 8;
/** ... and quick ones not fewer, or a single object too many would be a tenth of what is found. */
const OPERATIONS_WANTED = 40;
/** Of the operations of a round, so many samples of what is allocated are wanted. */
const SAMPLES_WANTED = 512;
const SAMPLE_INTERVAL_BYTES = { min: 1 * KIB, max: 64 * KIB };
/**
 * A round that shows less than this share of what the load leaves behind goes on: what leaks comes in lumps, a
 * model or a pool at a time ...
 */
const SEEN_SHARE = 0.5;
/** ... for so much longer, all rounds together: what was a warm-up after all is not seen again. */
const EXTRA_MS = 10_000;
/** CPU time for all snapshots; what would take longer is left out. A heap of a million objects has three. */
const SNAPSHOTS_CPU_MS = 12_000;

/** What the rounds need of the test around them. */
export interface RoundsSurroundings {
  capture: Capture;
  request: DiagnosisRequest;
  /** By the judge's reckoning; null: unknown. */
  bytesPerOperation: number | null;
  /** That the load reached; null: it sent none. */
  operationsPerSecond: number | null;
  /** Completed so far. */
  operations(): number;
  /** So many operations as the load sent them, or less of them when the time is up. */
  work(operations: number, durationMs: number): Promise<void>;
  /** Resolves after the time, without work. */
  rest(durationMs: number): Promise<void>;
  signal: AbortSignal;
}

/**
 * Repeats the load in rounds of equal length between heap snapshots, under V8's sampling allocation profiler.
 *
 * Whatever cannot be had (a snapshot that memory or disk are too small for, a profiler that somebody else
 * uses) is left out and noted: the rounds are worth their readings alone.
 * Cost: four snapshots, 1.4 to 4 us a node each, and some seconds of load; where memory is lost in lumps, EXTRA_MS
 * more.
 */
export async function diagnosisRounds(around: RoundsSurroundings): Promise<void> {
  await new Rounds(around).run();
}

class Rounds {
  readonly #around: RoundsSurroundings;
  #profiler: AllocationProfiler | undefined;
  #snapshots = 0;
  #isWithoutSnapshots = false;
  #lastSnapshotCpuMs = 0;
  #extraMs = EXTRA_MS;

  constructor(around: RoundsSurroundings) {
    this.#around = around;
  }

  async run(): Promise<void> {
    // Line tables are made now, or the first round would be charged for them.
    primeLineTablesOfThisThread();
    const operations = this.#operationsOfARound();
    this.#startProfiler(operations);
    try {
      await collectGarbage();
      this.#snapshot();
      for (let round = 1; round <= ROUNDS && !this.#around.signal.aborted; round++) {
        this.#read(round, 'begin');
        if (operations === 0) await this.#around.rest(ROUND_MS);
        else await this.#workUntilSeen(operations);
        await collectGarbage();
        this.#read(round, 'end');
        if (round === ROUNDS || this.#hasTimeForSnapshot(round)) this.#snapshot();
      }
      this.#saveProfile();
      this.#event(RecordedEvents.DiagnosisAddons, { paths: loadedAddons() });
    } finally {
      this.#profiler?.stop();
    }
  }

  /** So many operations, and as many again until they left behind what the load did, or the time for that is up. */
  async #workUntilSeen(operations: number): Promise<void> {
    const { bytesPerOperation, signal } = this.#around;
    const wantedBytes = SEEN_SHARE * operations * Math.max(0, bytesPerOperation ?? 0);
    const before = this.#memory();
    await this.#around.work(operations, 4 * ROUND_MS);
    for (let portions = 1; this.#extraMs > 0 && !signal.aborted; portions++) {
      const beganMs = performance.now();
      await collectGarbage();
      const after = this.#memory();
      const outside = Math.max(after.external - before.external, after.malloc - before.malloc);
      if (after.heap - before.heap + outside >= portions * wantedBytes) return;
      await this.#around.work(operations, 4 * ROUND_MS);
      this.#extraMs -= performance.now() - beganMs;
    }
  }

  #memory(): { heap: number; external: number; malloc: number } {
    const { used_heap_size, external_memory } = getHeapStatistics();
    const malloc = this.#around.capture.readMemory().mallocInUseBytes ?? 0;
    return { heap: used_heap_size, external: external_memory, malloc };
  }

  /** As many as leave ROUND_BYTES behind, if the load manages them in ROUND_MS and the heap has room for them. */
  #operationsOfARound(): number {
    const { bytesPerOperation, operationsPerSecond } = this.#around;
    if (operationsPerSecond === null) return 0;
    const inTime = Math.ceil((operationsPerSecond * ROUND_MS) / 1000);
    if (bytesPerOperation === null || bytesPerOperation <= 0) return Math.max(OPERATIONS_AT_LEAST, inTime);
    const { heap_size_limit, used_heap_size } = getHeapStatistics();
    const affordable = (heap_size_limit - used_heap_size) / (2 * ROUNDS * bytesPerOperation);
    const wanted = Math.max(
      OPERATIONS_WANTED,
      Math.ceil(ROUND_BYTES / bytesPerOperation),
      Math.min((operationsPerSecond * ROUND_MS_WANTED) / 1000, ROUND_BYTES_MAX / bytesPerOperation),
    );
    return Math.floor(Math.max(OPERATIONS_AT_LEAST, Math.min(wanted, inTime, affordable)));
  }

  #startProfiler(operations: number): void {
    const expectedBytes = ROUNDS * operations * (this.#around.bytesPerOperation ?? KIB);
    const { min, max } = SAMPLE_INTERVAL_BYTES;
    const intervalBytes = Math.min(max, Math.max(min, Math.round(expectedBytes / SAMPLES_WANTED)));
    try {
      this.#profiler = new AllocationProfiler({ intervalBytes });
    } catch (error) {
      this.#lacks(`where memory was allocated is not known: ${messageOf(error)}`);
    }
  }

  /** After the last round of all a snapshot is taken in any case. */
  #hasTimeForSnapshot(round: number): boolean {
    const left = ROUNDS - round + 1;
    const fits = this.#lastSnapshotCpuMs * (this.#snapshots + left) <= SNAPSHOTS_CPU_MS;
    if (!fits && !this.#isWithoutSnapshots)
      this.#lacks(
        `the heap snapshot after round ${round} was left out: one takes ${formatDuration(this.#lastSnapshotCpuMs)} of CPU time`,
      );
    return fits;
  }

  #snapshot(): void {
    const { request, operations } = this.#around;
    if (this.#isWithoutSnapshots) return;
    const path = `${request.pathPrefix}-${this.#snapshots + 1}.heapsnapshot`;
    const beganMs = performance.now();
    const cpuBefore = process.cpuUsage();
    try {
      requireRoomForSnapshot({
        pid: process.pid,
        heapUsedBytes: getHeapStatistics().used_heap_size,
        path,
      });
      const sizeBytes = writeSnapshot(path, request.maxSnapshotSizeBytes);
      const tookMs = performance.now() - beganMs;
      this.#event(RecordedEvents.DiagnosisSnapshot, {
        path,
        sizeBytes,
        tookMs,
        operations: operations(),
      } satisfies DiagnosisSnapshot);
      this.#snapshots++;
      const { user, system } = process.cpuUsage(cpuBefore);
      this.#lastSnapshotCpuMs = (user + system) / 1000;
    } catch (error) {
      this.#isWithoutSnapshots = true;
      this.#lacks(`no further heap snapshot after ${this.#snapshots}: ${messageOf(error)}`);
    }
  }

  #read(round: number, edge: DiagnosisReading['edge']): void {
    const heap = getHeapStatistics();
    const spaces = getHeapSpaceStatistics().filter(({ space_name }) => /code/.test(space_name));
    const memory = this.#around.capture.readMemory();
    this.#event(RecordedEvents.DiagnosisReading, {
      round,
      edge,
      operations: this.#around.operations(),
      heapUsedBytes: heap.used_heap_size,
      codeBytes: spaces.reduce((sum, { space_used_size }) => sum + space_used_size, 0),
      externalBytes: heap.external_memory,
      arrayBuffersBytes: process.memoryUsage().arrayBuffers,
      mallocInUseBytes: memory.mallocInUseBytes ?? null,
      stackBytes: memory.stackBytes ?? null,
    } satisfies DiagnosisReading);
  }

  #saveProfile(): void {
    if (this.#profiler === undefined) return;
    const path = `${this.#around.request.pathPrefix}.heapprofile`;
    try {
      const { profile } = this.#profiler.read();
      writeFileSync(path, encodeHeapProfile(profile), { mode: 0o600 });
      const { intervalBytes, startedAtEpochMs, durationMs } = profile;
      this.#event(RecordedEvents.DiagnosisProfile, {
        path,
        intervalBytes,
        startedAtEpochMs,
        durationMs,
      } satisfies DiagnosisProfile);
    } catch (error) {
      this.#lacks(`where memory was allocated is not known: ${messageOf(error)}`);
    }
  }

  #lacks(text: string): void {
    this.#event(RecordedEvents.DiagnosisLack, { text });
  }

  #event(name: string, detail: unknown): void {
    this.#around.capture.event(name, detail);
  }
}

const OWN_ADDONS = /[/\\](core|isolate\.abi\d+)\.node$/;

/** Native addons that are mapped into this process. Empty where the system does not tell. */
function loadedAddons(): string[] {
  try {
    const maps = readFileSync('/proc/self/maps', 'utf8');
    const paths = [...maps.matchAll(/\s(\/.*\.node)$/gm)].map(([, path = '']) => path);
    return [...new Set(paths)].filter((path) => !OWN_ADDONS.test(path));
  } catch {
    return [];
  }
}

/** By the V8 addon, which knows a bound, or by Node itself where it cannot be loaded. */
function writeSnapshot(path: string, bytesMax: number): number {
  try {
    return writeBoundedSnapshot({ path, bytesMax }).sizeBytes;
  } catch (error) {
    if (!(error instanceof CrucibleMemoryError && error.code === 'ADDON_MISSING')) throw error;
    return writeHeapSnapshot({ path });
  }
}
