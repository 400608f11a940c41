import type { Command } from 'commander';
import type { AnalyzeArguments } from './analyze-arguments.js';
import { duration, oneOf } from './arguments.js';
import type { ExportArguments } from './export-command.js';

/** How `analyze` and `export` are called; what they do is loaded when they are. */

export function addAnalyzeCommand(program: Command, done: (exitCode: number) => void): void {
  program
    .command('analyze')
    .summary('judge memory series from anywhere: recordings, CSV, NDJSON, Prometheus')
    .description(
      'Judges whether memory leaks in recordings, CSV files (a column of time, and any of rss, heapUsed, liveAfterGc, heapTotal, external, mallocInUse, ops), NDJSON files (a series a line), and in what a Prometheus server returns.',
    )
    .argument('[files...]', 'recordings, CSV or NDJSON files')
    .option(
      '--format <format>',
      'text, or json: NDJSON, a line a series in input order',
      oneOf(['text', 'json']),
      'text',
    )
    .option('--threshold <size>', 'growth over the whole series that counts as a leak', '5MiB')
    .option('--min-bytes-per-operation <size>', 'growth for each operation that counts as a leak')
    .option('--min-samples <count>', 'full collections, or samples, below which there is no verdict', '10')
    .option('--significance <share>', 'confidence that a verdict needs, 0.5 to 1')
    .option(
      '--false-discovery-rate <share>',
      'of several series: the share of the leaks that are named that may be wrong',
      '0.05',
    )
    .option('--prometheus <url>', 'judge the series of a Prometheus server (or what speaks its API)')
    .option('--query <promql>', 'which series, such as process_resident_memory_bytes{job="x"}')
    .option('--range <time>', 'how far back, such as 6h', duration, '6h')
    .option('--step <time>', 'time between two points (default: a thousandth of the range)', duration)
    .option('--color', 'colours also where there is no terminal')
    .option('--no-color', 'no colours')
    .addHelpText('after', ANALYZE_EXAMPLES)
    .action(async (files: string[], given: AnalyzeArguments) => {
      const { analyzeCommand } = await import('./analyze-command.js');
      const { stdout, stderr, env } = process;
      done(await analyzeCommand(files, given, { stdout, stderr, env, directory: process.cwd() }));
    });
}

const ANALYZE_EXAMPLES = `
Examples:
  crucible-memory analyze memory.csv                     one process
  crucible-memory analyze --format json fleet.ndjson     a series a line in, a verdict a line out
  crucible-memory analyze --prometheus http://localhost:9090 \\
      --query 'process_resident_memory_bytes{job="api"}' --range 6h

Exit codes: 0 no leak found, 1 a leak, 2 wrong usage or input, 3 no answer from the server
`;

export function addExportCommand(program: Command, done: (exitCode: number) => void): void {
  program
    .command('export')
    .summary('the samples of a recording as CSV or NDJSON')
    .description(
      'Writes the samples of a recording as a table: a row for each moment at which something was sampled, t_ms (epoch milliseconds) first, then a column for each channel; what was not sampled then is empty.',
    )
    .argument('<recording>', 'a .cmrec file that run has written')
    .option('--format <format>', 'csv or ndjson', oneOf(['csv', 'ndjson']), 'csv')
    .option('--output <file>', 'write into this file instead of stdout')
    .action(async (path: string, given: ExportArguments) => {
      const { exportCommand } = await import('./export-command.js');
      done(await exportCommand(path, given, process));
    });
}
