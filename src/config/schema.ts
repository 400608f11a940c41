import { z } from 'zod';
import { GIB, MIB } from '../units.js';

/**
 * MemoryTestConfig: every field of the Crucible vocabulary with its default,
 * and what this tool adds. Unknown keys are errors, so that a misspelt one
 * cannot silently do nothing.
 */

const seconds = (value: number) => z.number().positive().default(value);
const bytes = (value: number) => z.number().int().positive().default(value);

const TestDurationsSchema = z
  .strictObject({
    shortTestSeconds: seconds(300).describe('load of the basic scenarios'),
    mediumTestSeconds: seconds(3600).describe('load of the high-frequency and concurrent scenarios'),
    longTestSeconds: seconds(28_800).describe('load of the long-running scenario'),
    measurementIntervalMs: z
      .number()
      .positive()
      .default(1000)
      .describe('time between two MemoryMeasurements, milliseconds'),
    warmUpSeconds: seconds(30).describe('work before the load that is not judged'),
    stopEarly: z
      .enum(['no', 'leak', 'any'])
      .default('no')
      .describe(
        'end a load before its time: leak: when it has clearly leaked; any: also when half of it shows that nothing can leak enough any more, which misses leaks that begin later',
      ),
    drainSeconds: seconds(10).describe('rest after the load has ended, before the closing collections'),
    operationTimeoutSeconds: seconds(60).describe(
      'an operation that takes longer makes the test fail; twice this without a sign of life and the process is killed',
    ),
  })
  .prefault({});

const ThresholdsSchema = z
  .strictObject({
    maxBaselineMemoryBytes: bytes(100 * MIB).describe('RSS of the started target at rest'),
    maxMemoryGrowthRate: z
      .number()
      .positive()
      .default(MIB)
      .describe('growth of the live floor, bytes per second'),
    maxMemoryPerOperation: z
      .number()
      .positive()
      .default(10 * MIB)
      .describe('rise of RSS under load per operation, bytes'),
    leakThresholdBytes: bytes(5 * MIB).describe(
      'growth of the live floor over the load that counts as a leak',
    ),
    cleanupTimeoutSeconds: seconds(60).describe('time for memory to come back after the target was stopped'),
  })
  .prefault({});

const LoadTestingSchema = z
  .strictObject({
    concurrentOperations: z.number().int().positive().default(100),
    operationsPerSecond: z.number().positive().default(1000),
    largeDataSizeBytes: bytes(100 * MIB).describe('payload of the large-data scenario'),
    maxPayloadSizeBytes: bytes(10 * MIB).describe(
      'largest payload of ordinary operations; of the vocabulary, read by no scenario yet',
    ),
    exhaustionMemoryLimitBytes: bytes(512 * MIB).describe(
      'memory that the process may take beyond its start in the exhaustion scenario',
    ),
    maxOperations: z.number().int().positive().optional().describe('ends the load after so many operations'),
  })
  .prefault({});

const LeakDetectionSchema = z
  .strictObject({
    enabled: z.boolean().default(true),
    samplingIntervalMs: z
      .number()
      .positive()
      .default(500)
      .describe('shortest time between two forced full collections under load, milliseconds'),
    minSamples: z
      .number()
      .int()
      .min(3)
      .default(10)
      .describe('floor points below which the verdict is inconclusive'),
    expectedGrowthBytes: bytes(64 * MIB).describe(
      'what caches, pools and warm-up may keep: only growth beyond it ends a test early as a leak',
    ),
    significanceThreshold: z.number().gt(0.5).lt(1).default(0.95),
    enablePatternAnalysis: z.boolean().default(true),
    diagnose: z
      .boolean()
      .default(true)
      .describe(
        'after a load that leaked, look for the cause: a few more seconds of it, with heap snapshots',
      ),
    maxSnapshotSizeBytes: bytes(GIB).describe('a heap snapshot that would be larger is not taken'),
  })
  .prefault({});

const ReportingSchema = z
  .strictObject({
    detailedLogging: z
      .boolean()
      .default(true)
      .describe('show what the target writes to its standard streams'),
    exportToFile: z.boolean().default(true),
    generateCharts: z.boolean().default(true).describe('an SVG of memory over time beside each recording'),
    enableAlerts: z.boolean().default(true).describe('say a violation the moment it is found'),
    outputDirectory: z.string().min(1).default('crucible-memory-results'),
  })
  .prefault({});

const SamplingSchema = z
  .strictObject({
    rateHz: z.number().positive().max(10_000).default(1000).describe('RSS samples per second'),
    detailIntervalMs: z
      .number()
      .positive()
      .default(1000)
      .describe('time between two readings of PSS, the memory map and the allocator, milliseconds'),
  })
  .prefault({});

const ServicesSchema = z
  .strictObject({
    scriptEngine: z
      .strictObject({
        cacheBudgetBytes: bytes(4 * MIB).describe('compiled scripts kept'),
        maxContexts: z.number().int().positive().default(64).describe('contexts alive at once; more wait'),
        executionTimeoutMs: z.number().positive().default(5000),
        maxSourceBytes: bytes(64 * MIB).describe('a larger script is refused'),
      })
      .prefault({}),
    inferenceEngine: z
      .strictObject({
        modelPath: z.string().min(1).optional().describe('an ONNX model instead of the one that comes along'),
        maxLoadedModels: z.number().int().positive().default(2),
        maxBatchBytes: bytes(64 * MIB).describe('a larger batch is refused'),
        baseURL: z.url().optional().describe('an OpenAI-compatible endpoint instead of the embedded one'),
        apiKey: z.string().min(1).optional(),
        model: z.string().min(1).default('gpt-4o-mini').describe('model name sent to the endpoint'),
        maxConnections: z.number().int().positive().default(16),
      })
      .prefault({}),
    dataStore: z
      .strictObject({
        postgresUrl: z.string().min(1).optional().describe('PostgreSQL instead of SQLite on disk'),
        directory: z
          .string()
          .min(1)
          .optional()
          .describe('where SQLite keeps its files; default: a temporary one'),
        cacheBudgetBytes: bytes(4 * MIB).describe('query results kept'),
        maxConnections: z.number().int().positive().default(8),
        maxRowBytes: bytes(64 * MIB).describe('a larger value is refused'),
      })
      .prefault({}),
    mcpGateway: z
      .strictObject({
        transport: z.enum(['http', 'memory']).default('http'),
        maxSessions: z.number().int().positive().default(128),
        sessionIdleTimeoutMs: z.number().positive().default(30_000),
        maxMessageBytes: bytes(4 * MIB).describe('a larger protocol message is refused'),
      })
      .prefault({}),
  })
  .prefault({});

export const MemoryTestConfigSchema = z.strictObject({
  testDurations: TestDurationsSchema,
  thresholds: ThresholdsSchema,
  loadTesting: LoadTestingSchema,
  leakDetection: LeakDetectionSchema,
  reporting: ReportingSchema,
  sampling: SamplingSchema,
  services: ServicesSchema,
});

/** Complete and checked. */
export type MemoryTestConfig = z.infer<typeof MemoryTestConfigSchema>;
/** As a person writes it: everything may be left out. */
export type MemoryTestConfigInput = z.input<typeof MemoryTestConfigSchema>;
