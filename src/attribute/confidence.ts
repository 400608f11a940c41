import type { LeakDetectionResult } from '../diagnosis/index.js';

/** What speaks for a suspect. Each is a measurement of its own, so they are combined as independent. */
export interface Grounds {
  /** The same object was there before and after, and holds more. */
  survivorGrew: boolean;
  /** It grew between every two snapshots. */
  everyRound: boolean;
  /** Entries per operation are a whole number, or one in a whole number of operations. */
  integerRatio: boolean;
  /** A function of the same file allocated what is still alive. */
  allocationSite: boolean;
  /** A count of the program's own rises in step. */
  counter: boolean;
  /** A reference was collected without having been given back, or is still held. */
  unreleased: boolean;
  /** Only that so much more of the class is there; nothing says who holds it. */
  classOnly: boolean;
  /** Memory of that kind grew in every round. */
  processPart: boolean;
}

/**
 * How often each of these alone would be wrong: an object that grows may be a buffer or a cache that fills,
 * and what grew three times in a row may stop.
 */
const WRONG: Record<keyof Grounds, number> = {
  survivorGrew: 0.35,
  everyRound: 0.3,
  integerRatio: 0.5,
  allocationSite: 0.6,
  counter: 0.5,
  unreleased: 0.15,
  classOnly: 0.6,
  processPart: 0.5,
};

/**
 * How sure it is that a suspect is a cause: the grounds would all have to be wrong at once, and it cannot be
 * surer than that there is a leak.
 * @param leakConfidence of the judge, 0 to 1
 */
export function confidenceOf(grounds: Partial<Grounds>, leakConfidence: number): number {
  const names = Object.keys(WRONG) as (keyof Grounds)[];
  const wrong = names.filter((name) => grounds[name]).reduce((product, name) => product * WRONG[name], 1);
  return Math.max(0, Math.min(1, leakConfidence * (1 - wrong)));
}

/** That there is a leak: of an inconclusive verdict the confidence is that there is none. */
export function leakConfidence({
  verdict,
  confidence,
}: Pick<LeakDetectionResult, 'verdict' | 'confidence'>): number {
  return verdict === 'leak' ? confidence : 1 - confidence;
}

/** 1, 2 or 3 per operation, or one in 2 to 20 operations, within two percent. */
export function isIntegerRatio(perOperation: number): boolean {
  if (perOperation <= 0) return false;
  const ratio = perOperation >= 0.99 ? perOperation : 1 / perOperation;
  return ratio <= 20.5 && Math.abs(ratio - Math.round(ratio)) <= 0.02 * Math.max(1, Math.round(ratio));
}
