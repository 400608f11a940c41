import type { LeakVerdict } from '../diagnosis/index.js';
import type { JudgedPoints } from './points.js';
import { quantileOf } from './points.js';
import type { ProcessEvidence } from './process-evidence.js';

/** For which verdicts a test may end before its time. */
export type StopEarly = 'no' | 'leak' | 'any';

export interface SequentialPlan {
  /** How long the load is meant to last. */
  plannedMs: number;
  stopEarly: StopEarly;
  /** What caches, pools and warm-up may add to memory in use; only growth beyond it can be told from them early. */
  expectedGrowthBytes: number;
  leakThresholdBytes: number;
}

/** What is known at one look at a running test. */
export interface SoFar {
  /** Since the load began. */
  elapsedMs: number;
  evidence: ProcessEvidence;
  /** Of the judge, as if the test were over. */
  verdict: LeakVerdict;
  /** 95 % upper bound of the growth rate, bytes per second; null: not measurable. */
  rateAtMost: number | null;
  /** Memory was measured with nothing in flight: load cannot look like growth. */
  isAtRest: boolean;
}

export interface Look {
  verdict: LeakVerdict;
  /** true: it may change by the planned end, and no error rate is stated for it. */
  provisional: boolean;
  mayStop: boolean;
  /** Why it may or may not stop, in words. */
  reason: string;
  /** When to look again, since the load began. */
  nextLookMs: number;
}

/**
 * Judges a running test, look after look, and says when it may stop.
 *
 * Whoever looks often enough sees a leak in everything. Two things are to be
 * kept apart.
 *
 * Chance: the odds of a leak against the explanations without one are a
 * likelihood ratio, and such a ratio exceeds e^10 at any time of a clean series
 * with a probability of e^-10 at most, however often one looks (Ville 1939;
 * Ramdas, Grünwald, Vovk and Shafer 2023). Ours is a ratio of models with
 * fitted parameters and obeys that only nearly, so two looks in a row have to
 * agree, a fifth more of the run between them; `npm run truth:stopping`
 * measures what is left.
 *
 * The future: a cache that is half full is a leak as far as anybody can see,
 * and no correction for looking cures that. A test stops for a leak only when
 * memory in use has grown beyond everything that the target may keep on
 * purpose. It stops for `no-leak` only after half of the planned time, at
 * rest, when growth at its upper bound stays below the threshold to the end;
 * given up then are leaks that would have begun later.
 *
 * Every other verdict is provisional.
 */
export class SequentialJudge {
  readonly #plan: SequentialPlan;
  #leaksInARow = 0;
  #clearedInARow = 0;

  constructor(plan: SequentialPlan) {
    this.#plan = plan;
  }

  look(soFar: SoFar): Look {
    const against = this.#whyNotALeak(soFar);
    this.#leaksInARow = against === null ? this.#leaksInARow + 1 : 0;
    const notCleared = this.#whyNotCleared(soFar);
    this.#clearedInARow = notCleared === null ? this.#clearedInARow + 1 : 0;
    const nextLookMs = Math.max(FIRST_LOOK_MS, soFar.elapsedMs * LOOKS_APART);
    if (this.#leaksInARow >= LOOKS_IN_A_ROW)
      return this.#decided('leak', soFar, nextLookMs, 'it has grown beyond what it may keep, and grows on');
    if (this.#clearedInARow >= LOOKS_IN_A_ROW)
      return this.#decided(
        'no-leak',
        soFar,
        nextLookMs,
        'what may grow until the end is below the threshold',
      );
    const isLeaning = soFar.verdict === 'leak' || against === null;
    const reason = (isLeaning ? against : notCleared) ?? 'one more look has to agree';
    return { verdict: soFar.verdict, provisional: true, mayStop: false, reason, nextLookMs };
  }

  #decided(verdict: 'leak' | 'no-leak', { elapsedMs }: SoFar, nextLookMs: number, reason: string): Look {
    const { stopEarly, plannedMs } = this.#plan;
    const mayStop =
      elapsedMs < plannedMs && (stopEarly === 'any' || (stopEarly === 'leak' && verdict === 'leak'));
    return { verdict, provisional: false, mayStop, reason, nextLookMs };
  }

  #whyNotALeak({ evidence, verdict }: SoFar): string | null {
    if (verdict !== 'leak') return 'a leak is not established';
    if (evidence.logOdds < LOG_ODDS) return 'the odds are not high enough for repeated looks';
    const grown = evidence.loudest && evidence.bySignal[evidence.loudest]?.points;
    if (grown === undefined || levelGrowth(grown) <= this.#plan.expectedGrowthBytes)
      return 'a cache that is filling could look the same so far';
    return null;
  }

  #whyNotCleared({ verdict, rateAtMost, isAtRest, elapsedMs }: SoFar): string | null {
    const { plannedMs, leakThresholdBytes } = this.#plan;
    if (verdict !== 'no-leak') return 'it is not cleared';
    if (elapsedMs < LEAST_SHARE * plannedMs) return 'a leak that begins later would be missed';
    if (!isAtRest) return 'load that rises or falls could hide it';
    if (rateAtMost === null || (rateAtMost * plannedMs) / 1000 >= leakThresholdBytes)
      return 'growth too slow to see could reach the threshold by the end';
    return null;
  }
}

/** One look is followed by the next when a fifth more was seen: 33 looks in eight hours. */
export const LOOKS_APART = 1.2;
const FIRST_LOOK_MS = 5000;
const LOOKS_IN_A_ROW = 2;
/** Odds of 22,000 to 1. */
const LOG_ODDS = 10;
const LEAST_SHARE = 0.5;

/** By how much memory in use is more at the end than at the beginning, bytes: what noise adds is not counted. */
function levelGrowth({ values }: JudgedPoints): number {
  const part = Math.max(2, Math.floor(values.length / 10));
  return (
    quantileOf(Array.from(values.slice(-part)), 0.25) - quantileOf(Array.from(values.slice(0, part)), 0.75)
  );
}
