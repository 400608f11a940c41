import type { LeakDetectionResult } from '../diagnosis/index.js';
import type { Recording } from '../recording/index.js';
import { bytesOf, ledgerOf } from './ledger.js';
import { observe } from './observations.js';
import { suspectsOf } from './suspects.js';

/** So many are given out; what the others explain stays in the ledger. */
const SUSPECTS_MAX = 10;

/**
 * Adds to the result of leak detection who is suspected: what holds the growth, what put it there, and how much
 * of it each explains. A result without growth, or of a recording that holds nothing to tell, stays as it is.
 */
export async function attributeLeak(
  recording: Recording,
  leak: LeakDetectionResult,
): Promise<LeakDetectionResult> {
  if (leak.verdict === 'no-leak') return leak;
  const observations = await observe(recording, leak);
  if (leak.verdict !== 'leak' && observations.growth === null) return leak;
  const explained = suspectsOf(observations, leak);
  const suspects = explained.map(({ suspect }) => suspect).slice(0, SUSPECTS_MAX);
  const { growth, lacks } = observations;
  const compilerBytes = (observations.diff?.classes ?? [])
    .filter(({ noise }) => noise === 'compiler')
    .reduce((sum, { deltaBytes }) => sum + deltaBytes, 0);
  return {
    ...leak,
    suspects,
    ...(growth !== null &&
      growth.operations > 0 && {
        ledger: ledgerOf(
          growth,
          explained.filter((one) => bytesOf(one) !== 0),
          { compilerBytes, lacks },
        ),
      }),
    suspectedSources: [...suspects.map(({ statement }) => statement), ...leak.suspectedSources],
  };
}
