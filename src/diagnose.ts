import { recommendations } from './attribute/recommendations.js';
import { loadWindow } from './detect/floor.js';
import { inconclusive, type Judge, type JudgeSettings } from './detect/judge.js';
import { memoryMeasurements } from './detect/measurements.js';
import { cleanupOutcome, exhaustionOutcome, largePayload, stoppedEarly } from './detect/outcomes.js';
import { performanceMetrics } from './detect/performance.js';
import { judgeRecording, judgeSoFar } from './detect/recording-judge.js';
import { samplingReport } from './detect/sampling.js';
import { type Look, SequentialJudge, type SequentialPlan } from './detect/sequential-judge.js';
import { memoryStatistics } from './detect/statistics.js';
import { type Thresholds, thresholdViolations } from './detect/thresholds.js';
import type { LeakVerdict, MemoryTestResult, TestFailure } from './diagnosis/index.js';
import type { Recording } from './recording/recording.js';

/** What the recording itself does not say. */
export interface DiagnosisInput {
  thresholds: Thresholds;
  /** Null: leak detection is switched off. */
  judging: JudgeSettings | null;
  scenario: string;
  memoryLimitBytes: number | null;
  failure?: TestFailure | undefined;
}

export { attributeLeak } from './attribute/attribution.js';

/**
 * Whether the load of a test that still runs has grown so clearly that it is worth finding out why. Null: no.
 * What is inconclusive is worth it where it grew for certain, by a good part of what counts.
 */
export function isWorthDiagnosing(
  recording: Recording,
  settings: JudgeSettings,
  judge: Judge = judgeRecording,
): { verdict: LeakVerdict; bytesPerOperation: number | null; leakRate: number } | null {
  const { verdict, leakRate, leakRateInterval, bytesPerOperation } = judge(recording, settings);
  if (verdict === 'leak') return { verdict, bytesPerOperation, leakRate: leakRate ?? 0 };
  const window = loadWindow(recording);
  const isCertain = (leakRateInterval?.[0] ?? 0) > 0;
  if (verdict === 'no-leak' || leakRate === null || window === undefined || !isCertain) return null;
  const grownBytes = (leakRate * (window.endMs - window.startMs)) / 1000;
  return grownBytes >= CLEAR_SHARE * settings.leakThresholdBytes
    ? { verdict, bytesPerOperation, leakRate }
    : null;
}

/** Of the threshold, for growth that is not yet called a leak. */
const CLEAR_SHARE = 0.25;

export type Diagnosis = Omit<
  MemoryTestResult,
  | 'testId'
  | 'serviceType'
  | 'scenario'
  | 'startTime'
  | 'endTime'
  | 'durationMs'
  | 'recording'
  | 'recommendations'
>;

/** From a recording to everything that can be concluded from it. Pure, and repeatable from the file. */
export function diagnose(
  recording: Recording,
  input: DiagnosisInput,
  judge: Judge = judgeRecording,
): Diagnosis {
  const window = loadWindow(recording);
  const statistics = memoryStatistics(recording);
  const stop = stoppedEarly(recording);
  const judged = input.judging === null ? switchedOff() : judge(recording, input.judging);
  // The test ended for one verdict and shows another: its planned time would have told.
  const leakDetection = stop && stop.verdict !== judged.verdict ? { ...judged, provisional: true } : judged;
  const exhaustion = exhaustionOutcome(recording, input.failure?.reason ?? null);
  const cleanup = cleanupOutcome(recording);
  const payload = largePayload(recording);
  const violations = thresholdViolations(
    {
      scenario: input.scenario,
      statistics,
      leakDetection,
      loadSeconds: window === undefined ? null : (window.endMs - window.startMs) / 1000,
      exhaustion,
      cleanup,
    },
    input.thresholds,
  );
  return {
    status: input.failure !== undefined ? 'failed' : violations.length > 0 ? 'violated' : 'passed',
    ...(input.failure === undefined ? {} : { failure: input.failure }),
    measurements: memoryMeasurements(recording),
    memoryStats: statistics,
    leakDetection,
    performanceMetrics: performanceMetrics(recording, input.memoryLimitBytes),
    ...(exhaustion === undefined ? {} : { exhaustion }),
    ...(cleanup === undefined ? {} : { cleanup }),
    ...(payload === undefined ? {} : { largePayload: payload }),
    ...(stop === undefined ? {} : { stoppedEarly: stop }),
    thresholdViolations: violations,
    sampling: samplingReport(recording),
  };
}

export type { JudgeSettings, Look, SequentialPlan };

/** Judges the recording of a test that still runs, again and again; each look knows the ones before. */
export function lookingOn(
  plan: SequentialPlan,
  judging: JudgeSettings,
): (soFar: Recording) => Look | undefined {
  const judge = new SequentialJudge(plan);
  return (soFar) => {
    const known = judgeSoFar(soFar, judging);
    return known && judge.look(known);
  };
}

function switchedOff() {
  return inconclusive('leak detection is switched off', { remedy: 'set leakDetection.enabled to true' });
}

/** The diagnosis as part of a whole result, with the advice that follows from it. */
export function advise(result: Omit<MemoryTestResult, 'recommendations'>): MemoryTestResult {
  return { ...result, recommendations: recommendations(result) };
}
