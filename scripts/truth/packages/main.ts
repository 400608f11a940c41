import { parseArgs } from 'node:util';
import type { MemoryTestResult } from '../../../src/diagnosis/index.js';
import { PACKAGE_CASES, type PackageCase } from './cases.js';
import { installCase } from './install.js';
import { bareBytesPerOperation, culpritPlace, judged } from './measure.js';

/**
 * `npm run truth:packages`: published packages that leak in one version and
 * not in the next, and some that grow for a while without leaking, each driven
 * by a target module of a few lines under `crucible-memory run`. Installs them
 * from the npm registry into .cache/; takes about twenty minutes. Exits 1 for
 * a leak that was missed or a false alarm.
 *
 *   node dist/scripts/truth/packages/main.js [--only NAME] [--quick] [--seconds 40] [--jobs 1]
 */
const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    seconds: { type: 'string' },
    jobs: { type: 'string', default: '1' },
  },
});
const seconds = Number(options.seconds ?? (options.quick ? 15 : 40));

interface Row {
  of: PackageCase;
  version: string;
  isLeaking: boolean;
  bareBytes?: number;
  result: MemoryTestResult;
}

const chosen = PACKAGE_CASES.filter(({ name }) => options.only?.includes(name) ?? true);
const waiting = chosen.flatMap((of) => [
  ...(of.leaking ? [{ of, version: of.leaking.version, isLeaking: true }] : []),
  { of, version: of.clean, isLeaking: false },
]);
const rows: Row[] = [];

async function judgeOneAfterTheOther(): Promise<void> {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { of, version, isLeaking } = next;
    const target = installCase(of, version);
    const bareBytes =
      isLeaking && of.leaking
        ? await bareBytesPerOperation(target, of.leaking, of.operationsPerSecond)
        : null;
    const result = await judged(target, { operationsPerSecond: of.operationsPerSecond, seconds });
    const row = { of, version, isLeaking, result, ...(bareBytes !== null && { bareBytes }) };
    rows.push(row);
    console.log(lineOf(row));
  }
}

console.log(HEADING());
await Promise.all(Array.from({ length: Number(options.jobs) }, judgeOneAfterTheOther));
summarise();

function HEADING(): string {
  return cells(['package', 'version', 'truth', 'verdict', 'confidence', 'B/op', 'bare', 'signal', 'culprit']);
}

function cells(texts: string[]): string {
  const widths = [14, 9, 6, 13, 11, 8, 8, 28, 8];
  return texts.map((text, i) => text.padEnd(widths[i] ?? 0)).join('');
}

function lineOf({ of, version, isLeaking, bareBytes, result }: Row): string {
  const { verdict, confidence, bytesPerOperation, signal, suspects = [] } = result.leakDetection;
  const place = of.leaking && isLeaking ? culpritPlace(result.leakDetection, of.leaking) : undefined;
  const bytes = (value: number | null | undefined) => (value == null ? '-' : value.toFixed(0));
  const line = cells([
    of.name,
    version,
    isLeaking ? 'leak' : 'clean',
    `${isWrong({ isLeaking, result }) ? '!' : ' '} ${verdict}`,
    confidence.toFixed(3),
    bytes(bytesPerOperation),
    bytes(bareBytes),
    signal ?? '-',
    place === undefined ? '-' : String(place),
  ]);
  const failure = result.failure ? [`    failed: ${result.failure.reason}`] : [];
  const why = isWrong({ isLeaking, result }) ? [`    ${result.leakDetection.explanation}`] : [];
  const named = suspects.slice(0, 3).map(({ kind, statement }, i) => `    ${i + 1} ${kind}: ${statement}`);
  return [line, ...failure, ...why, ...(isLeaking ? named : [])].join('\n');
}

/** A leak must be found; what is clean must not be called a leak. */
function isWrong({ isLeaking, result }: Pick<Row, 'isLeaking' | 'result'>): boolean {
  return isLeaking !== result.leakDetection.leakDetected;
}

function summarise(): void {
  const leaking = rows.filter(({ isLeaking }) => isLeaking);
  const clean = rows.filter(({ isLeaking }) => !isLeaking);
  const fixed = clean.filter(({ of }) => of.leaking !== undefined);
  const growing = clean.filter(({ of }) => of.leaking === undefined);
  const wrong = (some: Row[]) => some.filter(isWrong).length;
  const named = leaking.filter(
    ({ of, result }) => of.leaking && culpritPlace(result.leakDetection, of.leaking) !== undefined,
  );
  const undecided = rows.filter(({ result }) => result.leakDetection.verdict === 'inconclusive').length;
  console.log(
    [
      '',
      `leaks found              ${leaking.length - wrong(leaking)} of ${leaking.length}`,
      `fixed versions accused   ${wrong(fixed)} of ${fixed.length}`,
      `clean growers accused    ${wrong(growing)} of ${growing.length}`,
      `culprits named           ${named.length} of ${leaking.length}`,
      `without a verdict        ${undecided} of ${rows.length}`,
    ].join('\n'),
  );
  process.exitCode = wrong(rows) === 0 ? 0 : 1;
}
