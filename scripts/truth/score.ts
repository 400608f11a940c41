import type { LeakPatternType, LeakVerdict } from '../../src/diagnosis/index.js';

/** What was said of a series, beside what is true of it. */
export interface Scored {
  family: string;
  truth: { pattern: LeakPatternType; bytesPerSecond: number } | null;
  verdict: LeakVerdict;
  /** Probability of a leak that the verdict states. */
  probability: number;
  pattern: LeakPatternType | null;
  bytesPerSecond: number | null;
}

export interface Score {
  series: number;
  precision: number;
  recall: number;
  falseAlarmRate: number;
  f1: number;
  inconclusiveShare: number;
  /** Mean squared difference of stated probability and truth (Brier 1950). */
  brier: number;
  /** Mean difference of stated and realised share, over ten equal bins of the probability. */
  calibrationError: number;
  stated98: { right: number; of: number };
  rateErrorMedian: number;
  rateError90th: number;
  /** Mean over the classes (none and the five patterns) of the share that was named right. */
  patternRecall: number;
  /** Wrong verdicts and inconclusive ones of each family. */
  families: Map<string, { of: number; wrong: number; inconclusive: number; isLeak: boolean }>;
  /** Named pattern by true pattern. */
  confusion: Map<string, Map<string, number>>;
}

/** Inconclusive counts as no leak. */
export function score(all: readonly Scored[]): Score {
  const count = (test: (one: Scored) => boolean) => all.filter(test).length;
  const alarms = count(({ verdict }) => verdict === 'leak');
  const hits = count(({ verdict, truth }) => verdict === 'leak' && truth !== null);
  const leaks = count(({ truth }) => truth !== null);
  const precision = hits / Math.max(1, alarms);
  const recall = hits / Math.max(1, leaks);
  const errors = all
    .flatMap(({ verdict, truth, bytesPerSecond }) =>
      verdict === 'leak' && truth !== null && bytesPerSecond !== null
        ? [Math.abs(bytesPerSecond / truth.bytesPerSecond - 1)]
        : [],
    )
    .sort((a, b) => a - b);
  const sure = all.filter(({ verdict, probability }) => verdict === 'leak' && probability >= 0.98);
  const confusion = confusionOf(all);
  return {
    series: all.length,
    precision,
    recall,
    falseAlarmRate: (alarms - hits) / Math.max(1, all.length - leaks),
    f1: (2 * precision * recall) / (precision + recall),
    inconclusiveShare: count(({ verdict }) => verdict === 'inconclusive') / all.length,
    brier: mean(all.map(({ probability, truth }) => (probability - (truth === null ? 0 : 1)) ** 2)),
    calibrationError: calibrationError(all),
    stated98: { right: sure.filter(({ truth }) => truth !== null).length, of: sure.length },
    rateErrorMedian: errors[Math.floor(errors.length / 2)] ?? Number.NaN,
    rateError90th: errors[Math.floor(errors.length * 0.9)] ?? Number.NaN,
    patternRecall: mean([...confusion].map(([truth, named]) => (named.get(truth) ?? 0) / total(named))),
    families: familiesOf(all),
    confusion,
  };
}

function calibrationError(all: readonly Scored[]): number {
  let error = 0;
  for (let bin = 0; bin < 10; bin++) {
    const within = all.filter(({ probability }) => Math.min(9, Math.floor(probability * 10)) === bin);
    if (within.length === 0) continue;
    const stated = mean(within.map(({ probability }) => probability));
    const realised = within.filter(({ truth }) => truth !== null).length / within.length;
    error += (within.length / all.length) * Math.abs(stated - realised);
  }
  return error;
}

function familiesOf(all: readonly Scored[]): Score['families'] {
  const families: Score['families'] = new Map();
  for (const { family, truth, verdict } of all) {
    const row = families.get(family) ?? { of: 0, wrong: 0, inconclusive: 0, isLeak: truth !== null };
    row.of++;
    if ((verdict === 'leak') !== (truth !== null)) row.wrong++;
    if (verdict === 'inconclusive') row.inconclusive++;
    families.set(family, row);
  }
  return families;
}

function confusionOf(all: readonly Scored[]): Score['confusion'] {
  const confusion: Score['confusion'] = new Map();
  for (const { truth, verdict, pattern } of all) {
    const row = confusion.get(truth?.pattern ?? 'none') ?? new Map<string, number>();
    const named = verdict === 'leak' ? (pattern ?? 'unnamed') : 'none';
    row.set(named, (row.get(named) ?? 0) + 1);
    confusion.set(truth?.pattern ?? 'none', row);
  }
  return confusion;
}

function total(counts: Map<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0) / values.length;
}
