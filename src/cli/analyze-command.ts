import { createColors } from 'picocolors';
import { type Analysis, analyzeFile, analyzePrometheus, Fleet } from '../analyze.js';
import { CrucibleMemoryError } from '../errors.js';
import { analysisLine, renderAnalysis, renderFleet } from '../report/index.js';
import {
  type AnalyzeArguments,
  falseDiscoveryRate,
  judgeSettings,
  milliseconds,
} from './analyze-arguments.js';
import { ExitCode } from './exit-code.js';
import type { Surroundings } from './run-command.js';
import { screenOf, writeAll } from './terminal.js';

/** A line of progress for so many series; fewer need none. */
const PROGRESS_EVERY = 500;

/**
 * `crucible-memory analyze`: judges one series after the other and writes each
 * verdict as it is reached, so that memory does not grow with their number.
 *
 * @throws CrucibleMemoryError for wrong usage, and for input that cannot be read
 */
export async function analyzeCommand(
  files: string[],
  given: AnalyzeArguments,
  world: Surroundings,
): Promise<ExitCode> {
  const counts = { series: 0, leaks: 0 };
  const fleet = new Fleet(falseDiscoveryRate(given));
  const screen = screenOf(world.stdout, given.color, world.env);
  const paint = createColors(screen.colour);
  for await (const analysis of analyses(files, given)) {
    counts.series++;
    fleet.add(analysis.id, analysis.result);
    if (analysis.result.leakDetected) counts.leaks++;
    const text =
      given.format === 'json'
        ? analysisLine(analysis)
        : renderAnalysis(analysis, { paint, width: screen.width });
    await writeAll(world.stdout, `${text}\n`);
    if (counts.series % PROGRESS_EVERY === 0)
      await writeAll(world.stderr, `${counts.series} series judged, ${counts.leaks} leak\n`);
  }
  // Of the JSON every line is a series: what is said of them all stands beside it.
  if (counts.series > 1)
    await writeAll(
      given.format === 'text' ? world.stdout : world.stderr,
      `${renderFleet(fleet.conclude(), screen.width)}\n`,
    );
  return counts.leaks > 0 ? ExitCode.Found : ExitCode.NothingFound;
}

async function* analyses(files: string[], given: AnalyzeArguments): AsyncGenerator<Analysis> {
  const settings = judgeSettings(given);
  if (given.prometheus !== undefined) {
    if (given.query === undefined || files.length > 0) throw wrongSource();
    yield* analyzePrometheus(
      {
        url: given.prometheus,
        query: given.query,
        rangeMs: milliseconds(given.range),
        ...(given.step !== undefined && { stepMs: milliseconds(given.step) }),
      },
      settings,
    );
    return;
  }
  if (files.length === 0) throw wrongSource();
  for (const file of files) yield* analyzeFile(file, settings);
}

function wrongSource(): CrucibleMemoryError {
  return new CrucibleMemoryError('USAGE', {
    what: 'it is not clear what to analyze',
    why: 'give either files, or --prometheus together with --query',
    fix: 'crucible-memory analyze memory.csv, or see crucible-memory analyze --help',
  });
}
