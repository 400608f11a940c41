import { z } from 'zod';

export const ViolationType = {
  BaselineExceeded: 'BaselineExceeded',
  GrowthRateExceeded: 'GrowthRateExceeded',
  MemoryPerOperationExceeded: 'MemoryPerOperationExceeded',
  MemoryLeak: 'MemoryLeak',
  CleanupTimeout: 'CleanupTimeout',
  ResourceExhaustion: 'ResourceExhaustion',
} as const;
export type ViolationType = (typeof ViolationType)[keyof typeof ViolationType];

export const ViolationSeverity = {
  Low: 'Low',
  Medium: 'Medium',
  High: 'High',
  Critical: 'Critical',
} as const;
export type ViolationSeverity = (typeof ViolationSeverity)[keyof typeof ViolationSeverity];

export const ThresholdViolationSchema = z.object({
  violationType: z.enum(ViolationType),
  threshold: z.number().describe('the limit, in the unit of its name in the configuration'),
  actual: z.number().describe('what was measured, in the same unit'),
  severity: z.enum(ViolationSeverity),
  description: z.string().describe('the sentence a person reads'),
});
export type ThresholdViolation = z.infer<typeof ThresholdViolationSchema>;
