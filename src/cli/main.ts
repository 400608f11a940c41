import { Command, CommanderError } from 'commander';
import { describeProfiles, describeSettings, PROFILE_NAMES } from '../config/index.js';
import { CrucibleMemoryError } from '../errors.js';
import { plainLines } from '../report/plain-text.js';
import { toolVersion } from '../runner/environment.js';
import { SERVICE_TYPES, TEST_SCENARIOS } from '../vocabulary.js';
import type { AnalyzeArguments } from './analyze-arguments.js';
import { collect, collectNames, duration, oneOf, type RunArguments } from './arguments.js';
import { addAttachCommand } from './attach-command.js';
import type { DiffArguments } from './diff-command.js';
import { ExitCode, exitCodeOfError } from './exit-code.js';
import type { ExportArguments } from './export-command.js';
import { nodeId, operationCounts, rowCount } from './heap-arguments.js';
import type { InspectArguments } from './inspect-command.js';
import { addRecordCommand } from './record-command.js';
import { addSnapshotCommand } from './snapshot-command.js';
import { ignoreClosedPipes, writeAll } from './terminal.js';

/** The command line: argv to a command to an exit code. Nothing else in this package ends the process. */

async function main(argv: readonly string[]): Promise<number> {
  ignoreClosedPipes(process.stdout, process.stderr);
  let exitCode: number = ExitCode.NothingFound;
  const program = commandLine((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(argv);
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.NothingFound : ExitCode.Usage;
    await writeAll(process.stderr, errorText(error));
    return exitCodeOfError(error);
  }
}

function commandLine(done: (exitCode: number) => void): Command {
  const program = new Command('crucible-memory')
    .description('Finds memory leaks in Node.js services, proves them, and names the line that causes them.')
    .version(toolVersion())
    .exitOverride()
    // What follows a program's name is the program's.
    .enablePositionalOptions()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'crucible-memory: ')) });
  program
    .command('run')
    .summary('run services or target modules through the memory scenarios')
    .description(
      'Runs the four reference services, or your own target modules, through the memory scenarios: one process a test, measured from a native thread, judged, exported.',
    )
    .argument('[targets...]', 'modules that export operation(), and services; default: the four services')
    .option('--service <names>', 'only these services; repeatable, or separated by commas', collectNames)
    .option('--scenario <names>', 'only these scenarios; a unique beginning is enough', collectNames)
    .option('--profile <name>', `how long and how hard: ${PROFILE_NAMES.join(', ')} (default: smoke)`)
    .option(
      '--config <file>',
      'settings (.ts, .js, .json, .yaml); default: crucible-memory.config.* if there is one',
    )
    .option('--output <path>', 'folder for results, or a path ending in .json for the report')
    .option('--format <format>', 'text or json: what stdout gets', oneOf(['text', 'json']), 'text')
    .option('--operations <count>', 'end each load after so many operations')
    .option('--duration <time>', 'length of each load, such as 30s or 5m', duration)
    .option('--concurrency <count>', 'operations in flight in the concurrent scenario')
    .option('--rate <count>', 'operations per second in the paced scenarios')
    .option(
      '--set <name=value>',
      'any setting, such as thresholds.leakThresholdBytes=5MiB; repeatable',
      collect,
    )
    .option('--quiet', 'no progress on stderr')
    .option('--color', 'colours also where there is no terminal')
    .option('--no-color', 'no colours')
    .option('--list', 'list services, scenarios and profiles')
    .option('--help-config', 'list all settings with their defaults')
    .addHelpText('after', EXAMPLES)
    .action(async (targets: string[], given: RunArguments) => {
      if (given.helpConfig) return writeAll(process.stdout, `${describeSettings()}\n`);
      if (given.list) return writeAll(process.stdout, listText(given.format));
      // Loaded only for a real run, so that --help does not wait for the services.
      const { runCommand } = await import('./run-command.js');
      const { stdout, stderr, env } = process;
      done(await runCommand(targets, given, { stdout, stderr, env, directory: process.cwd() }));
    });
  addDiff(program, done);
  addInspect(program, done);
  addExport(program, done);
  addAnalyze(program, done);
  addRecordCommand(program, done);
  addAttachCommand(program, done);
  addSnapshotCommand(program, done);
  return program;
}

function addExport(program: Command, done: (exitCode: number) => void): void {
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

function addDiff(program: Command, done: (exitCode: number) => void): void {
  const command = program
    .command('diff')
    .summary('compare heap snapshots of one process')
    .description(
      'Compares heap snapshots in the order in which they were taken: the first with the last, object by object; three or more also with each other, for what grows in every step. Plain or gzip; - is standard input.',
    )
    .argument('[snapshots...]', 'two or more .heapsnapshot files')
    .option('--ops <counts>', 'operations between the snapshots, such as 1000,1000', operationCounts)
    .option('--format <format>', 'text, json or markdown', oneOf(['text', 'json', 'markdown']), 'text');
  heapOptions(command)
    .addHelpText('after', DIFF_EXAMPLES)
    .action(async (files: string[], given: DiffArguments) => {
      const { diffCommand } = await import('./diff-command.js');
      done(await diffCommand(files, given, heapSurroundings()));
    });
}

function addInspect(program: Command, done: (exitCode: number) => void): void {
  const command = program
    .command('inspect')
    .summary('look into one heap snapshot')
    .description(
      'Shows what holds most of a heap: classes, objects, collections, repeated strings; or everything about one object. Plain or gzip; - is standard input.',
    )
    .argument('[snapshot...]', 'a .heapsnapshot or .heaptimeline file')
    .option('--node <id>', 'this object: its sizes, references and retaining paths', nodeId)
    .option('--nodes <csv>', 'write every node into this file, as CSV')
    .option('--redacted <snapshot>', 'write the snapshot without the contents of its strings, to be shared')
    .option('--format <format>', 'text or json', oneOf(['text', 'json']), 'text');
  heapOptions(command)
    .addHelpText('after', INSPECT_EXAMPLES)
    .action(async (files: string[], given: InspectArguments) => {
      const { inspectCommandLine } = await import('./inspect-command.js');
      done(await inspectCommandLine(files, given, heapSurroundings()));
    });
}

/** What both commands about heaps understand. */
function heapOptions(command: Command): Command {
  return command
    .option('--top <count>', 'rows a list', rowCount, 10)
    .option('--salvage', 'analyse what can be read of a damaged file')
    .option('--redact', 'show the contents of strings as length and hash only')
    .option('--output <file>', 'write the report into this file, for its owner only')
    .option('--quiet', 'no progress on stderr')
    .option('--color', 'colours also where there is no terminal')
    .option('--no-color', 'no colours');
}

function heapSurroundings() {
  const { stdin, stdout, stderr, env } = process;
  return { stdin, stdout, stderr, env, directory: process.cwd() };
}

function addAnalyze(program: Command, done: (exitCode: number) => void): void {
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

const EXAMPLES = `
Examples:
  crucible-memory run                                    all services, all scenarios, minutes
  crucible-memory run ./target.mjs --scenario long       your own module under lasting load
  crucible-memory run --service DataStore --profile ci   one service, long enough to judge
  crucible-memory run --format json > report.json        the report as one JSON document

Exit codes:
  0 nothing found   1 a leak or a threshold violation   2 wrong usage or configuration
  3 a test could not be carried out   130 interrupted, what was finished is saved
`;

const DIFF_EXAMPLES = `
Examples:
  crucible-memory diff before.heapsnapshot after.heapsnapshot
  crucible-memory diff 1.heapsnapshot 2.heapsnapshot 3.heapsnapshot --ops 1000,1000
  zcat after.heapsnapshot.gz | crucible-memory diff before.heapsnapshot - --format json > diff.json

Exit codes: 0 compared   2 wrong usage or input   130 interrupted
`;

const INSPECT_EXAMPLES = `
Examples:
  crucible-memory inspect heap.heapsnapshot                    what holds most of it
  crucible-memory inspect heap.heapsnapshot --node 12345       one object and who holds it
  crucible-memory inspect heap.heapsnapshot --nodes nodes.csv  id, sizes and dominator of every node
  crucible-memory inspect heap.heapsnapshot --redacted shareable.heapsnapshot

Exit codes: 0 looked at   2 wrong usage or input   130 interrupted
`;

function listText(format: RunArguments['format']): string {
  if (format === 'json') {
    const lists = { services: SERVICE_TYPES, scenarios: TEST_SCENARIOS, profiles: PROFILE_NAMES };
    return `${JSON.stringify(lists, null, 2)}\n`;
  }
  const block = (title: string, names: readonly string[]) =>
    [title, ...names.map((name) => `  ${name}`)].join('\n');
  return `${[block('services', SERVICE_TYPES), block('scenarios', TEST_SCENARIOS), describeProfiles()].join('\n\n')}\n`;
}

function errorText(error: unknown): string {
  if (error instanceof CrucibleMemoryError) {
    const place = error.byteOffset === undefined ? '' : `\n  at byte ${error.byteOffset}`;
    return `crucible-memory: ${plainLines(error.message)}${place}\n`;
  }
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `crucible-memory: an error that it did not expect, which is a bug of its own\n${trace}\n`;
}

process.exit(await main(process.argv));
