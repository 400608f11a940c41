/**
 * The names of the Crucible memory-testing vocabulary: the services, the
 * scenarios, and the phases every scenario goes through.
 *
 * Every folder may import this file; it imports nothing.
 */

/** The four reference services. A user's own target goes by its own name. */
export const ServiceType = {
  ScriptEngine: 'ScriptEngine',
  InferenceEngine: 'InferenceEngine',
  DataStore: 'DataStore',
  McpGateway: 'McpGateway',
} as const;
export type ServiceType = (typeof ServiceType)[keyof typeof ServiceType];

/** The eight scenarios, in the order in which a full run carries them out. */
export const TestScenario = {
  IdleBaseline: 'IdleBaseline',
  SingleOperation: 'SingleOperation',
  HighFrequencyOperations: 'HighFrequencyOperations',
  LargeDataProcessing: 'LargeDataProcessing',
  ConcurrentOperations: 'ConcurrentOperations',
  LongRunningStability: 'LongRunningStability',
  ResourceExhaustion: 'ResourceExhaustion',
  CleanupValidation: 'CleanupValidation',
} as const;
export type TestScenario = (typeof TestScenario)[keyof typeof TestScenario];

/**
 * What a scenario is doing at a moment; marked in the recording, so that the
 * analysis knows what it looks at.
 *
 * setup    the target starts
 * warm-up  caches, code and pools come into being; not judged
 * load     the scenario's own work; judged
 * drain    no new work; what was begun ends
 * settle   forced full garbage collections; what is live shows
 * diagnosis  more of the same load between heap snapshots, only when live memory has grown
 * teardown the target stops
 * cleanup  waiting for memory to come back to the baseline
 */
export const Phase = {
  Setup: 'setup',
  WarmUp: 'warm-up',
  Load: 'load',
  Drain: 'drain',
  Settle: 'settle',
  Diagnosis: 'diagnosis',
  Teardown: 'teardown',
  Cleanup: 'cleanup',
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

export const SERVICE_TYPES = Object.values(ServiceType);
export const TEST_SCENARIOS = Object.values(TestScenario);
export const PHASES = Object.values(Phase);
