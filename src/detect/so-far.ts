import type { JudgeSettings } from './judge.js';
import { leakRate } from './leak-shape.js';
import type { SoFar } from './sequential-judge.js';
import { type JudgedCase, verdictOn } from './verdict.js';

/** What a look at a running process gives, from the case as it stands. */
export function soFarOf(
  judged: JudgedCase,
  settings: JudgeSettings,
  { elapsedMs, isAtRest }: Pick<SoFar, 'elapsedMs' | 'isAtRest'>,
): SoFar {
  const { evidence } = judged;
  const bounds = Object.values(evidence.bySignal).map((signal) => leakRate(signal, false)?.interval?.[1]);
  const isMeasured = bounds.every((bound) => bound !== undefined);
  return {
    elapsedMs,
    evidence,
    verdict: verdictOn(judged, settings).verdict,
    rateAtMost: isMeasured ? Math.max(0, ...(bounds as number[])) : null,
    isAtRest,
  };
}
