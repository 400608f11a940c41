import { linearRegression } from 'simple-statistics';
import type { HeapSize } from './compiler-heap.js';
import type { Compared, ContenderName, Loaded } from './contender.js';
import type { Job, Row, Spread } from './measure.js';

/** What several contenders did with the same files. */
export interface Comparison extends Job {
  size: HeapSize;
  bytes: number;
  rows: Row[];
}

/** Reading the text alone, in one thread. */
export interface ParseRate {
  file: string;
  bytes: number;
  bytesPerSecond: number;
}

export interface CurvePoint {
  file: string;
  bytes: number;
  row: Row;
}

export interface Report {
  machine: string;
  versions: Record<string, string>;
  rounds: number;
  timeoutSeconds: number;
  loads: Comparison[];
  diffs: Comparison[];
  parseRates: ParseRate[];
  /** Ours alone, from the smallest to 4 GB. */
  curve: CurvePoint[];
}

const OURS: ContenderName = 'crucible-memory';
/** Contenders that run DevTools' code. */
const DEVTOOLS: ContenderName[] = ['chrome-devtools-frontend', 'heap-snapshot-toolkit'];

export function print(report: Report): void {
  for (const comparison of report.loads) printComparison(comparison, loadedCells, LOADED_HEAD);
  for (const comparison of report.diffs) printComparison(comparison, comparedCells, COMPARED_HEAD);
  if (report.parseRates.length > 0) printParseRates(report);
  if (report.curve.length > 0) printCurve(report.curve);
  const versions = Object.entries(report.versions).map(([name, version]) => `${name} ${version}`);
  console.log(`${report.machine}`);
  console.log(
    `medians of ${report.rounds} rounds, least and most in brackets; given up after ${report.timeoutSeconds} s${versions.length > 0 ? `; ${versions.join(', ')}` : ''}`,
  );
  for (const verdict of verdicts(report)) console.log(`goal: ${verdict}`);
}

/** One sentence for each goal that was measured. */
export function verdicts({ loads, diffs, parseRates, curve }: Report): string[] {
  const found: string[] = [];
  const say = (what: string, isMet: boolean, figures: string) =>
    found.push(`${what}: ${isMet ? 'met' : 'MISSED'} (${figures})`);
  const judge = (
    comparison: Comparison | undefined,
    rivals: (row: Row) => boolean,
    what: string,
    share: number,
  ) => {
    const ours = comparison?.rows.find(({ contender }) => contender === OURS);
    const others =
      comparison?.rows.filter((row) => row.seconds && row.contender !== OURS && rivals(row)) ?? [];
    if (!ours?.seconds || !ours.peakBytes || others.length === 0) return;
    const faster = Math.min(...others.map((row) => row.seconds?.median ?? Number.NaN)) / ours.seconds.median;
    const leaner =
      ours.peakBytes.median / Math.min(...others.map((row) => row.peakBytes?.median ?? Number.NaN));
    say(
      `${what} at least 10 times faster than the faster of the others`,
      faster >= 10,
      `${faster.toFixed(1)} times`,
    );
    say(
      `${what} within ${(100 * share).toFixed(0)} % of the memory of the leaner of the others`,
      leaner <= share,
      `${(100 * leaner).toFixed(0)} %`,
    );
  };
  const isLarge = ({ size }: Comparison) => size === 'large';
  judge(loads.find(isLarge), () => true, 'load + dominators + retained sizes of the large snapshot', 1 / 2);
  judge(
    loads.find(isLarge),
    ({ contender }) => contender !== 'heap-snapshot-toolkit',
    "load + dominators + retained sizes of the large snapshot, beside today's DevTools and memlab",
    1 / 2,
  );
  judge(
    diffs.find(isLarge),
    ({ contender }) => DEVTOOLS.includes(contender),
    "diff of two large snapshots, beside DevTools'",
    1 / 3,
  );
  const large = parseRates.find(({ file }) => file === 'large.heapsnapshot');
  if (large) {
    const rate = large.bytesPerSecond / 1e6;
    say('parsing alone above 500 MB/s on one core', rate > 500, `${rate.toFixed(0)} MB/s`);
  }
  const largest = curve.find(({ bytes, row }) => bytes >= 4e9 && row.peakBytes);
  if (largest?.row.peakBytes) {
    const peak = largest.row.peakBytes.median;
    say('a snapshot of 4 GB within 12 GB of memory', peak <= 12e9, `${(peak / 1e9).toFixed(1)} GB`);
  }
  return found;
}

const LOADED_HEAD = ['nodes', 'edges', 'retained by the root'];
const COMPARED_HEAD = ['new', 'deleted', 'delta in bytes'];

function loadedCells(result: Row['result']): string[] {
  const { nodeCount, edgeCount, rootRetainedBytes } = result as Loaded;
  return [nodeCount, edgeCount, rootRetainedBytes].map(String);
}

function comparedCells(result: Row['result']): string[] {
  const { newCount, deletedCount, deltaBytes } = result as Compared;
  return [newCount, deletedCount, deltaBytes].map((figure) => String(figure ?? '-'));
}

function printComparison(
  { job, size, bytes, rows }: Comparison,
  resultCells: (result: Row['result']) => string[],
  resultHead: string[],
): void {
  const ours = rows.find(({ contender }) => contender === OURS);
  const ratio = (mine: Spread | undefined, other: Spread) =>
    mine ? `${(other.median / mine.median).toFixed(1)}x` : '';
  const what = job === 'load' ? 'load + dominators + retained sizes' : 'diff of two';
  console.log(`${what}, ${size}: ${megabytes(bytes)} MB`);
  const head = ['', 'seconds', '', '', 'call', 'CPU s', 'peak MB', '', ...resultHead];
  const cells = rows.map(({ contender, failure, seconds, callSeconds, cpuSeconds, peakBytes, result }) =>
    seconds && callSeconds && cpuSeconds && peakBytes
      ? [
          contender,
          seconds.median.toFixed(2),
          `(${seconds.least.toFixed(2)} .. ${seconds.most.toFixed(2)})`,
          ratio(ours?.seconds, seconds),
          callSeconds.median.toFixed(2),
          cpuSeconds.median.toFixed(2),
          megabytes(peakBytes.median),
          ratio(ours?.peakBytes, peakBytes),
          ...resultCells(result),
        ]
      : [contender, failure ?? ''],
  );
  printTable(head, cells);
}

function printParseRates({ parseRates }: Report): void {
  console.log('parsing alone, one thread');
  printTable(
    ['', 'MB', 'MB/s'],
    parseRates.map(({ file, bytes, bytesPerSecond }) => [
      file,
      megabytes(bytes),
      (bytesPerSecond / 1e6).toFixed(0),
    ]),
  );
}

function printCurve(curve: CurvePoint[]): void {
  console.log('time against size');
  printTable(
    ['', 'MB', 'nodes', 'edges', 'seconds', 'ns per edge', 'peak MB', 'bytes of memory per byte'],
    curve.map(({ file, bytes, row }) => {
      const { nodeCount, edgeCount } = (row.result ?? {}) as Partial<Loaded>;
      if (!row.callSeconds || !row.peakBytes || edgeCount === undefined)
        return [file, megabytes(bytes), row.failure ?? ''];
      return [
        file,
        megabytes(bytes),
        String(nodeCount),
        String(edgeCount),
        row.callSeconds.median.toFixed(2),
        ((1e9 * row.callSeconds.median) / edgeCount).toFixed(0),
        megabytes(row.peakBytes.median),
        (row.peakBytes.median / bytes).toFixed(2),
      ];
    }),
  );
  const power = growthPower(curve);
  if (power !== undefined)
    console.log(
      `seconds grow with the edges to the power of ${power.toFixed(2)} (one million edges and more)\n`,
    );
}

/** Below this, what is the same for every file weighs in. */
const GROWTH_EDGES_MIN = 1e6;

/** The power of the edges with which the time grows: 1 is linear. Undefined with fewer than three points. */
function growthPower(curve: CurvePoint[]): number | undefined {
  const points = curve.flatMap(({ row }) => {
    const { edgeCount = 0 } = (row.result ?? {}) as Partial<Loaded>;
    return row.callSeconds && edgeCount >= GROWTH_EDGES_MIN
      ? [[Math.log(edgeCount), Math.log(row.callSeconds.median)]]
      : [];
  });
  return points.length < 3 ? undefined : linearRegression(points).m;
}

function printTable(head: string[], cells: string[][]): void {
  // A row that failed has a sentence for its figures: it must not widen their columns.
  const widths = head.map((title, i) =>
    Math.max(
      title.length,
      ...cells.filter((row) => row.length === head.length).map((row) => row[i]?.length ?? 0),
    ),
  );
  const nameWidth = Math.max(widths[0] ?? 0, ...cells.map((row) => row[0]?.length ?? 0));
  for (const row of [head, ...cells])
    console.log(
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(nameWidth) : cell.padStart(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    );
  console.log();
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
