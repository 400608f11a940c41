import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import { CrucibleMemoryError, messageOf } from '../errors.js';
import { loadIsolate } from '../native.js';
import { encodeHeapProfile } from '../recording/allocation-profile.js';
import { type RecordedAllocationProfile, RecordedEvents } from '../recording/channels.js';
import {
  nearLimitProfilePathOf,
  nearLimitSnapshotPathOf,
  profilePathOf,
} from '../recording/recording-folder.js';
import { MIB } from '../units.js';
import { AllocationProfiler } from './allocation-profiler.js';
import type { Capture } from './capture.js';

/** Beyond that a full collection would hold the end of the program up for half a second and more. */
const COLLECTED_HEAP_MAX_BYTES = 256 * MIB;

export interface AgentEvidenceOptions {
  capture: Capture;
  /** The recording's path; what is saved lies beside it. */
  path: string;
  /** Mean number of allocated bytes between two samples; 0: no profile. */
  allocationIntervalBytes: number;
  /** Also a snapshot before memory runs out. */
  snapshotNearLimit: boolean;
}

/**
 * What is saved of one thread beside the figures: who allocated what lives, at the end of the program and
 * before its memory runs out. What cannot be had is a note in the recording.
 */
export class AgentEvidence {
  readonly #capture: Capture;
  readonly #path: string;
  readonly #intervalBytes: number;
  #profiler: AllocationProfiler | undefined;

  constructor(options: AgentEvidenceOptions) {
    this.#capture = options.capture;
    this.#path = options.path;
    this.#intervalBytes = options.allocationIntervalBytes;
    if (this.#intervalBytes > 0) this.#profiler = this.#startProfiler();
    this.#capture.armMemoryAlarm({
      profilePath: this.#profiler ? nearLimitProfilePathOf(this.#path) : '',
      snapshotPath: options.snapshotNearLimit ? nearLimitSnapshotPathOf(this.#path) : '',
    });
  }

  #startProfiler(): AllocationProfiler | undefined {
    try {
      return new AllocationProfiler({ intervalBytes: this.#intervalBytes });
    } catch (error) {
      // That the addon is missing is in the recording already.
      if (!(error instanceof CrucibleMemoryError && error.code === 'ADDON_MISSING'))
        this.#capture.note(`no allocation profile: ${messageOf(error)}`);
      return undefined;
    }
  }

  /** Writes the profile of what is alive now; afterwards there is no profiler. Before the recording is closed. */
  saveProfile(): void {
    const profiler = this.#profiler;
    if (profiler === undefined) return;
    this.#profiler = undefined;
    try {
      const isCollected = getHeapStatistics().used_heap_size <= COLLECTED_HEAP_MAX_BYTES;
      if (isCollected) loadIsolate().collectGarbage();
      const { profile } = profiler.read();
      const path = profilePathOf(this.#path);
      writeFileSync(path, encodeHeapProfile(profile), { mode: 0o600 });
      this.#capture.event(RecordedEvents.AllocationProfile, {
        file: basename(path),
        samples: profile.samples.length,
        intervalBytes: profile.intervalBytes,
        startedAtEpochMs: profile.startedAtEpochMs,
        durationMs: profile.durationMs,
        isCollected,
      } satisfies RecordedAllocationProfile);
    } catch (error) {
      this.#capture.note(`no allocation profile: ${messageOf(error)}`);
    } finally {
      profiler.stop();
    }
  }
}
