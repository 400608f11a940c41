import type { LeakPatternType } from '../diagnosis/index.js';

/**
 * The explanations that compete for a series, and how likely each is before
 * anything was seen. The weights sum up to 1 on each side; whether there is a
 * leak at all is weighed elsewhere.
 */
export interface ExplanationKind {
  /** After "the series is explained best by". */
  words: string;
  weight: number;
  /** Undefined: no leak. */
  pattern?: LeakPatternType;
}

export const EXPLANATIONS = {
  level: { words: 'a constant level', weight: 0.25 },
  warmUp: { words: 'a warm-up that dies away', weight: 0.13 },
  slowingWarmUp: { words: 'a warm-up that becomes slower and slower', weight: 0.12 },
  filling: { words: 'a cache or pool that fills and then stays', weight: 0.16 },
  warmUpAndFilling: { words: 'a warm-up and a cache that fills', weight: 0.05 },
  falling: { words: 'memory that is given back over time', weight: 0.07 },
  fewSteps: { words: 'one or two steps', weight: 0.09 },
  stepsThatStopped: { words: 'steps that have stopped', weight: 0.03 },
  cycles: { words: 'cycles around a constant level', weight: 0.1 },

  steady: { words: 'steady growth with time', weight: 0.17, pattern: 'linear' },
  perOperation: { words: 'steady growth with every operation', weight: 0.17, pattern: 'linear' },
  steadyAfterWarmUp: { words: 'a warm-up, and steady growth beneath it', weight: 0.15, pattern: 'linear' },
  steadyBesideCache: {
    words: 'a cache that filled, and steady growth beside it',
    weight: 0.11,
    pattern: 'linear',
  },
  lateOnset: { words: 'steady growth that began during the run', weight: 0.08, pattern: 'linear' },
  lateOnsetAfterWarmUp: {
    words: 'a warm-up, and steady growth that began later',
    weight: 0.03,
    pattern: 'linear',
  },
  exponential: { words: 'growth that doubles and doubles', weight: 0.06, pattern: 'exponential' },
  doublingStairs: { words: 'steps that double in height', weight: 0.04, pattern: 'exponential' },
  capacityStairs: { words: 'a table that doubles whenever it is full', weight: 0.01, pattern: 'stepped' },
  regularSteps: { words: 'steps at regular times that go on', weight: 0.06, pattern: 'stepped' },
  sporadicSteps: { words: 'steps at no regular time that go on', weight: 0.05, pattern: 'sporadic' },
  risingCycles: { words: 'cycles whose troughs rise', weight: 0.07, pattern: 'cyclic' },
} as const satisfies Record<string, ExplanationKind>;

export type ExplanationName = keyof typeof EXPLANATIONS;

export function patternOf(name: ExplanationName): LeakPatternType | undefined {
  return (EXPLANATIONS[name] as ExplanationKind).pattern;
}
