import { relative, resolve } from 'node:path';
import { createColors } from 'picocolors';
import type { RunReport } from '../diagnosis/index.js';
import { messageOf } from '../errors.js';
import { renderText, reportToJson, writeReport } from '../report/index.js';
import { ExitCode } from './exit-code.js';
import type { NextStep } from './next-step.js';
import type { Surroundings } from './run-command.js';
import { screenOf, writeAll } from './terminal.js';

/** What `record` and `attach` say when the recording is judged. */
export interface RecordingOutput {
  report: RunReport;
  folder: string;
  /** How it ended. */
  ending: string;
  /** Sentences about what is not among the results. */
  leftOut: readonly string[];
  /** Files beside the recordings. */
  files?: readonly string[];
  next: NextStep | undefined;
}

const LABEL_WIDTH = 10;

/** Shows the report and saves it beside the recordings; one that cannot be saved is shown all the same. */
export async function showRecording(
  { report, folder, ending, leftOut, files = [], next }: RecordingOutput,
  given: { format: 'text' | 'json'; color?: boolean },
  world: Surroundings,
): Promise<void> {
  const reportPath = resolve(folder, 'results.json');
  const trouble = save(report, reportPath, folder);
  if (given.format === 'json') {
    await writeAll(world.stdout, reportToJson(report));
  } else {
    const screen = screenOf(world.stdout, given.color, world.env);
    const paint = createColors(screen.colour);
    const shown = (path: string) => {
      const fromHere = relative(world.directory, path);
      return fromHere.startsWith('..') ? path : fromHere;
    };
    const add = (label: string, text: string) => `${paint.dim(label.padEnd(LABEL_WIDTH))}${text}\n`;
    await writeAll(
      world.stdout,
      [
        `\n${renderText(report, screen)}\n\n`,
        add('ended', ending),
        ...leftOut.map((sentence) => add('also', sentence)),
        ...report.results.map(({ recording }) => add('recorded', shown(recording ?? ''))),
        ...files.map((path) => add('written', shown(path))),
        ...(trouble === undefined ? [add('results', shown(reportPath))] : []),
        ...(next ? [add('next', paint.bold(next.command)), add('', paint.dim(next.reason))] : []),
      ].join(''),
    );
  }
  if (trouble !== undefined) await writeAll(world.stderr, `crucible-memory: ${trouble}\n`);
}

/** Returns what went wrong. */
function save(report: RunReport, path: string, folder: string): string | undefined {
  const results = report.results.map((result) => ({
    ...result,
    recording: result.recording === null ? null : relative(folder, result.recording),
  }));
  try {
    writeReport({ ...report, results }, path);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

export function exitCodeOfFindings({ summary }: RunReport): ExitCode {
  return summary.violated > 0 || summary.leaks > 0 ? ExitCode.Found : ExitCode.NothingFound;
}
