import type { Command } from 'commander';
import { oneOf } from './arguments.js';
import type { DiffArguments } from './diff-command.js';
import { nodeId, operationCounts, rowCount } from './heap-arguments.js';
import type { InspectArguments } from './inspect-command.js';

/** How `diff` and `inspect` are called; what they do is loaded when they are. */

export function addDiffCommand(program: Command, done: (exitCode: number) => void): void {
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

export function addInspectCommand(program: Command, done: (exitCode: number) => void): void {
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
