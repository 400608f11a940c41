import { TestScenario } from '../vocabulary.js';
import { cleanupValidation } from './cleanup-validation.js';
import { concurrentOperations } from './concurrent-operations.js';
import { highFrequencyOperations } from './high-frequency-operations.js';
import { idleBaseline } from './idle-baseline.js';
import { largeDataProcessing } from './large-data-processing.js';
import { longRunningStability } from './long-running-stability.js';
import { resourceExhaustion } from './resource-exhaustion.js';
import type { Scenario } from './scenario.js';
import { singleOperation } from './single-operation.js';

/** A fresh instance: some scenarios remember what they saw while warming up. */
export function scenarioNamed(name: TestScenario): Scenario {
  return SCENARIOS[name]();
}

const SCENARIOS: Record<TestScenario, () => Scenario> = {
  [TestScenario.IdleBaseline]: () => idleBaseline,
  [TestScenario.SingleOperation]: () => singleOperation,
  [TestScenario.HighFrequencyOperations]: () => highFrequencyOperations,
  [TestScenario.LargeDataProcessing]: largeDataProcessing,
  [TestScenario.ConcurrentOperations]: () => concurrentOperations,
  [TestScenario.LongRunningStability]: () => longRunningStability,
  [TestScenario.ResourceExhaustion]: () => resourceExhaustion,
  [TestScenario.CleanupValidation]: cleanupValidation,
};

export { runCourse } from './course.js';
export { type LoadPlan, type LoadSurroundings, runLoad } from './load.js';
export type { LatencySummary, LoadOutcome } from './load-ledger.js';
export type { FloorPoint, Scenario, ScenarioContext, ScenarioSettings } from './scenario.js';
export type { OperationOptions, OperationResult, Target, TargetMetrics } from './target.js';
