import { formatBytes, formatPercent } from '../../../src/units.js';
import { type Case, type Outcome, outcomeOf } from './outcome.js';

/** The outcomes as a person reads them: a line a case as it is finished, then the counts. */

const WIDTHS = [16, 26, 13, 7, 9, 9, 6, 9];

export function headOfTable(): string {
  return row([
    'service',
    'planted',
    'verdict',
    'sure',
    'bytes/op',
    'truth',
    'named',
    'explained',
    'first suspect',
  ]);
}

export function rowOf(done: Case): string {
  const { service, leak, result } = done;
  const { verdict, confidence, bytesPerOperation, ledger } = result.leakDetection;
  const { isRight, suspect, isNamed } = outcomeOf(done);
  const trueBytes = leak?.perOperation?.bytes;
  return row([
    service,
    leak?.name ?? 'nothing',
    isRight ? verdict : `! ${verdict}`,
    formatPercent(confidence),
    bytesPerOperation === null ? '-' : formatBytes(bytesPerOperation),
    trueBytes === undefined ? '-' : formatBytes(trueBytes),
    isNamed === null ? '-' : isNamed ? 'yes' : 'NO',
    ledger ? formatPercent(ledger.explainedShare) : '-',
    suspect?.statement ?? '-',
  ]);
}

export function summaryOf(cases: readonly Case[]): string {
  const outcomes = cases.map((done) => ({ ...done, ...outcomeOf(done) }));
  const planted = outcomes.filter(({ leak }) => leak !== null);
  const clean = outcomes.filter(({ leak }) => leak === null);
  const judged = (what: (outcome: Outcome) => boolean | null) => {
    const answers = planted.map(what).filter((answer) => answer !== null);
    return answers.length === 0 ? '-' : `${answers.filter(Boolean).length} of ${answers.length}`;
  };
  return [
    '',
    `planted leaks found                     ${judged(({ isRight }) => isRight)}`,
    `clean services called leaking           ${clean.filter(({ isRight }) => !isRight).length} of ${clean.length}`,
    `named in the first suspect              ${judged(({ isNamed }) => isNamed)}`,
    `JavaScript's growth explained >= 90 %   ${judged(({ isExplained }) => isExplained)}`,
    `bytes/op within 10 % of the truth       ${judged(({ isBytesRight }) => isBytesRight)}`,
    ...missed(cases).map((words) => `! ${words}`),
  ].join('\n');
}

/** What should have come out otherwise, a sentence each. */
export function missed(cases: readonly Case[]): string[] {
  return cases.flatMap((done) => {
    const { service, leak, result } = done;
    const { isRight, isNamed, isExplained, isBytesRight } = outcomeOf(done);
    const { verdict, explanation } = result.leakDetection;
    const name = leak?.name ?? `the clean ${service}`;
    return [
      ...(isRight ? [] : [`${name}: ${verdict}: ${explanation}`]),
      ...(isNamed === false ? [`${name}: the first suspect says none of ${leak?.culprits.join(', ')}`] : []),
      ...(isExplained === false ? [`${name}: the ledger explains too little`] : []),
      ...(isBytesRight === false ? [`${name}: bytes per operation are off by more than 10 %`] : []),
    ];
  });
}

function row(cells: readonly string[]): string {
  return cells
    .map((cell, i) => cell.padEnd(WIDTHS[i] ?? 0))
    .join('  ')
    .trimEnd();
}
