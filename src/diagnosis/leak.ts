import { z } from 'zod';
import { LedgerSchema, SuspectSchema } from './suspect.js';

export const LeakVerdict = z.enum(['leak', 'no-leak', 'inconclusive']);
export type LeakVerdict = z.infer<typeof LeakVerdict>;

export const LeakPatternType = z.enum(['linear', 'exponential', 'stepped', 'sporadic', 'cyclic']);
export type LeakPatternType = z.infer<typeof LeakPatternType>;

export const GrowthCharacteristicsSchema = z.object({
  rate: z.number().describe('growth, bytes per second'),
  acceleration: z.number().describe('change of the rate, bytes per second per second'),
  consistency: z.number().min(0).max(1).describe('share of the variance that steady growth explains'),
});
export type GrowthCharacteristics = z.infer<typeof GrowthCharacteristicsSchema>;

export const TimePatternSchema = z.object({
  periodMs: z.number().positive(),
  amplitudeBytes: z.number().nonnegative(),
  phaseMs: z.number(),
});
export type TimePattern = z.infer<typeof TimePatternSchema>;

export const LeakPatternAnalysisSchema = z.object({
  patternType: LeakPatternType,
  growthCharacteristics: GrowthCharacteristicsSchema,
  operationCorrelation: z
    .number()
    .min(-1)
    .max(1)
    .optional()
    .describe('correlation of the floor with the operations done; absent when no operations were counted'),
  timePatterns: z.array(TimePatternSchema),
});
export type LeakPatternAnalysis = z.infer<typeof LeakPatternAnalysisSchema>;

export const ExplanationSchema = z.object({
  name: z.string().describe('which of the competing explanations, as one word'),
  words: z.string().describe('the same for a reader'),
  probability: z.number().min(0).max(1).describe('among all explanations that were tried'),
});
export type Explanation = z.infer<typeof ExplanationSchema>;

const interval = z.tuple([z.number(), z.number()]).describe('95 % confidence interval');

/** A series beside memory itself that keeps growing: a counter, a custom metric, a heap space. */
export const SeriesGrowthSchema = z.object({
  channel: z.string(),
  unit: z.string().describe('bytes, count, ...: the unit of the growth'),
  growth: z.number().describe('over the whole load'),
  perOperation: z.number().nullable(),
  perOperationInterval: interval.nullable(),
  patternType: LeakPatternType.optional(),
  pValue: z.number().min(0).max(1).describe('chance that a series which does not grow looks like this'),
  qValue: z.number().min(0).max(1).describe('lowest false discovery rate at which it is still named'),
});
export type SeriesGrowth = z.infer<typeof SeriesGrowthSchema>;

export const GrowingSeriesSchema = z.object({
  judged: z.number().int().nonnegative().describe('how many series were judged'),
  falseDiscoveryRate: z
    .number()
    .min(0)
    .max(1)
    .describe('at most this share of the series that are named is wrong, on average (Benjamini-Yekutieli)'),
  growing: z.array(SeriesGrowthSchema),
});
export type GrowingSeries = z.infer<typeof GrowingSeriesSchema>;

/** Whether live memory keeps growing, how fast, and how sure that is. */
export const LeakDetectionResultSchema = z.object({
  verdict: LeakVerdict,
  leakDetected: z.boolean().describe("true exactly when the verdict is 'leak'"),
  leakRate: z.number().nullable().describe('growth of the floor, bytes per second; null when not measurable'),
  leakRateInterval: interval.nullable(),
  bytesPerOperation: z.number().nullable().describe('growth of the floor, bytes per operation'),
  bytesPerOperationInterval: interval.nullable(),
  confidence: z
    .number()
    .min(0)
    .max(1)
    .describe('confidence in the verdict, calibrated; of an inconclusive one: that there is no leak'),
  pValue: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('chance that a clean process gives as much evidence for a leak; for many series at once'),
  patternAnalysis: LeakPatternAnalysisSchema.optional(),
  signal: z.string().nullable().describe('the channel that was judged'),
  samples: z.number().int().nonnegative().describe('how many floor points were judged'),
  explanation: z.string().describe('why this verdict, in a sentence'),
  winningExplanation: ExplanationSchema.optional().describe('what explains the series best'),
  runnerUpExplanation: ExplanationSchema.optional().describe('the best explanation of the other side'),
  provisional: z
    .boolean()
    .optional()
    .describe('true: the test still ran, and what is true so far may change by its end'),
  fragmentation: z
    .string()
    .optional()
    .describe('set when resident memory grew although the allocator had no more in use, with what to do'),
  notes: z.array(z.string()).optional().describe('what was mended in the series before it was judged'),
  power: z.string().optional().describe('the smallest leak that this test would have seen, in a sentence'),
  detectableGrowthBytes: z
    .number()
    .nonnegative()
    .optional()
    .describe('growth over the whole run that would have been seen, bytes'),
  remedy: z.string().optional().describe('what would settle an inconclusive verdict'),
  neededSeconds: z.number().positive().optional().describe('how long the load would have to last to judge'),
  suspectedSources: z.array(z.string()).describe('the suspects in sentences, most important first'),
  suspects: z.array(SuspectSchema).optional().describe('by the share of the growth that they explain'),
  ledger: LedgerSchema.optional(),
  growingSeries: GrowingSeriesSchema.optional().describe(
    'what else of the recording grows, of all series that were judged; absent where there is no recording',
  ),
});
export type LeakDetectionResult = z.infer<typeof LeakDetectionResultSchema>;
