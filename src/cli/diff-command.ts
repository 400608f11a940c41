import { CrucibleMemoryError } from '../errors.js';
import { heapToJson, renderHeapDiff, renderHeapDiffMarkdown } from '../report/index.js';
import { toolVersion } from '../runner/environment.js';
import { diffHeapSnapshots, type HeapDiff } from '../snapshot/index.js';
import type { ExitCode } from './exit-code.js';
import { type HeapArguments, heapSources, requireNoOverwrite } from './heap-arguments.js';
import { type HeapReport, type HeapSurroundings, heapWork, inspectCommand } from './heap-work.js';

export interface DiffArguments extends HeapArguments {
  ops?: number[];
}

/**
 * `crucible-memory diff`: what changed from the first heap snapshot to the last.
 * @throws CrucibleMemoryError USAGE, SNAPSHOT_*, OUTPUT_UNWRITABLE
 */
export async function diffCommand(
  files: string[],
  given: DiffArguments,
  world: HeapSurroundings,
): Promise<ExitCode> {
  if (files.length < 2) throw tooFew(files);
  requireNoOverwrite('--output', given.output, files);
  const sources = heapSources(files, world.stdin);
  return heapWork(given, world, async (options) => {
    const diff = await diffHeapSnapshots(sources, { ...options, operations: given.ops, top: given.top });
    return {
      json: () => heapToJson(diff, toolVersion()),
      text: (textOptions) => renderHeapDiff(diff, textOptions),
      markdown: (textOptions) => renderHeapDiffMarkdown(diff, textOptions),
      next: nextStep(diff, files.at(-1)),
    };
  });
}

function tooFew(files: readonly string[]): CrucibleMemoryError {
  return new CrucibleMemoryError('USAGE', {
    what:
      files.length === 0 ? 'diff needs heap snapshots' : `diff needs something to compare ${files[0]} with`,
    why: 'it takes two snapshots of one process or more, in the order in which they were taken',
    fix: 'crucible-memory diff before.heapsnapshot after.heapsnapshot',
  });
}

/** The object that tells most about the growth. */
function nextStep(
  { summary, growers, growth, isOneProcess }: HeapDiff,
  last: string | undefined,
): HeapReport['next'] {
  const container = summary.holder?.id ?? (isOneProcess ? growers[0]?.id : undefined);
  const id = container ?? growth?.find(({ sampleId }) => sampleId !== null)?.sampleId;
  const command = id === undefined || id === null ? undefined : inspectCommand(last, id);
  const reason =
    container === undefined ? 'one of what it gains: who holds it' : 'what it holds, and who holds it';
  return command === undefined ? undefined : { command, reason };
}
