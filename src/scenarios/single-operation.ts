import { TestScenario } from '../vocabulary.js';
import type { Scenario } from './scenario.js';

/** What one operation leaves behind: one at a time, with full collections after each. */
export const singleOperation: Scenario = {
  name: TestScenario.SingleOperation,
  length: 'short',

  load(context) {
    const { floorIntervalMs } = context.settings;
    return context.load({
      ratePerSecond: 1000 / floorIntervalMs,
      maxInFlight: 1,
      keepsSchedule: false,
      floorIntervalMs,
    });
  },
};
