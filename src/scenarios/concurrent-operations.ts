import { TestScenario } from '../vocabulary.js';
import type { Scenario } from './scenario.js';

/**
 * Many operations at the same moment: bursts as large as the configured
 * concurrency, so often that the configured rate comes out.
 */
export const concurrentOperations: Scenario = {
  name: TestScenario.ConcurrentOperations,
  length: 'medium',
  warmUp: async (context) => {
    await context.load({
      ...bursts(context.settings.concurrentOperations),
      durationMs: context.settings.warmUpMs,
      drainMs: 0,
    });
  },
  load: (context) => context.load(bursts(context.settings.concurrentOperations)),
};

function bursts(size: number): { burst: number; maxInFlight: number } {
  return { burst: size, maxInFlight: size };
}
