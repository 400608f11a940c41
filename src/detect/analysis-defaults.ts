import { MIB } from '../units.js';
import type { JudgeSettings } from './judge.js';

/**
 * For series from elsewhere. A verdict needs less confidence than in a test of
 * our own: a monitor cannot be asked to force collections and go on, and the
 * stated confidence is calibrated, so that a reader can ask for more.
 */
export const ANALYSIS_DEFAULTS: JudgeSettings = {
  leakThresholdBytes: 5 * MIB,
  minSamples: 10,
  significanceThreshold: 0.8,
  enablePatternAnalysis: true,
};
