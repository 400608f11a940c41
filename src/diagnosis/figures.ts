import { z } from 'zod';

/** Memory over the load phase. `null`: the recording does not hold what the figure needs. */
export const MemoryStatisticsSchema = z.object({
  baselineMemoryBytes: z.number().nullable().describe('median RSS after warm-up, before the load'),
  peakMemoryBytes: z.number().nullable().describe('highest RSS of the load phase'),
  averageMemoryBytes: z.number().nullable().describe('time-weighted mean RSS of the load phase'),
  memoryGrowthRate: z
    .number()
    .nullable()
    .describe('slope of the live floor after full garbage collections, bytes per second'),
  memoryVolatility: z
    .number()
    .nullable()
    .describe('standard deviation of RSS over its mean, load phase, 0 to 1'),
  cleanupEfficiency: z
    .number()
    .min(0)
    .max(1)
    .nullable()
    .describe('share of the rise of live memory above the baseline that was given back in the end'),
  memoryPerOperation: z
    .number()
    .nullable()
    .describe('(peak RSS - baseline RSS) / operations of the load phase, bytes'),
});
export type MemoryStatistics = z.infer<typeof MemoryStatisticsSchema>;

const share = (description: string) => z.number().min(0).nullable().describe(description);

export const ResourceUtilizationSchema = z.object({
  cpuUtilization: share('CPU time of the process over the load phase, in cores (1 = one core)'),
  memoryUtilization: share('peak RSS over the memory that the process may use'),
  connectionUtilization: share('highest open over maximum connections; null without connections'),
  cacheHitRate: share('hits over look-ups in the load phase; null without a cache'),
});
export type ResourceUtilization = z.infer<typeof ResourceUtilizationSchema>;

/** How the target performed in the load phase. Latencies count from the intended start of an operation. */
export const PerformanceMetricsSchema = z.object({
  operations: z.number().int().nonnegative().describe('operations completed in the load phase'),
  failedOperations: z.number().int().nonnegative(),
  operationsPerSecond: z.number().nonnegative().nullable().describe('the rate that was reached'),
  targetOperationsPerSecond: z
    .number()
    .positive()
    .nullable()
    .describe('the rate that was asked for; null: as fast as it goes'),
  averageResponseTimeMs: z.number().nonnegative().nullable(),
  p50ResponseTimeMs: z.number().nonnegative().nullable(),
  p95ResponseTimeMs: z.number().nonnegative().nullable(),
  p99ResponseTimeMs: z.number().nonnegative().nullable(),
  maxResponseTimeMs: z.number().nonnegative().nullable(),
  errorRate: z.number().min(0).max(1).nullable(),
  throughput: z.number().nonnegative().nullable().describe('payload bytes per second, as reported'),
  resourceUtilization: ResourceUtilizationSchema,
});
export type PerformanceMetrics = z.infer<typeof PerformanceMetricsSchema>;
