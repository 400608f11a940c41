import { CrucibleMemoryError } from '../errors.js';
import { heapToJson, renderHeapNode, renderHeapOverview } from '../report/index.js';
import { toolVersion } from '../runner/environment.js';
import { type HeapOverview, type HeapSnapshot, openHeapSnapshot } from '../snapshot/index.js';
import type { ExitCode } from './exit-code.js';
import { type HeapArguments, heapSources, requireNoOverwrite } from './heap-arguments.js';
import { type HeapReport, type HeapSurroundings, heapWork, inspectCommand } from './heap-work.js';
import { writeAll } from './terminal.js';

export interface InspectArguments extends HeapArguments {
  node?: number;
  /** Path of a CSV file. */
  nodes?: string;
  /** Path of a snapshot to be shared. */
  redacted?: string;
}

/**
 * `crucible-memory inspect`: what is in a heap, or everything about one object of it.
 * @throws CrucibleMemoryError USAGE, SNAPSHOT_*, UNKNOWN_NODE, OUTPUT_UNWRITABLE
 */
export async function inspectCommandLine(
  files: string[],
  given: InspectArguments,
  world: HeapSurroundings,
): Promise<ExitCode> {
  const file = onlyFile(files);
  for (const name of ['output', 'nodes', 'redacted'] as const) {
    requireNoOverwrite(`--${name}`, given[name], [file]);
  }
  if (file === '-' && given.redacted !== undefined) throw notFromStdin();
  const [source = file] = heapSources([file], world.stdin);
  return heapWork(given, world, async (options) => {
    using heap = await openHeapSnapshot(source, options);
    const report = await answer(heap, file, given);
    const written = await writeFiles(heap, given);
    if (!given.quiet && written !== '') await writeAll(world.stderr, written);
    return report;
  });
}

function onlyFile(files: readonly string[]): string {
  const [file, second] = files;
  if (file !== undefined && second === undefined) return file;
  throw new CrucibleMemoryError('USAGE', {
    what:
      file === undefined
        ? 'inspect needs a heap snapshot'
        : `inspect looks at one snapshot, not at ${files.length}`,
    why: file === undefined ? 'none was given' : 'several are compared by diff',
    fix:
      file === undefined
        ? 'crucible-memory inspect heap.heapsnapshot'
        : `crucible-memory diff ${files.join(' ')}`,
  });
}

function notFromStdin(): CrucibleMemoryError {
  return new CrucibleMemoryError('USAGE', {
    what: '--redacted needs the snapshot as a file',
    why: 'it is read twice, and standard input can be read only once',
    fix: 'save the snapshot to a file first',
  });
}

async function answer(heap: HeapSnapshot, file: string, given: InspectArguments): Promise<HeapReport> {
  if (given.node !== undefined) {
    const detail = await heap.node(given.node, { fields: 2 * given.top, paths: given.top });
    return {
      json: () => heapToJson(detail, toolVersion()),
      text: (options) => renderHeapNode(detail, options),
    };
  }
  const overview = await heap.overview({ top: given.top });
  return {
    json: () => heapToJson(overview, toolVersion()),
    text: (options) => renderHeapOverview(overview, options),
    next: nextStep(overview, file),
  };
}

/** What was written, a line each. */
async function writeFiles(heap: HeapSnapshot, { nodes, redacted }: InspectArguments): Promise<string> {
  let written = '';
  if (nodes !== undefined) {
    await heap.writeNodes(nodes);
    written += `every node is in ${nodes}\n`;
  }
  if (redacted !== undefined) {
    await heap.writeRedacted(redacted);
    written += `the snapshot without the contents of its strings is in ${redacted}\n`;
  }
  return written;
}

function nextStep({ collections, retainers }: HeapOverview, file: string): HeapReport['next'] {
  const largest = collections.toSorted((a, b) => b.retainedBytes - a.retainedBytes)[0] ?? retainers[0];
  const command = largest && inspectCommand(file, largest.id);
  return command === undefined ? undefined : { command, reason: 'what it holds, and who holds it' };
}
