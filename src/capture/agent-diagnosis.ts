import { writeFileSync } from 'node:fs';
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import { messageOf } from '../errors.js';
import { loadIsolate } from '../native.js';
import { encodeHeapProfile } from '../recording/allocation-profile.js';
import { RecordedEvents } from '../recording/channels.js';
import type { DiagnosisProfile, DiagnosisReading, DiagnosisSnapshot } from '../recording/diagnosis-record.js';
import { writeAgentSnapshot } from './agent-snapshot.js';
import { AllocationProfiler } from './allocation-profiler.js';
import type { Capture } from './capture.js';
import { requireRoomForSnapshot } from './head-room.js';

/** Cheap at any rate of allocation, and a few hundred samples of a leak that is worth a look. */
const INTERVAL_BYTES = 16 * 1024;

/**
 * A diagnosis of a program that goes on with its work: a heap snapshot at each step, memory right after it,
 * and from the first step on what was allocated and is still alive.
 *
 * What is read is live: V8 collects fully before a snapshot, and what that left behind is collected as well. Native
 * memory is not told: V8's own table of what it has seen in snapshots is part of it.
 */
export class AgentDiagnosis {
  readonly #capture: Capture;
  readonly #operations: () => number;
  readonly #pathPrefix: string;
  readonly #beforeProfiling: () => void;
  #profiler: AllocationProfiler | undefined;
  #steps = 0;

  constructor(options: {
    capture: Capture;
    operations: () => number;
    recordingPath: string;
    /** Whoever profiles allocations until now has to stop. */
    beforeProfiling: () => void;
  }) {
    this.#capture = options.capture;
    this.#operations = options.operations;
    this.#beforeProfiling = options.beforeProfiling;
    this.#pathPrefix = options.recordingPath.replace(/\.cmrec$/, '');
  }

  /**
   * Blocks until the snapshot is written.
   * @returns the size of its file, bytes
   * @throws CrucibleMemoryError MEMORY_TOO_LITTLE, OUTPUT_UNWRITABLE; the recording says so too
   */
  step(): number {
    try {
      return this.#step();
    } catch (error) {
      this.#capture.event(RecordedEvents.DiagnosisLack, {
        text: `no further heap snapshot after ${this.#steps}: ${messageOf(error)}`,
      });
      throw error;
    }
  }

  #step(): number {
    const path = `${this.#pathPrefix}-${this.#steps + 1}.heapsnapshot`;
    requireRoomForSnapshot({ pid: process.pid, heapUsedBytes: getHeapStatistics().used_heap_size, path });
    const beganMs = performance.now();
    const { sizeBytes } = writeAgentSnapshot(path);
    const tookMs = performance.now() - beganMs;
    const operations = this.#operations();
    const snapshot: DiagnosisSnapshot = { path, sizeBytes, tookMs, operations };
    this.#capture.event(RecordedEvents.DiagnosisSnapshot, snapshot);
    if (this.#steps > 0) this.#saveProfile();
    else this.#startProfiler();
    collectWhatSnapshotsLeave();
    if (this.#steps > 0) this.#read(this.#steps, 'end', operations);
    this.#steps++;
    this.#read(this.#steps, 'begin', operations);
    return sizeBytes;
  }

  #read(round: number, edge: DiagnosisReading['edge'], operations: number): void {
    const heap = getHeapStatistics();
    const code = getHeapSpaceStatistics().filter(({ space_name }) => /code/.test(space_name));
    const reading: DiagnosisReading = {
      round,
      edge,
      operations,
      heapUsedBytes: heap.used_heap_size,
      codeBytes: code.reduce((sum, { space_used_size }) => sum + space_used_size, 0),
      externalBytes: heap.external_memory,
      arrayBuffersBytes: process.memoryUsage().arrayBuffers,
      mallocInUseBytes: null,
      stackBytes: null,
    };
    this.#capture.event(RecordedEvents.DiagnosisReading, reading);
  }

  #startProfiler(): void {
    try {
      this.#beforeProfiling();
      this.#profiler = new AllocationProfiler({ intervalBytes: INTERVAL_BYTES });
    } catch (error) {
      this.#capture.event(RecordedEvents.DiagnosisLack, {
        text: `where memory was allocated is not known: ${messageOf(error)}`,
      });
    }
  }

  /** After each step anew: nobody knows which one is the last. */
  #saveProfile(): void {
    if (this.#profiler === undefined) return;
    const path = `${this.#pathPrefix}-diagnosis.heapprofile`;
    const { profile } = this.#profiler.read();
    writeFileSync(path, encodeHeapProfile(profile), { mode: 0o600 });
    const { intervalBytes, startedAtEpochMs, durationMs } = profile;
    const saved: DiagnosisProfile = { path, intervalBytes, startedAtEpochMs, durationMs };
    this.#capture.event(RecordedEvents.DiagnosisProfile, saved);
  }
}

/** Line tables, the text of the profile. Without the addon they count: some hundred KB. */
function collectWhatSnapshotsLeave(): void {
  try {
    loadIsolate().collectGarbage();
  } catch {
    // Snapshots are then written by Node itself, which is no reason to go without.
  }
}
