import {
  type CleanupOutcome,
  type ExhaustionOutcome,
  type LeakDetectionResult,
  type MemoryStatistics,
  type ThresholdViolation,
  ViolationSeverity,
  ViolationType,
} from '../diagnosis/index.js';
import { formatBytes, formatBytesPerSecond, formatDuration, formatPercent } from '../units.js';
import { TestScenario } from '../vocabulary.js';

/** The limits of the configuration's section `thresholds`. */
export interface Thresholds {
  maxBaselineMemoryBytes: number;
  maxMemoryGrowthRate: number;
  maxMemoryPerOperation: number;
  leakThresholdBytes: number;
  cleanupTimeoutSeconds: number;
}

/** What was measured, and in which scenario. */
export interface Measured {
  scenario: string;
  statistics: MemoryStatistics;
  leakDetection: LeakDetectionResult;
  loadSeconds: number | null;
  exhaustion?: ExhaustionOutcome | undefined;
  cleanup?: CleanupOutcome | undefined;
}

/** The six kinds, each compared with its limit. */
export function thresholdViolations(measured: Measured, limits: Thresholds): ThresholdViolation[] {
  return [
    baseline(measured, limits),
    growthRate(measured, limits),
    perOperation(measured, limits),
    leak(measured, limits),
    cleanupTimeout(measured, limits),
    exhaustion(measured),
  ].filter((violation) => violation !== undefined);
}

function baseline({ statistics }: Measured, limits: Thresholds): ThresholdViolation | undefined {
  const actual = statistics.baselineMemoryBytes;
  const threshold = limits.maxBaselineMemoryBytes;
  if (actual === null || actual <= threshold) return undefined;
  return {
    violationType: ViolationType.BaselineExceeded,
    threshold,
    actual,
    severity: severityOf(actual / threshold),
    description: `Baseline memory ${formatBytes(actual)} is above the limit of ${formatBytes(threshold)}`,
  };
}

/** A rate counts only where the growth itself is sure: a slope through noise is no rate. */
function growthRate(
  { statistics, leakDetection }: Measured,
  limits: Thresholds,
): ThresholdViolation | undefined {
  const actual = statistics.memoryGrowthRate;
  const threshold = limits.maxMemoryGrowthRate;
  const surely = leakDetection.leakRateInterval?.[0] ?? 0;
  if (actual === null || actual <= threshold || surely <= threshold) return undefined;
  return {
    violationType: ViolationType.GrowthRateExceeded,
    threshold,
    actual,
    severity: severityOf(actual / threshold),
    description: `Live memory grows by ${formatBytesPerSecond(actual)}, more than ${formatBytesPerSecond(threshold)}`,
  };
}

/** The limit is for ordinary operations: the scenarios with deliberately large payloads are left out. */
function perOperation(
  { scenario, statistics }: Measured,
  limits: Thresholds,
): ThresholdViolation | undefined {
  if (scenario === TestScenario.LargeDataProcessing || scenario === TestScenario.ResourceExhaustion)
    return undefined;
  const actual = statistics.memoryPerOperation;
  const threshold = limits.maxMemoryPerOperation;
  if (actual === null || actual <= threshold) return undefined;
  return {
    violationType: ViolationType.MemoryPerOperationExceeded,
    threshold,
    actual,
    severity: severityOf(actual / threshold),
    description: `Memory rises by ${formatBytes(actual)} per operation, more than ${formatBytes(threshold)}`,
  };
}

function leak({ leakDetection, loadSeconds }: Measured, limits: Thresholds): ThresholdViolation | undefined {
  const { leakDetected, leakRate, bytesPerOperation, confidence } = leakDetection;
  if (!leakDetected || leakRate === null) return undefined;
  const actual = leakRate * (loadSeconds ?? 0);
  const each = bytesPerOperation === null ? '' : `, ${formatBytes(bytesPerOperation)} per operation`;
  return {
    violationType: ViolationType.MemoryLeak,
    threshold: limits.leakThresholdBytes,
    actual,
    severity: severityOf(Math.max(1.5, actual / limits.leakThresholdBytes)),
    description: `Memory leak detected: ${formatBytesPerSecond(leakRate)}${each} (confidence: ${formatPercent(confidence)})`,
  };
}

function cleanupTimeout({ cleanup }: Measured, limits: Thresholds): ThresholdViolation | undefined {
  if (cleanup === undefined || cleanup.returnedToBaseline) return undefined;
  const kept = formatBytes(cleanup.finalLiveBytes - cleanup.baselineLiveBytes);
  return {
    violationType: ViolationType.CleanupTimeout,
    threshold: limits.cleanupTimeoutSeconds,
    actual: cleanup.seconds,
    severity: cleanup.efficiency < 0.5 ? ViolationSeverity.High : ViolationSeverity.Medium,
    description: `${kept} more than the baseline are still live ${formatDuration(cleanup.seconds * 1000)} after the target was stopped`,
  };
}

/** Being stopped by the limit is the purpose of the scenario; dying of it or staying broken is not. */
function exhaustion({ exhaustion: outcome }: Measured): ThresholdViolation | undefined {
  if (outcome === undefined || outcome.recovered) return undefined;
  const payload = outcome.refusedPayloadBytes ?? outcome.largestPayloadBytes ?? 0;
  const how = outcome.ending === 'crashed' ? 'died of' : 'did not recover from';
  return {
    violationType: ViolationType.ResourceExhaustion,
    threshold: outcome.memoryLimitBytes ?? 0,
    actual: payload,
    severity: outcome.ending === 'crashed' ? ViolationSeverity.Critical : ViolationSeverity.High,
    description: `The target ${how} a payload of ${formatBytes(payload)}: ${outcome.reason ?? 'no reason given'}`,
  };
}

/** By how many times the limit is exceeded. */
function severityOf(times: number): ViolationSeverity {
  if (times >= 10) return ViolationSeverity.Critical;
  if (times >= 3) return ViolationSeverity.High;
  if (times >= 1.5) return ViolationSeverity.Medium;
  return ViolationSeverity.Low;
}
