import { TestScenario } from '../vocabulary.js';
import type { Scenario } from './scenario.js';

/** Ordinary operations at the configured rate, sent whether or not the target keeps up. */
export const highFrequencyOperations: Scenario = {
  name: TestScenario.HighFrequencyOperations,
  length: 'medium',
  load: (context) => context.load({}),
};
