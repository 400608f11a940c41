import type { MemoryTestConfig } from '../config/schema.js';
import { CrucibleMemoryError } from '../errors.js';
import { suggestion } from '../nearest-name.js';
import { MIB } from '../units.js';

type Change = (config: MemoryTestConfig, value: number) => void;

const setPayload: Change = (config, bytes) => {
  config.loadTesting.largeDataSizeBytes = bytes;
};
const setOperations: Change = (config, operations) => {
  config.loadTesting.maxOperations = operations;
};

/** What runTestScenario() may be given for one test, and what it changes. */
const CHANGES: Record<string, Change> = {
  payloadSizeBytes: setPayload,
  payloadSizeMb: (config, megabytes) => setPayload(config, megabytes * MIB),
  payload_size_mb: (config, megabytes) => setPayload(config, megabytes * MIB),
  iterations: setOperations,
  operations: setOperations,
  concurrency: (config, concurrency) => {
    config.loadTesting.concurrentOperations = concurrency;
  },
  operationsPerSecond: (config, rate) => {
    config.loadTesting.operationsPerSecond = rate;
  },
  durationSeconds: (config, seconds) => {
    config.testDurations.shortTestSeconds = seconds;
    config.testDurations.mediumTestSeconds = seconds;
    config.testDurations.longTestSeconds = seconds;
  },
};

/** A copy of the configuration with the test data in it. Throws CONFIG_INVALID. */
export function withTestData(config: MemoryTestConfig, testData: Record<string, unknown>): MemoryTestConfig {
  const changed = structuredClone(config);
  for (const [name, value] of Object.entries(testData)) {
    const change = CHANGES[name];
    if (change === undefined) {
      throw new CrucibleMemoryError('CONFIG_INVALID', {
        what: `test data has no field "${name}"`,
        why: suggestion(name, Object.keys(CHANGES)),
        fix: `use ${Object.keys(CHANGES).join(', ')}`,
      });
    }
    if (typeof value !== 'number' || !(value > 0)) {
      throw new CrucibleMemoryError('CONFIG_INVALID', {
        what: `test data "${name}" is ${JSON.stringify(value)}`,
        why: 'a number above 0 is needed',
        fix: `give ${name} as a number`,
      });
    }
    change(changed, value);
  }
  return changed;
}
