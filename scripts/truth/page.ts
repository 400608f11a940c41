import type { Score } from './score.js';

/** A score as a person reads it, each figure beside its target. */

interface Targets {
  precision: number;
  recall: number;
  familyFalseAlarms: number;
  patternRecall: number;
  rateErrorMedian: number;
  rateError90th: number;
  brier: number;
  calibrationError: number;
}

export const TARGETS = {
  withAllocator: {
    precision: 0.98,
    recall: 0.95,
    familyFalseAlarms: 0.1,
    patternRecall: 0.85,
    rateErrorMedian: 0.02,
    rateError90th: 0.2,
    brier: 0.035,
    calibrationError: 0.03,
  },
  withoutAllocator: {
    precision: 0.95,
    recall: 0.88,
    familyFalseAlarms: 0.15,
    patternRecall: 0.8,
    rateErrorMedian: 0.05,
    rateError90th: 0.3,
    brier: 0.08,
    calibrationError: 0.03,
  },
} as const satisfies Record<string, Targets>;

const INCONCLUSIVE_AT_MOST = 0.08;

export interface Line {
  what: string;
  reached: number;
  target: number;
  isMet: boolean;
}

export function linesOf(score: Score, targets: Targets): Line[] {
  const atLeast = (what: string, reached: number, target: number): Line => ({
    what,
    reached,
    target,
    isMet: reached >= target,
  });
  const atMost = (what: string, reached: number, target: number): Line => ({
    what,
    reached,
    target,
    isMet: reached <= target,
  });
  const worst = Math.max(
    0,
    ...[...score.families.values()].filter(({ isLeak }) => !isLeak).map(({ wrong, of }) => wrong / of),
  );
  return [
    atLeast('precision', score.precision, targets.precision),
    atLeast('recall', score.recall, targets.recall),
    atMost('false alarms, worst clean family', worst, targets.familyFalseAlarms),
    atLeast('pattern recall, macro', score.patternRecall, targets.patternRecall),
    atMost('rate error, median', score.rateErrorMedian, targets.rateErrorMedian),
    atMost('rate error, 90th percentile', score.rateError90th, targets.rateError90th),
    atMost('Brier score', score.brier, targets.brier),
    atMost('calibration error', score.calibrationError, targets.calibrationError),
    atLeast('right where 98 % is stated', score.stated98.right / score.stated98.of, 0.98),
    atMost('inconclusive', score.inconclusiveShare, INCONCLUSIVE_AT_MOST),
  ];
}

export function pageOf(title: string, score: Score, lines: readonly Line[]): string {
  const table = lines.map(
    ({ what, reached, target, isMet }) =>
      `  ${what.padEnd(34)} ${reached.toFixed(3).padStart(7)}   target ${target.toFixed(3)}  ${isMet ? 'met' : 'MISSED'}`,
  );
  const families = [...score.families]
    .filter(([, { wrong, inconclusive }]) => wrong + inconclusive > 0)
    .map(
      ([name, { of, wrong, inconclusive, isLeak }]) =>
        `  ${name.padEnd(34)} ${`${wrong}/${of}`.padStart(7)} ${isLeak ? 'missed' : 'false alarms'}${inconclusive > 0 ? `, ${inconclusive} inconclusive` : ''}`,
    );
  const classes = ['none', 'linear', 'exponential', 'stepped', 'sporadic', 'cyclic'];
  const confusion = classes
    .filter((truth) => score.confusion.has(truth))
    .map(
      (truth) =>
        `  ${truth.padEnd(12)}${classes.map((named) => String(score.confusion.get(truth)?.get(named) ?? 0).padStart(12)).join('')}`,
    );
  return [
    `${title}: ${score.series} series`,
    ...table,
    `  (${score.stated98.right} of ${score.stated98.of} verdicts stated at 98 % or more are right)`,
    '',
    'families with an error or no verdict:',
    ...(families.length > 0 ? families : ['  none']),
    '',
    `true pattern, by named pattern:\n  ${''.padEnd(12)}${classes.map((name) => name.padStart(12)).join('')}`,
    ...confusion,
  ].join('\n');
}
