import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import type { LoadedConfig } from '../config/index.js';
import type { RunReport } from '../diagnosis/index.js';
import type { PlannedTest } from '../runner/progress.js';
import { formatDuration } from '../units.js';
import type { Destination } from './destination.js';
import { type Asked, nextStep } from './next-step.js';
import type { Paint } from './test-line.js';

/** What is said before the first test and after the last. */

/** What will run, how long it takes, and where it goes. */
export function header(
  plan: readonly PlannedTest[],
  { profile, sources, config }: LoadedConfig,
  destination: Destination | undefined,
  paint: Paint,
): string {
  const targets = new Set(plan.map(({ target }) => target));
  const scenarios = new Set(plan.map(({ scenario }) => scenario));
  const durationMs = plan.reduce((total, test) => total + test.plannedMs, 0);
  const tests = `${count(plan.length, 'test')} (${count(targets.size, 'target')} × ${count(scenarios.size, 'scenario')})`;
  const planted = new Set(plan.flatMap(({ injectedFault }) => injectedFault ?? []));
  const changed = sources.slice(1).join(', ');
  return [
    `${paint.bold('crucible-memory')}  ${tests}, about ${formatDuration(durationMs)}`,
    paint.dim(
      [
        `profile ${profile}${changed === '' ? '' : ` + ${changed}`}`,
        `RSS sampled at ${config.sampling.rateHz} Hz`,
        ...Array.from(planted, (leak) => `with the planted leak ${leak}`),
        ...(destination ? [`results in ${shown(destination.reportPath)}`] : []),
      ].join(' · '),
    ),
    '',
  ].join('\n');
}

/** Where the results are, and what to do next. Begins with an empty line. */
export function footer(
  report: RunReport,
  asked: Asked,
  destination: Destination | undefined,
  paint: Paint,
): string {
  const lines = [''];
  const add = (label: string, text: string) => lines.push(`${paint.dim(label.padEnd(LABEL_WIDTH))}${text}`);
  if (destination) add('results', shown(destination.reportPath));
  const chart = chartToLookAt(report);
  if (chart) add('chart', shown(chart));
  const next = nextStep(report, asked);
  if (next) {
    add('next', paint.bold(next.command));
    add('', paint.dim(next.reason));
  }
  return lines.join('\n');
}

const LABEL_WIDTH = 9;

/** The picture of the first leak, if it was drawn. */
function chartToLookAt({ results }: RunReport): string | undefined {
  const recording = results.find(({ leakDetection }) => leakDetection.leakDetected)?.recording;
  const chart = recording?.replace(/\.[^.]+$/, '.svg');
  return chart !== undefined && existsSync(chart) ? chart : undefined;
}

function shown(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith('..') ? path : fromHere;
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
