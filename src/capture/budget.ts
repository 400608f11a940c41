import { formatBytes, formatPercent, formatRate } from '../units.js';

/** What recording may cost. What is absent is not bounded. */
export interface CaptureBudget {
  /** CPU of the sampler's threads, share of one core. */
  cpuShare?: number;
  /** Size of the recording, from 2 MiB on: near it the oldest samples are summarised, so that it never ends. */
  diskBytes?: number;
  /**
   * Memory that the recording itself takes in the process: the blocks that its threads fill, 64 KiB each. It
   * does not grow with time, only with threads; beyond the bound the recording ends.
   */
  memoryBytes?: number;
}

/** What it costs now. */
export interface CaptureCost {
  rateHz: number;
  /** Of the sampler's threads since the last look, share of one core. */
  cpuShare: number;
  /** Of the recording, in the process. */
  memoryBytes: number;
}

/** What follows, with the reason in a sentence for the recording. */
export type BudgetMeasure = { rateHz: number; reason: string } | { end: true; reason: string };

/** The new rate is meant to stay below the budget, not to meet it. */
const MARGIN = 0.8;
/** Below that a recording tells no more; the readings by the second go on. */
const RATE_MIN_HZ = 1;

/**
 * Whether recording has to become cheaper, and how. It never becomes dearer again: a rate that goes up and
 * down would make the samples of an hour ago look like another program's.
 * @returns undefined when all is within the budget
 */
export function withinBudget(budget: CaptureBudget, cost: CaptureCost): BudgetMeasure | undefined {
  const { rateHz, cpuShare, memoryBytes } = cost;
  if (budget.memoryBytes !== undefined && memoryBytes > budget.memoryBytes)
    return {
      end: true,
      reason: `the recording ends: it takes ${formatBytes(memoryBytes)} of memory, and its budget is ${formatBytes(budget.memoryBytes)}`,
    };
  if (budget.cpuShare !== undefined && cpuShare > budget.cpuShare && rateHz > RATE_MIN_HZ) {
    const lowered = Math.max(RATE_MIN_HZ, rateHz * MARGIN * (budget.cpuShare / cpuShare));
    return {
      rateHz: lowered,
      reason: `rate lowered from ${formatRate(rateHz)} to ${formatRate(lowered)} Hz: the sampler took ${formatPercent(cpuShare)} of a core, and its budget is ${formatPercent(budget.cpuShare)}`,
    };
  }
  return undefined;
}
