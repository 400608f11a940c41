import { MIB } from '../units.js';
import type { MemoryTestConfigInput } from './schema.js';

/**
 * Ready-made overlays on the schema's defaults. A profile says how long and
 * how hard; a file, the environment and flags may change each of its settings.
 */
export interface Profile {
  /** One line for a person who chooses. */
  description: string;
  overlay: MemoryTestConfigInput;
}

/** A service that is allowed less memory has to refuse sooner: it cannot survive every allocation that fails. */
function limitedTo(payloadBytes: number): NonNullable<MemoryTestConfigInput['services']> {
  return {
    scriptEngine: { maxSourceBytes: payloadBytes },
    inferenceEngine: { maxBatchBytes: payloadBytes },
    dataStore: { maxRowBytes: payloadBytes },
  };
}

const HOUR_SECONDS = 3600;

export const PROFILES = {
  smoke: {
    description:
      'every scenario for seconds, 32 tests in at most 5 minutes: shows gross leaks and broken set-ups',
    overlay: {
      testDurations: {
        shortTestSeconds: 3,
        mediumTestSeconds: 5,
        longTestSeconds: 8,
        measurementIntervalMs: 250,
        warmUpSeconds: 1,
        drainSeconds: 0.3,
        operationTimeoutSeconds: 15,
      },
      thresholds: {
        maxBaselineMemoryBytes: 256 * MIB,
        leakThresholdBytes: 2 * MIB,
        cleanupTimeoutSeconds: 10,
      },
      loadTesting: {
        concurrentOperations: 50,
        operationsPerSecond: 500,
        largeDataSizeBytes: 16 * MIB,
        maxPayloadSizeBytes: 4 * MIB,
        exhaustionMemoryLimitBytes: 192 * MIB,
      },
      services: limitedTo(16 * MIB),
      leakDetection: { samplingIntervalMs: 200 },
      sampling: { detailIntervalMs: 500 },
    },
  },
  ci: {
    description: 'for every merge request, 32 tests in about 20 minutes: long enough to judge most leaks',
    overlay: {
      testDurations: {
        shortTestSeconds: 20,
        mediumTestSeconds: 40,
        longTestSeconds: 60,
        measurementIntervalMs: 500,
        warmUpSeconds: 3,
        drainSeconds: 1,
        operationTimeoutSeconds: 30,
      },
      thresholds: {
        maxBaselineMemoryBytes: 256 * MIB,
        leakThresholdBytes: 4 * MIB,
        cleanupTimeoutSeconds: 20,
      },
      loadTesting: {
        concurrentOperations: 100,
        operationsPerSecond: 1000,
        largeDataSizeBytes: 32 * MIB,
        maxPayloadSizeBytes: 8 * MIB,
        exhaustionMemoryLimitBytes: 256 * MIB,
      },
      services: limitedTo(32 * MIB),
    },
  },
  standard: {
    description:
      "the vocabulary's own figures: 5 minutes, 1 hour and 8 hours of load; a night, a service at a time",
    overlay: {},
  },
  soak: {
    description:
      'a day of load in the long-running scenario, less when it clearly leaks; meant for --scenario LongRunningStability',
    overlay: {
      // Only what a soak needs: a day instead of a shift, time for caches to
      // fill, and a pace of sampling that keeps a day's recording readable.
      testDurations: {
        longTestSeconds: 24 * HOUR_SECONDS,
        warmUpSeconds: 300,
        stopEarly: 'leak',
        measurementIntervalMs: 10_000,
      },
      leakDetection: { samplingIntervalMs: 10_000 },
      sampling: { rateHz: 100, detailIntervalMs: 10_000 },
    },
  },
} as const satisfies Record<string, Profile>;

export type ProfileName = keyof typeof PROFILES;

export const PROFILE_NAMES = Object.keys(PROFILES) as ProfileName[];

/** What the command line runs when nobody chooses. */
export const DEFAULT_PROFILE: ProfileName = 'smoke';
