import type { LeakDetectionResult } from '../diagnosis/index.js';
import type { Recording } from '../recording/recording.js';

/** What counts as a leak, and how sure one must be. */
export interface JudgeSettings {
  /** Growth of the floor over the load that counts, bytes. */
  leakThresholdBytes: number;
  /** Floor points below which there is no verdict. */
  minSamples: number;
  /** Confidence that a verdict needs, 0.5 to 1. */
  significanceThreshold: number;
  /** Growth for each operation below which it does not count either, bytes. */
  minBytesPerOperation?: number;
  enablePatternAnalysis: boolean;
}

/** A method of telling a leak from everything else. Pure: the same recording gets the same verdict. */
export type Judge = (recording: Recording, settings: JudgeSettings) => LeakDetectionResult;

/** A result without a verdict, with the reason and what would help. */
export function inconclusive(
  explanation: string,
  details: Partial<LeakDetectionResult> & { remedy: string },
): LeakDetectionResult {
  return {
    verdict: 'inconclusive',
    leakDetected: false,
    leakRate: null,
    leakRateInterval: null,
    bytesPerOperation: null,
    bytesPerOperationInterval: null,
    confidence: 0,
    signal: null,
    samples: 0,
    suspectedSources: [],
    explanation,
    ...details,
  };
}
