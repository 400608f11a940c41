import type { Command } from 'commander';
import { PROFILE_NAMES } from '../config/index.js';
import { collect, duration, oneOf } from './arguments.js';
import type { CompareArguments } from './compare-command.js';

/** Declares `compare`. */
export function addCompareCommand(program: Command, done: (exitCode: number) => void): void {
  program
    .command('compare')
    .summary('is this build worse than that one')
    .description(
      'Puts a known build and a new one under the same load in turns, and judges the difference of what they keep: what both do, leaks included, is not blamed on the new one. Takes two target modules, or recordings of earlier runs.',
    )
    .argument(
      '<head...>',
      'the new build: a module that exports operation(), or recordings and folders of them',
    )
    .requiredOption('--baseline <base>', 'the known build: the same; of recordings repeatable', collect)
    .option('--scenario <name>', 'the load; a unique beginning is enough', 'HighFrequencyOperations')
    .option('--rounds <count>', 'tests of each build', '3')
    .option('--threshold <size>', 'difference of the growth over a load that counts as a leak')
    .option('--profile <name>', `how long and how hard: ${PROFILE_NAMES.join(', ')} (default: smoke)`)
    .option('--config <file>', 'settings; default: crucible-memory.config.* if there is one')
    .option('--output <folder>', 'keep the recordings here; they can be compared again')
    .option('--format <format>', 'text, or json: NDJSON, a line a scenario', oneOf(['text', 'json']), 'text')
    .option('--operations <count>', 'end each load after so many operations')
    .option('--duration <time>', 'length of each load, such as 30s or 5m', duration)
    .option('--concurrency <count>', 'operations in flight in the concurrent scenario')
    .option('--rate <count>', 'operations per second in the paced scenarios')
    .option('--set <name=value>', 'any setting; repeatable', collect)
    .option('--quiet', 'no progress on stderr')
    .option('--color', 'colours also where there is no terminal')
    .option('--no-color', 'no colours')
    .addHelpText('after', EXAMPLES)
    .action(async (heads: string[], given: CompareArguments) => {
      const { compareCommand } = await import('./compare-command.js');
      const { stdout, stderr, env } = process;
      done(await compareCommand(heads, given, { stdout, stderr, env, directory: process.cwd() }));
    });
}

const EXAMPLES = `
Examples:
  crucible-memory compare --baseline ./main/target.mjs ./branch/target.mjs
  crucible-memory compare --baseline ./old.mjs ./new.mjs --scenario long --duration 2m --rounds 4
  crucible-memory compare --baseline run-1/recordings --baseline run-2/recordings run-3 run-4

Exit codes: 0 no leak of the new build found, 1 a leak, 2 wrong usage or input,
  3 a test could not be carried out, 130 interrupted
`;
