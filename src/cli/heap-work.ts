import type { WriteStream } from 'node:tty';
import { createColors } from 'picocolors';
import type { HeapTextOptions } from '../report/index.js';
import type { HeapOptions } from '../snapshot/index.js';
import { ExitCode } from './exit-code.js';
import type { HeapArguments } from './heap-arguments.js';
import { HeapProgressLine } from './heap-progress.js';
import { interruptible } from './interruption.js';
import { quoted } from './next-step.js';
import { writePrivateFile } from './private-file.js';
import { screenOf, writeAll } from './terminal.js';

/** The world outside of `diff` and `inspect`. */
export interface HeapSurroundings {
  stdin: NodeJS.ReadStream;
  stdout: WriteStream;
  stderr: WriteStream;
  env: NodeJS.ProcessEnv;
  directory: string;
}

/** What a command has to print, in the form that was asked for. */
export interface HeapReport {
  json: () => string;
  text: (options: HeapTextOptions) => string;
  markdown?: (options: HeapTextOptions) => string;
  next?: { command: string; reason: string } | undefined;
}

/**
 * Carries out the work of a command with progress and Ctrl-C, and prints what
 * came of it. Interrupted, nothing is printed and no file is left.
 */
export async function heapWork(
  given: HeapArguments,
  world: HeapSurroundings,
  work: (options: HeapOptions) => Promise<HeapReport>,
): Promise<ExitCode> {
  const screen = screenOf(world.stderr, given.color, world.env);
  const line = new HeapProgressLine(world.stderr, screen, given.quiet);
  const interruption = interruptible(world.stderr);
  try {
    const { salvage, redact } = given;
    const report = await work({ salvage, redact, signal: interruption.signal, onProgress: line.draw });
    line.clear();
    await print(report, given, world);
    return ExitCode.NothingFound;
  } catch (error) {
    line.clear();
    if (!interruption.signal.aborted) throw error;
    await writeAll(world.stderr, 'crucible-memory: interrupted, nothing was concluded\n');
    return ExitCode.Interrupted;
  } finally {
    interruption.end();
  }
}

async function print(report: HeapReport, given: HeapArguments, world: HeapSurroundings): Promise<void> {
  const screen = screenOf(world.stdout, given.color, world.env);
  const isFile = given.output !== undefined;
  const colour = screen.colour && (!isFile || given.color === true);
  const options = { colour, width: screen.width, directory: world.directory, top: given.top };
  const text = textOf(report, given.format, options);
  if (given.output === undefined) return writeAll(world.stdout, text);
  writePrivateFile(given.output, text);
}

function textOf(report: HeapReport, format: HeapArguments['format'], options: HeapTextOptions): string {
  if (format === 'json') return report.json();
  if (format === 'markdown' && report.markdown) return `${report.markdown(options)}\n`;
  const paint = createColors(options.colour ?? false);
  const next = report.next
    ? `\n${paint.dim('next     ')}${paint.bold(report.next.command)}\n${' '.repeat(9)}${paint.dim(report.next.reason)}\n`
    : '';
  return `${report.text(options)}\n${next}`;
}

/** The command that looks at one object of a file; undefined where there is no file to name. */
export function inspectCommand(path: string | undefined, id: number): string | undefined {
  return path === undefined || path === '-'
    ? undefined
    : `crucible-memory inspect ${quoted(path)} --node ${id}`;
}
