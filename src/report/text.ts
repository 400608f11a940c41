import { stripVTControlCharacters } from 'node:util';
import { createColors } from 'picocolors';
import {
  type MemoryTestResult,
  type RunReport,
  type ThresholdViolation,
  ViolationSeverity,
  ViolationType,
} from '../diagnosis/index.js';
import { formatBytes, formatDuration, formatLatency, formatPercent, formatRate } from '../units.js';
import { Phase } from '../vocabulary.js';
import { type Column, table, wrap } from './layout.js';
import { sparkline } from './sparkline.js';
import { suspectLines } from './suspects-text.js';

/** The summary that a person wants first: the verdict, a line a test, then the reasons. */

export interface TextOptions {
  /** Default: no colours. */
  colour?: boolean;
  /** Characters a line. Default: 100. */
  width?: number;
}

type Colours = ReturnType<typeof createColors>;

interface Page {
  report: RunReport;
  paint: Colours;
  width: number;
}

/** Lines without a newline at the end. */
export function renderText(report: RunReport, options: TextOptions = {}): string {
  const page: Page = { report, paint: createColors(options.colour ?? false), width: options.width ?? 100 };
  const sections = [verdict, overview, leaks, stopped, violations, failures, notJudged, recommendations];
  return sections
    .map((section) => section(page))
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function verdict({ report, paint, width }: Page): string[] {
  const { word, sentence, style } = headline(report, paint);
  const lines = wrap(sentence, width, '  ', `${word}  `);
  const planted = new Set(report.results.flatMap(({ injectedFault }) => injectedFault ?? []));
  return [
    ...lines.map((line, index) => (index === 0 ? line.replace(word, () => style(word)) : line)),
    ...Array.from(planted, (leak) => `  planted on purpose: ${leak}`),
  ];
}

/** The worst that happened, and how much of the run it concerns. */
function headline({ summary, results, interrupted }: RunReport, paint: Colours) {
  const tests = count(summary.tests, 'test');
  const unfinished = interrupted ? `; interrupted with ${count(summary.notRun, 'test')} not carried out` : '';
  const judged = judgedSentence(summary);
  if (summary.leaks > 0) {
    return { word: 'LEAK', sentence: leakSentence(results) + unfinished, style: emphasis(paint.red, paint) };
  }
  if (summary.violated > 0) {
    const sentence = `${summary.violated} of ${tests} broke a threshold${unfinished}; ${judged}`;
    return { word: 'OVER LIMIT', sentence, style: emphasis(paint.red, paint) };
  }
  if (summary.failed > 0) {
    const sentence = `${summary.failed} of ${tests} could not be carried out${unfinished}${summary.failed === summary.tests ? '' : `; of the others ${judged}`}`;
    return { word: 'FAILED', sentence, style: emphasis(paint.magenta, paint) };
  }
  if (interrupted) {
    const sentence = `${tests} finished, ${summary.notRun} not carried out; ${judged}`;
    return { word: 'INTERRUPTED', sentence, style: emphasis(paint.yellow, paint) };
  }
  if (summary.inconclusive > 0) {
    const word = summary.inconclusive === summary.tests ? 'INCONCLUSIVE' : 'NOTHING FOUND';
    return { word, sentence: `${tests}: ${judged}`, style: emphasis(paint.yellow, paint) };
  }
  return { word: 'CLEAN', sentence: `${tests}: ${judged}`, style: emphasis(paint.green, paint) };
}

function emphasis(colour: (text: string) => string, paint: Colours) {
  return (text: string) => paint.bold(colour(text));
}

function leakSentence(results: readonly MemoryTestResult[]): string {
  const leaking = results.filter(({ leakDetection }) => leakDetection.leakDetected);
  const [worst] = leaking.toSorted(
    (a, b) => (b.leakDetection.leakRate ?? 0) - (a.leakDetection.leakRate ?? 0),
  );
  if (!worst) return '';
  const { bytesPerOperation, leakRate, confidence } = worst.leakDetection;
  const amount =
    bytesPerOperation === null
      ? `${formatBytes(leakRate ?? 0)} per second`
      : `${formatBytes(bytesPerOperation)} per operation`;
  const others = leaking.length - 1;
  const more = others === 0 ? '' : `, and ${count(others, 'more test')} ${others === 1 ? 'leaks' : 'leak'}`;
  return `${worst.serviceType} leaves ${amount} behind (${worst.scenario}, ${formatPercent(confidence)} sure)${more}`;
}

function judgedSentence({ passed, violated, leaks, inconclusive }: RunReport['summary']): string {
  const carriedOut = passed + violated;
  const withoutLeak = carriedOut - leaks - inconclusive;
  const parts = [];
  if (withoutLeak > 0) parts.push(`${withoutLeak} without a leak`);
  if (inconclusive > 0) parts.push(`${inconclusive} too short or too noisy to judge`);
  return parts.length === 0 ? 'none judged' : parts.join(', ');
}

function overview({ report, paint, width }: Page): string[] {
  const rows = report.results.map((result, index) => ({
    result,
    // A target's name once, above its tests.
    target: report.results[index - 1]?.serviceType === result.serviceType ? '' : result.serviceType,
  }));
  if (rows.length === 0) return [];
  const lines = table(rows, columns(paint), width);
  return lines.map((line, index) => (index === 0 ? paint.dim(line) : line));
}

interface OverviewRow {
  result: MemoryTestResult;
  target: string;
}

const ABSENT = '–';

function columns(paint: Colours): Column<OverviewRow>[] {
  const figure = (value: number | null, format: (value: number) => string) =>
    value === null ? ABSENT : format(value);
  return [
    { title: 'target', align: 'left', givesWay: 0, text: (row) => row.target },
    { title: 'scenario', align: 'left', givesWay: 0, text: ({ result }) => result.scenario },
    {
      title: 'result',
      align: 'left',
      givesWay: 0,
      text: ({ result }) => outcomeText(result),
      style: (text, { result }) => paint[outcomeOf(result).colour](text),
    },
    {
      title: 'RSS peak',
      align: 'right',
      givesWay: 2,
      text: ({ result }) => figure(result.memoryStats.peakMemoryBytes, formatBytes),
    },
    {
      title: 'floor/op',
      align: 'right',
      givesWay: 1,
      text: ({ result }) => figure(result.leakDetection.bytesPerOperation, formatBytes),
    },
    {
      title: 'ops/s',
      align: 'right',
      givesWay: 3,
      text: ({ result }) => figure(result.performanceMetrics.operationsPerSecond, formatRate),
    },
    {
      title: 'p95',
      align: 'right',
      givesWay: 4,
      text: ({ result }) => figure(result.performanceMetrics.p95ResponseTimeMs, formatLatency),
    },
  ];
}

/** How a test came out. */
export interface Outcome {
  mark: '✓' | '~' | '✗' | '!';
  words: 'no leak' | 'inconclusive' | 'over limit' | 'leak' | 'failed';
  colour: 'red' | 'magenta' | 'yellow' | 'green';
}

export function outcomeOf(result: MemoryTestResult): Outcome {
  if (result.status === 'failed') return { mark: '!', words: 'failed', colour: 'magenta' };
  if (result.leakDetection.leakDetected) return { mark: '✗', words: 'leak', colour: 'red' };
  if (result.status === 'violated') return { mark: '✗', words: 'over limit', colour: 'red' };
  if (result.leakDetection.verdict === 'inconclusive')
    return { mark: '~', words: 'inconclusive', colour: 'yellow' };
  return { mark: '✓', words: 'no leak', colour: 'green' };
}

function outcomeText(result: MemoryTestResult): string {
  const { mark, words } = outcomeOf(result);
  return `${mark} ${words}`;
}

function leaks({ report, paint, width }: Page): string[] {
  const leaking = report.results.filter(({ leakDetection }) => leakDetection.leakDetected);
  if (leaking.length === 0) return [];
  const blocks = leaking.flatMap(({ serviceType, scenario, leakDetection, measurements }) => [
    `  ${paint.red(`${serviceType} / ${scenario}`)}  ${formatPercent(leakDetection.confidence)} sure`,
    ...residentOverLoad(measurements).map((line) => `    ${line}`),
    ...wrap(leakDetection.explanation, width, '    '),
    ...(leakDetection.patternAnalysis ? [`    pattern: ${leakDetection.patternAnalysis.patternType}`] : []),
    ...(leakDetection.suspects?.length
      ? suspectLines(leakDetection, width)
      : [
          ...leakDetection.suspectedSources.flatMap((source) => wrap(source, width, '      ', '    - ')),
          ...suspectLines(leakDetection, width),
        ]),
  ]);
  return [paint.bold('Leaks'), ...blocks];
}

const SPARK_WIDTH = 40;

/** How resident memory went under load: its course, and from where to where. */
function residentOverLoad(measurements: MemoryTestResult['measurements']): string[] {
  const resident = measurements.flatMap(({ phase, totalMemoryBytes }) =>
    phase === Phase.Load && totalMemoryBytes !== undefined ? [totalMemoryBytes] : [],
  );
  const [first] = resident;
  const last = resident.at(-1);
  if (first === undefined || last === undefined || resident.length < 3) return [];
  return [`RSS ${sparkline(resident, SPARK_WIDTH)} ${formatBytes(first)} → ${formatBytes(last)}`];
}

/** Loads that were ended because what they had to show was shown. */
function stopped({ report, paint, width }: Page): string[] {
  const lines = report.results.flatMap(({ serviceType, scenario, stoppedEarly, leakDetection }) => {
    if (stoppedEarly === undefined) return [];
    const { afterSeconds, plannedSeconds, reason, verdict: seen } = stoppedEarly;
    const doubt = leakDetection.provisional
      ? `; what came after says ${leakDetection.verdict}: let it run for its time`
      : '';
    const sentence = `${serviceType} / ${scenario}  stopped after ${formatDuration(1000 * afterSeconds)} of ${formatDuration(1000 * plannedSeconds)}: ${seen}, ${reason}${doubt}`;
    return wrap(sentence, width, '    ', '  ');
  });
  return lines.length === 0 ? [] : [paint.bold('Stopped early'), ...lines];
}

const SEVERITIES = [
  ViolationSeverity.Critical,
  ViolationSeverity.High,
  ViolationSeverity.Medium,
  ViolationSeverity.Low,
];

/** Everything but leaks, which have their own section; the worst first. */
function violations({ report, paint, width }: Page): string[] {
  const found = report.results.flatMap((result) =>
    result.thresholdViolations
      .filter(({ violationType }) => violationType !== ViolationType.MemoryLeak)
      .map((violation) => ({ result, violation })),
  );
  if (found.length === 0) return [];
  const rank = ({ violation }: { violation: ThresholdViolation }) => SEVERITIES.indexOf(violation.severity);
  const lines = found
    .toSorted((a, b) => rank(a) - rank(b))
    .flatMap(({ result, violation }) => [
      `  ${violation.severity.padEnd(8)}  ${paint.red(`${result.serviceType} / ${result.scenario}`)}`,
      ...wrap(violation.description, width, ' '.repeat(12)),
    ]);
  return [paint.bold('Over limit'), ...lines];
}

/** The end of stderr is shown, because the reason is mostly there. */
const STDERR_LINES = 6;

function failures({ report, paint, width }: Page): string[] {
  const failed = report.results.filter(({ status }) => status === 'failed');
  if (failed.length === 0) return [];
  const blocks = failed.flatMap(({ serviceType, scenario, failure }) => {
    if (!failure) return [`  ${paint.magenta(`${serviceType} / ${scenario}`)}`];
    const during = failure.phase === null ? '' : ` during ${failure.phase}`;
    const stderr = stripVTControlCharacters(failure.stderr ?? '')
      .trimEnd()
      .split('\n')
      .slice(-STDERR_LINES);
    return [
      `  ${paint.magenta(`${serviceType} / ${scenario}`)}`,
      ...wrap(`${failure.code}${during}: ${failure.reason}`, width, '    '),
      ...stderr.filter((line) => line !== '').map((line) => paint.dim(`    | ${line}`)),
    ];
  });
  return [paint.bold('Could not be carried out'), ...blocks];
}

function notJudged({ report, paint, width }: Page): string[] {
  const undecided = report.results.filter(
    ({ status, leakDetection }) => status !== 'failed' && leakDetection.verdict === 'inconclusive',
  );
  if (undecided.length === 0) return [];
  const reasons = grouped(
    undecided.map((result) => ({
      key: result.leakDetection.neededSeconds === undefined ? (result.leakDetection.remedy ?? '') : 'longer',
      result,
    })),
  );
  const lines = reasons.flatMap(([key, results]) => {
    if (key !== 'longer')
      return wrap(
        `${key === '' ? results[0]?.leakDetection.explanation : key} (${namesOf(results)})`,
        width,
        '    ',
        '  - ',
      );
    const longest = Math.max(...results.map(({ leakDetection }) => leakDetection.neededSeconds ?? 0));
    const sentence = `load of up to ${formatDuration(longest * 1000)} would settle ${namesOf(results)}`;
    return wrap(sentence, width, '    ', '  - ');
  });
  return [paint.bold('Not judged'), ...lines];
}

/** The same advice for several tests is given once. */
function recommendations({ report, paint, width }: Page): string[] {
  const given = report.results.flatMap((result) => {
    const { remedy } = result.leakDetection;
    // What would settle a verdict stands under "Not judged", once for all tests.
    const others = result.recommendations.filter(
      (advice) => remedy === undefined || !advice.includes(remedy),
    );
    return others.map((key) => ({ key, result }));
  });
  const lines = grouped(given).flatMap(([advice, results]) => {
    const [first, ...rest] = wrap(`${advice} (${namesOf(results)})`, width, '    ', '  - ');
    return [first ?? '', ...rest];
  });
  return lines.length === 0 ? [] : [paint.bold('Recommendations'), ...lines];
}

function grouped(
  entries: readonly { key: string; result: MemoryTestResult }[],
): [string, MemoryTestResult[]][] {
  const groups = new Map<string, MemoryTestResult[]>();
  for (const { key, result } of entries) groups.set(key, [...(groups.get(key) ?? []), result]);
  return [...groups];
}

/** @example "DataStore: IdleBaseline, SingleOperation; McpGateway: all 8" */
function namesOf(results: readonly MemoryTestResult[]): string {
  const scenarios = new Map<string, string[]>();
  for (const { serviceType, scenario } of results) {
    scenarios.set(serviceType, [...(scenarios.get(serviceType) ?? []), scenario]);
  }
  return [...scenarios].map(([target, names]) => `${target}: ${names.join(', ')}`).join('; ');
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
