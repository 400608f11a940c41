import type { MemoryTestConfig } from '../config/schema.js';
import type { JudgeSettings } from '../diagnose.js';
import { type ScenarioSettings, scenarioNamed } from '../scenarios/index.js';
import { TestScenario } from '../vocabulary.js';

/** A floor point at most this often: a hundred over the load are plenty. */
const FLOORS_PER_LOAD = 100;
/** Starting Node, the target, and the collections at the seams; for the estimate only. */
const OVERHEAD_MS = 2500;

/** The settings of one scenario, from the whole configuration. */
export function scenarioSettings(scenario: TestScenario, config: MemoryTestConfig): ScenarioSettings {
  const { testDurations, loadTesting, leakDetection, thresholds } = config;
  const loadSeconds = {
    short: testDurations.shortTestSeconds,
    medium: testDurations.mediumTestSeconds,
    long: testDurations.longTestSeconds,
  }[scenarioNamed(scenario).length];
  const loadMs = loadSeconds * 1000;
  return {
    loadMs,
    warmUpMs: testDurations.warmUpSeconds * 1000,
    drainMs: testDurations.drainSeconds * 1000,
    cleanupTimeoutMs: thresholds.cleanupTimeoutSeconds * 1000,
    operationTimeoutMs: testDurations.operationTimeoutSeconds * 1000,
    floorIntervalMs: Math.max(leakDetection.samplingIntervalMs, loadMs / FLOORS_PER_LOAD),
    ...(testDurations.stopEarly !== 'no' && { firstFloorIntervalMs: leakDetection.samplingIntervalMs }),
    concurrentOperations: loadTesting.concurrentOperations,
    operationsPerSecond: loadTesting.operationsPerSecond,
    largeDataSizeBytes: loadTesting.largeDataSizeBytes,
    exhaustionMemoryLimitBytes: loadTesting.exhaustionMemoryLimitBytes,
    maxOperations: loadTesting.maxOperations,
  };
}

/** What the judge needs of the configuration. Null: leak detection is switched off. */
export function judgeSettings({ leakDetection, thresholds }: MemoryTestConfig): JudgeSettings | null {
  if (!leakDetection.enabled) return null;
  return { ...leakDetection, leakThresholdBytes: thresholds.leakThresholdBytes };
}

/** How long a test should take, milliseconds. */
export function plannedDurationMs(scenario: TestScenario, settings: ScenarioSettings): number {
  const lives = scenario === TestScenario.CleanupValidation ? 1.5 : 1;
  return settings.loadMs + lives * settings.warmUpMs + settings.drainMs + OVERHEAD_MS;
}
