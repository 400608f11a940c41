import { z } from 'zod';
import { MemoryStatisticsSchema, PerformanceMetricsSchema } from './figures.js';
import { LeakDetectionResultSchema, LeakVerdict } from './leak.js';
import { MemoryMeasurementSchema } from './measurement.js';
import { ThresholdViolationSchema } from './violation.js';

/** Where payloads that grow without end were stopped, and whether the target came through. */
export const ExhaustionOutcomeSchema = z.object({
  memoryLimitBytes: z
    .number()
    .nullable()
    .describe('memory the process was allowed beyond its start; null: no limit here'),
  largestPayloadBytes: z.number().nullable().describe('largest payload that was processed'),
  refusedPayloadBytes: z.number().nullable().describe('the payload that was not; null: none was refused'),
  ending: z.enum(['refused', 'crashed', 'limit-not-reached']),
  reason: z.string().nullable().describe('the error that ended it'),
  recovered: z.boolean().describe('an ordinary operation succeeded afterwards'),
});
export type ExhaustionOutcome = z.infer<typeof ExhaustionOutcomeSchema>;

/** How memory came back after the target was stopped. */
export const CleanupOutcomeSchema = z.object({
  baselineLiveBytes: z.number().describe('live bytes before the target was started'),
  peakLiveBytes: z.number().describe('highest live bytes under load'),
  finalLiveBytes: z.number().describe('live bytes after the target was stopped'),
  efficiency: z.number().min(0).max(1),
  returnedToBaseline: z.boolean(),
  seconds: z.number().nonnegative().describe('time it took, or that was waited'),
});
export type CleanupOutcome = z.infer<typeof CleanupOutcomeSchema>;

/** How large the payload of the large operations was, beside what was asked for. */
export const LargePayloadSchema = z.object({
  wantedBytes: z.number().describe('loadTesting.largeDataSizeBytes'),
  payloadBytes: z.number().describe('the largest that the target accepted'),
  refusal: z.string().nullable().describe('why not more; null: nothing was refused'),
});
export type LargePayload = z.infer<typeof LargePayloadSchema>;

/** Why a test could not be carried out. */
export const TestFailureSchema = z.object({
  code: z.string(),
  reason: z.string(),
  phase: z.string().nullable().describe('the phase in which it happened'),
  exitCode: z.number().int().nullable(),
  signal: z.string().nullable(),
  stderr: z.string().optional().describe('the end of what the process wrote to standard error'),
});
export type TestFailure = z.infer<typeof TestFailureSchema>;

/** A load that was ended before its time, because what it had to show was shown. */
export const StoppedEarlySchema = z.object({
  afterSeconds: z.number().nonnegative().describe('how long the load lasted'),
  plannedSeconds: z.number().positive(),
  verdict: LeakVerdict.describe('what was known then'),
  reason: z.string(),
});
export type StoppedEarly = z.infer<typeof StoppedEarlySchema>;

/** What the measuring itself did and cost. */
export const SamplingReportSchema = z.object({
  requestedRateHz: z.number().positive(),
  reachedRateHz: z.number().nonnegative().describe('RSS samples per second over the load phase'),
  samples: z.number().int().nonnegative().describe('RSS samples in the recording'),
  missedTicks: z.number().int().nonnegative(),
  droppedSamples: z.number().int().nonnegative().describe('samples that could not be written'),
  samplerCpuShare: z
    .number()
    .nonnegative()
    .nullable()
    .describe('CPU of the sampler thread, share of one core'),
  problems: z.array(z.string()).describe('what a reader of the recording should know'),
});
export type SamplingReport = z.infer<typeof SamplingReportSchema>;

/**
 * passed    carried out, nothing found (an inconclusive verdict included: see leakDetection)
 * violated  carried out, and a leak or another threshold violation was found
 * failed    could not be carried out; `failure` says why
 */
export const TestStatus = z.enum(['passed', 'violated', 'failed']);
export type TestStatus = z.infer<typeof TestStatus>;

/** One service (or target) in one scenario. */
export const MemoryTestResultSchema = z.object({
  testId: z.string().describe('unique within the run, stable between runs: target/scenario'),
  serviceType: z.string().describe("a ServiceType, or the name of a user's target"),
  scenario: z.string().describe('a TestScenario'),
  injectedFault: z
    .string()
    .optional()
    .describe('the leak that was switched on in the service on purpose; absent: none was'),
  status: TestStatus,
  failure: TestFailureSchema.optional(),
  startTime: z.iso.datetime(),
  endTime: z.iso.datetime(),
  durationMs: z.number().nonnegative(),
  measurements: z.array(MemoryMeasurementSchema),
  memoryStats: MemoryStatisticsSchema,
  leakDetection: LeakDetectionResultSchema,
  performanceMetrics: PerformanceMetricsSchema,
  exhaustion: ExhaustionOutcomeSchema.optional(),
  cleanup: CleanupOutcomeSchema.optional(),
  largePayload: LargePayloadSchema.optional(),
  stoppedEarly: StoppedEarlySchema.optional(),
  thresholdViolations: z.array(ThresholdViolationSchema),
  recommendations: z.array(z.string()),
  sampling: SamplingReportSchema.nullable(),
  recording: z
    .string()
    .nullable()
    .describe('path of the recording, relative to the exported file if it is there'),
});
export type MemoryTestResult = z.infer<typeof MemoryTestResultSchema>;

/** Enough about the machine and the versions to repeat a result. */
export const EnvironmentSchema = z.object({
  toolVersion: z.string(),
  nodeVersion: z.string(),
  v8Version: z.string(),
  platform: z.string(),
  arch: z.string(),
  osRelease: z.string(),
  libc: z.string().nullable(),
  cpuModel: z.string(),
  cpuCount: z.number().int().positive(),
  totalMemoryBytes: z.number().positive(),
  memoryLimitBytes: z.number().positive().nullable().describe('of the container, if there is one'),
  loadAverage: z.number().nullable().describe('one-minute load when the run began'),
  dependencies: z.record(z.string(), z.string()).describe('versions of what the services are made of'),
});
export type Environment = z.infer<typeof EnvironmentSchema>;

/** What `run --format json` prints and exportResults() writes. */
export const RunReportSchema = z.object({
  schemaVersion: z.literal(1),
  tool: z.literal('crucible-memory'),
  startTime: z.iso.datetime(),
  endTime: z.iso.datetime(),
  profile: z.string(),
  interrupted: z.boolean(),
  environment: EnvironmentSchema,
  config: z.record(z.string(), z.unknown()).describe('the whole configuration, secrets removed'),
  summary: z.object({
    tests: z.number().int(),
    passed: z.number().int(),
    violated: z.number().int(),
    failed: z.number().int(),
    leaks: z.number().int(),
    inconclusive: z.number().int(),
    notRun: z.number().int().describe('planned and not carried out because the run was interrupted'),
  }),
  results: z.array(MemoryTestResultSchema),
});
export type RunReport = z.infer<typeof RunReportSchema>;
