import { formatBytes, formatPercent, formatRate } from '../units.js';

/** What recording may cost. What is absent is not bounded. */
export interface CaptureBudget {
  /** CPU of the sampler's threads, share of one core. */
  cpuShare?: number;
  /** Size of the recording. Near it the rate is halved again and again; at it the recording ends. */
  diskBytes?: number;
}

/** What it costs now. */
export interface CaptureCost {
  rateHz: number;
  /** Of the sampler's threads since the last look, share of one core. */
  cpuShare: number;
  /** Size of the recording. */
  bytesWritten: number;
}

/** What follows, with the reason in a sentence for the recording. */
export type BudgetMeasure = { rateHz: number; reason: string } | { end: true; reason: string };

/** The new rate is meant to stay below the budget, not to meet it. */
const MARGIN = 0.8;
/** Below that a recording tells no more; the readings by the second go on. */
const RATE_MIN_HZ = 1;
/** Each stream of a recording has a block of its own, and what ends it has to be written too. */
const RESERVED_BYTES = 16 * 64 * 1024;

/**
 * Whether recording has to become cheaper, and how. It never becomes dearer again: a rate that goes up and
 * down would make the samples of an hour ago look like another program's.
 * @returns undefined when all is within the budget
 */
export function withinBudget(budget: CaptureBudget, cost: CaptureCost): BudgetMeasure | undefined {
  const { rateHz, cpuShare, bytesWritten } = cost;
  if (budget.diskBytes !== undefined && bytesWritten + RESERVED_BYTES > budget.diskBytes)
    return {
      end: true,
      reason: `the recording ends: it has ${formatBytes(bytesWritten)}, and its budget is ${formatBytes(budget.diskBytes)}`,
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

/**
 * The rate that a recording may have for its size: half as much when half of the budget is used, a quarter when
 * three quarters are, and so on, so that what is left lasts as long as what went before.
 * @returns undefined when it is as low already
 */
export function rateForSizeMeasure(
  budget: CaptureBudget,
  { bytesWritten, rateHz, firstRateHz }: { bytesWritten: number; rateHz: number; firstRateHz: number },
): BudgetMeasure | undefined {
  if (budget.diskBytes === undefined || rateHz <= RATE_MIN_HZ) return undefined;
  const left = Math.max(0, 1 - bytesWritten / Math.max(1, budget.diskBytes - RESERVED_BYTES));
  const halvings = Math.floor(-Math.log2(Math.max(left, Number.MIN_VALUE)));
  const lowered = Math.max(RATE_MIN_HZ, firstRateHz / 2 ** halvings);
  if (lowered >= rateHz) return undefined;
  return {
    rateHz: lowered,
    reason: `rate lowered from ${formatRate(rateHz)} to ${formatRate(lowered)} Hz: the recording has ${formatBytes(bytesWritten)} of the ${formatBytes(budget.diskBytes)} that it may have`,
  };
}
