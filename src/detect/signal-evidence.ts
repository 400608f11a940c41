import { tryAll } from './candidates.js';
import { type Contender, Contest } from './contest.js';
import { patternOf } from './explanations.js';
import type { JudgedPoints, SeriesPoints } from './points.js';

/** What one series says about a leak. */
export interface SignalEvidence<Points extends SeriesPoints = JudgedPoints> {
  points: Points;
  /** Logarithm of the odds for a leak of the least size, before it is known how common leaks are. */
  logOdds: number;
  /** The same for growth of any size that goes on. */
  growingLogOdds: number;
  bestLeak?: Contender;
  bestOther: Contender;
  contenders: Contender[];
  /** Standard error of steady growth over a run, bytes. */
  steadyErrorBytes?: number;
  /** What the judgement cost: likelihoods computed. */
  evaluations: number;
}

/** Points below which nothing can be told from anything. */
export const POINTS_AT_LEAST = 8;

/**
 * Lets all explanations of a signal compete.
 * @returns undefined for fewer than 8 points, and where nothing can be fitted to them
 */
export function weighSignal<Points extends SeriesPoints>(
  points: Points,
  leastBytes: number,
): SignalEvidence<Points> | undefined {
  if (points.values.length < POINTS_AT_LEAST) return undefined;
  const contest = new Contest(points, leastBytes);
  tryAll(contest);
  const contenders = operationsFirst([...contest.best.values()].sort((a, b) => b.evidence - a.evidence));
  const { leak, none, growing, bounded } = contest.weigh();
  const steadyErrorBytes = contest.steadyErrorBytes();
  const bestLeak = contenders.find(({ name }) => patternOf(name) !== undefined);
  const bestOther = contenders.find(({ name }) => patternOf(name) === undefined);
  if (bestOther === undefined) return undefined;
  return {
    points,
    logOdds: withinReason(leak - none),
    growingLogOdds: withinReason(growing - bounded),
    ...(bestLeak && { bestLeak }),
    bestOther,
    contenders,
    ...(steadyErrorBytes !== undefined && { steadyErrorBytes }),
    evaluations: contest.space.evaluations,
  };
}

/** Beyond this there is only rounding; without any explanation there are no odds. */
function withinReason(logOdds: number): number {
  return Number.isNaN(logOdds) ? 0 : Math.min(500, Math.max(-500, logOdds));
}

/** Evidence that differs by less tells growth with operations not from growth with time. */
const NO_DIFFERENCE = 2;

/**
 * Operations that come evenly cannot be told from time. Growth with every
 * operation is then what a reader can act on, and what is said.
 */
function operationsFirst(contenders: Contender[]): Contender[] {
  const steady = contenders.findIndex(({ name }) => name === 'steady');
  const perOperation = contenders.findIndex(({ name }) => name === 'perOperation');
  const [byTime, byWork] = [contenders[steady], contenders[perOperation]];
  if (byTime === undefined || byWork === undefined || steady > perOperation) return contenders;
  if (byTime.evidence - byWork.evidence > NO_DIFFERENCE) return contenders;
  return contenders.toSpliced(perOperation, 1).toSpliced(steady, 0, byWork);
}
