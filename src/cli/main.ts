#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { describeSettings, PROFILE_NAMES } from '../config/index.js';
import { CrucibleMemoryError } from '../errors.js';
import { plainLines } from '../report/plain-text.js';
import { toolVersion } from '../runner/environment.js';
import { collect, collectNames, duration, once, oneOf, type RunArguments } from './arguments.js';
import { addAttachCommand } from './attach-command.js';
import { addCompareCommand } from './compare-command-line.js';
import { ExitCode, exitCodeOfError } from './exit-code.js';
import { addDiffCommand, addInspectCommand } from './heap-command-line.js';
import { addRecordCommand } from './record-command.js';
import { addAnalyzeCommand, addExportCommand } from './series-command-line.js';
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
    .option('--inject <leak>', 'plant a leak in its service, to see it found; list shows them all', once)
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
    .option('--stop-early [when]', 'end a load that clearly leaks; any: also one that cannot leak any more')
    .option(
      '--set <name=value>',
      'any setting, such as thresholds.leakThresholdBytes=5MiB; repeatable',
      collect,
    )
    .option('--no-diagnose', 'no heap snapshots and no search for the cause after a load that leaked')
    .option('--quiet', 'no progress on stderr')
    .option('--color', 'colours also where there is no terminal')
    .option('--no-color', 'no colours')
    .option('--list', 'list services, scenarios, profiles and planted leaks')
    .option('--help-config', 'list all settings with their defaults')
    .addHelpText('after', EXAMPLES)
    .action(async (targets: string[], given: RunArguments) => {
      if (given.helpConfig) return writeAll(process.stdout, `${describeSettings()}\n`);
      if (given.list || given.inject === 'list') {
        const { listText, plantedText } = await import('./lists.js');
        return writeAll(process.stdout, given.list ? listText(given.format) : plantedText(given.format));
      }
      // Loaded only for a real run, so that --help does not wait for the services.
      const { runCommand } = await import('./run-command.js');
      const { stdout, stderr, env } = process;
      done(await runCommand(targets, given, { stdout, stderr, env, directory: process.cwd() }));
    });
  addRecordCommand(program, done);
  addAttachCommand(program, done);
  addSnapshotCommand(program, done);
  addDiffCommand(program, done);
  addInspectCommand(program, done);
  addAnalyzeCommand(program, done);
  addCompareCommand(program, done);
  addExportCommand(program, done);
  return program;
}

const EXAMPLES = `
Examples:
  crucible-memory run                                    all services, all scenarios, minutes
  crucible-memory run ./target.mjs --scenario long       your own module under lasting load
  crucible-memory run --service DataStore --profile ci   one service, long enough to judge
  crucible-memory run --format json > report.json        the report as one JSON document
  crucible-memory run --inject contexts-kept             a leak that is planted, to see it found

Exit codes:
  0 nothing found   1 a leak or a threshold violation   2 wrong usage or configuration
  3 a test could not be carried out   130 interrupted, what was finished is saved
`;

function errorText(error: unknown): string {
  if (error instanceof CrucibleMemoryError) {
    const place = error.byteOffset === undefined ? '' : `\n  at byte ${error.byteOffset}`;
    return `crucible-memory: ${plainLines(error.message)}${place}\n`;
  }
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `crucible-memory: an error that it did not expect, which is a bug of its own\n${trace}\n`;
}

process.exit(await main(process.argv));
