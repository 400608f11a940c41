import { TestScenario } from '../vocabulary.js';
import { LoadLedger } from './load-ledger.js';
import type { Scenario } from './scenario.js';

/** What the started target needs at rest, and whether it grows without any work. */
export const idleBaseline: Scenario = {
  name: TestScenario.IdleBaseline,
  length: 'short',

  async warmUp(context) {
    await context.rest(context.settings.warmUpMs);
  },

  async load(context) {
    const { loadMs, floorIntervalMs } = context.settings;
    const beganMs = performance.now();
    await context.floor();
    while (performance.now() - beganMs < loadMs && !context.signal.aborted) {
      await context.rest(Math.min(floorIntervalMs, loadMs));
      await context.floor();
    }
    return new LoadLedger().outcome(performance.now() - beganMs, null);
  },
};
