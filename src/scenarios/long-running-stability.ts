import { TestScenario } from '../vocabulary.js';
import type { Scenario } from './scenario.js';

/** A moderate load leaves the target time for its timers, expiries and idle work. */
const SHARE_OF_RATE = 0.2;

/** A fifth of the configured rate for the longest of the durations. */
export const longRunningStability: Scenario = {
  name: TestScenario.LongRunningStability,
  length: 'long',
  load: (context) =>
    context.load({ ratePerSecond: Math.max(1, context.settings.operationsPerSecond * SHARE_OF_RATE) }),
};
