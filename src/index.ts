/**
 * The public API. `crucible-memory/refcount` is separate, so that a service
 * which counts its references loads nothing else.
 */
export { type Analysis, analyzeFile, analyzePrometheus, Fleet, type FleetConclusion } from './analyze.js';
export { type ComparedBuilds, compareRecordings } from './compare.js';
export {
  allSettings,
  ConfigError,
  type ConfigFile,
  type ConfigProblem,
  defineConfig,
  type LoadConfigOptions,
  type LoadedConfig,
  loadConfig,
  type MemoryTestConfig,
  type MemoryTestConfigInput,
  MemoryTestConfigSchema,
  PROFILES,
  type ProfileName,
} from './config/index.js';
export { falseDiscoveryRates } from './detect/false-discovery.js';
export { judgeProcess, judgeProcessSoFar } from './detect/process-judge.js';
export { type Look, SequentialJudge, type SequentialPlan, type SoFar } from './detect/sequential-judge.js';
export * from './diagnosis/index.js';
export { CrucibleMemoryError, type ErrorCode, type ErrorParts } from './errors.js';
export { type Recording, readRecording } from './recording/index.js';
export type { FloorPoints, ProcessSeries, ProcessSignals } from './recording/process-series.js';
export type { PrometheusRequest } from './recording/series-prometheus.js';
export {
  type HeapTextOptions,
  heapToJson,
  memoryChart,
  readReport,
  renderHeapDiff,
  renderHeapDiffMarkdown,
  renderHeapNode,
  renderHeapOverview,
  renderText,
  reportJsonSchema,
  reportToJson,
  sparkline,
  type TextOptions,
  writeReport,
} from './report/index.js';
export { type InterleavedOptions, type InterleavedRecordings, runInterleaved } from './runner/interleaved.js';
export { MemoryTestRunner, type RunnerOptions } from './runner/memory-test-runner.js';
export type { PlannedTest, RunnerEvents, TestProgress } from './runner/progress.js';
export type { OperationOptions, OperationResult, Target, TargetMetrics } from './scenarios/target.js';
export * from './snapshot/index.js';
export { Phase, ServiceType, TestScenario } from './vocabulary.js';
