import type { createColors } from 'picocolors';
import type { MemoryTestResult } from '../diagnosis/index.js';
import { type Outcome, outcomeOf, sparkline } from '../report/index.js';
import { formatBytes, formatDuration, formatRate } from '../units.js';
import { TEST_SCENARIOS } from '../vocabulary.js';
import type { RunProgress, TestState } from './run-progress.js';

/** How one test looks in a line, while it runs and afterwards. */

export type Paint = ReturnType<typeof createColors>;

const SCENARIO_WIDTH = Math.max(...TEST_SCENARIOS.map(({ length }) => length));
const PHASE_WIDTH = 8;
const OUTCOME_WIDTH = 12;
const SPARK_WIDTH = 24;

/** A scenario's name, padded so that what follows stands in columns. */
export function scenarioColumn(scenario: string): string {
  return scenario.padEnd(SCENARIO_WIDTH);
}

/** @example "load      3s of 9s   ▁▂▃▄▅▆  72.4 MiB  1512 operations" */
export function runningText(test: TestState, paint: Paint): string {
  const { phase = 'setup', elapsedMs, planned, trace, operations } = test;
  const time = `${formatDuration(elapsedMs)} of ${formatDuration(planned.plannedMs)}`;
  const rss = trace.at(-1);
  const memory = rss === undefined ? '' : `${paint.cyan(sparkline(trace, SPARK_WIDTH))}  ${formatBytes(rss)}`;
  const done = operations === 0 ? '' : `${operations} operations`;
  return [phase.padEnd(PHASE_WIDTH), time.padEnd(13), memory, paint.dim(done)]
    .filter((part) => part !== '')
    .join('  ');
}

/** @example "no leak       ▁▂▃▄▅▆  peak 72.4 MiB  499 ops/s  6s" */
export function finishedText(result: MemoryTestResult, trace: readonly number[], paint: Paint): string {
  const { words, colour } = outcomeOf(result);
  const { memoryStats, performanceMetrics, durationMs, failure } = result;
  const peak = memoryStats.peakMemoryBytes;
  const rate = performanceMetrics.operationsPerSecond;
  const figures = [
    trace.length === 0 ? '' : sparkline(trace, SPARK_WIDTH).padEnd(SPARK_WIDTH),
    peak === null ? '' : `peak ${formatBytes(peak)}`,
    rate ? `${formatRate(rate)} ops/s` : '',
    formatDuration(durationMs),
  ];
  const details = failure ? failure.code : figures.filter((part) => part !== '').join('  ');
  return `${paint[colour](words.padEnd(OUTCOME_WIDTH))}  ${paint.dim(details)}`;
}

/** @example "12 of 32 tests, 1m 40s elapsed, about 2m 30s left" */
export function overallText(progress: RunProgress): string {
  const { finishedCount, tests, elapsedMs, remainingMs } = progress;
  return `${finishedCount} of ${tests.length} tests, ${formatDuration(elapsedMs)} elapsed, about ${formatDuration(remainingMs)} left`;
}

/** @example "3 tests, 2 no leak, 1 inconclusive" */
export function targetText(tests: readonly TestState[], paint: Paint): string {
  const outcomes = new Map<string, { outcome: Outcome; count: number }>();
  for (const { result } of tests) {
    if (!result) continue;
    const outcome = outcomeOf(result);
    outcomes.set(outcome.words, { outcome, count: (outcomes.get(outcome.words)?.count ?? 0) + 1 });
  }
  return [...outcomes.values()]
    .map(({ outcome, count }) => paint[outcome.colour](`${count} ${outcome.words}`))
    .join(', ');
}
