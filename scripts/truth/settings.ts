import { ANALYSIS_DEFAULTS } from '../../src/detect/analysis-defaults.js';
import type { JudgeSettings } from '../../src/detect/judge.js';

/** What `analyze` uses when nothing is said. */
export const TRUTH_SETTINGS: JudgeSettings = ANALYSIS_DEFAULTS;
