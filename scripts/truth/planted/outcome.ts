import type { MemoryTestResult, Suspect } from '../../../src/diagnosis/index.js';
import type { PlantedLeak } from '../../../src/runner/planted-leaks.js';

/** One service under load, with a planted leak or without. */
export interface Case {
  service: string;
  /** Null: the clean service. */
  leak: PlantedLeak | null;
  result: MemoryTestResult;
}

/** How near a figure has to come to the truth. */
const TOLERATED_SHARE = 0.1;
const EXPLAINED_SHARE = 0.9;

export interface Outcome {
  /** A leak that was called one, or a clean service that was not. */
  isRight: boolean;
  suspect: Suspect | null;
  /** Whether the first suspect names what was planted. Null: there is no leak, or there are no suspects. */
  isNamed: boolean | null;
  /** Measured bytes per operation over the true ones. Null: the truth, or the figure, is not known. */
  bytesRatio: number | null;
  isBytesRight: boolean | null;
  /** Whether the ledger explains what was measured. Null: no leak of JavaScript's memory, or no ledger. */
  isExplained: boolean | null;
}

export function outcomeOf({ leak, result }: Case): Outcome {
  const { leakDetected, bytesPerOperation, suspects = [], ledger } = result.leakDetection;
  const suspect = suspects[0] ?? null;
  const trueBytes = leak?.perOperation?.bytes;
  const bytesRatio =
    !leakDetected || trueBytes === undefined || bytesPerOperation === null
      ? null
      : bytesPerOperation / trueBytes;
  const isOfJavaScript = leak !== null && leak.memory !== 'native';
  return {
    isRight: leakDetected === (leak !== null),
    suspect,
    isNamed: leak === null || suspect === null ? null : namesOne(suspect, leak.culprits),
    bytesRatio,
    isBytesRight: bytesRatio === null ? null : Math.abs(bytesRatio - 1) <= TOLERATED_SHARE,
    isExplained: isOfJavaScript && ledger ? ledger.explainedShare >= EXPLAINED_SHARE : null,
  };
}

/** Whether a suspect says one of these names, as a word of its own. */
export function namesOne(suspect: Suspect, culprits: readonly string[]): boolean {
  const { statement, className, retainingPath, holder, allocationSite, counters } = suspect;
  const said = [
    statement,
    className,
    retainingPath,
    holder?.script,
    allocationSite?.script,
    ...counters,
  ].join('\n');
  return culprits.some((culprit) =>
    new RegExp(`(?<![\\w#])${culprit.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?!\\w)`).test(said),
  );
}
