import { z } from 'zod';
import { ExplanationSchema, LeakPatternType, LeakVerdict } from './leak.js';

const interval = z.tuple([z.number(), z.number()]).describe('95 % confidence interval');

/** One test of each build, one right after the other. */
export const ComparedRoundSchema = z.object({
  base: z.string().nullable().describe('recording of the known build; null: it was not kept'),
  head: z.string().nullable().describe('recording of the new one'),
  bytesPerOperation: z.number().nullable().describe('how much more the new one keeps of every operation'),
  bytesPerSecond: z.number(),
});
export type ComparedRound = z.infer<typeof ComparedRoundSchema>;

/** Whether a new build leaks more than a known one under the same load. */
export const ComparisonResultSchema = z.object({
  scenario: z.string().describe('of the tests that were compared'),
  verdict: LeakVerdict.describe('leak: the new build keeps more and more that the known one does not'),
  leakDetected: z.boolean(),
  confidence: z
    .number()
    .min(0)
    .max(1)
    .describe('in the verdict; of an inconclusive one: that there is no leak'),
  signal: z.string().nullable().describe('the channel whose difference was judged'),
  bytesPerOperation: z.number().nullable().describe('difference of the growth, bytes per operation'),
  bytesPerOperationInterval: interval.nullable(),
  leakRate: z.number().nullable().describe('difference of the growth, bytes per second'),
  leakRateInterval: interval.nullable(),
  levelBytes: z.number().nullable().describe('what the new one keeps more from the start, bytes'),
  patternType: LeakPatternType.optional(),
  explanation: z.string(),
  winningExplanation: ExplanationSchema.optional(),
  runnerUpExplanation: ExplanationSchema.optional(),
  detectableGrowthBytes: z.number().nonnegative().optional(),
  remedy: z.string().optional(),
  rounds: z.array(ComparedRoundSchema),
});
export type ComparisonResult = z.infer<typeof ComparisonResultSchema>;
