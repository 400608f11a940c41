import { z } from 'zod';
import { RecordedEvents } from '../recording/channels.js';
import type { Recording } from '../recording/index.js';
import { isNodesOwn, type Place, pathOf } from './source-place.js';

/** References of one kind and name that were not given back. */
export interface UnreleasedReferences {
  kind: 'arc' | 'guard' | 'resource';
  name: string;
  /** Of src/refcount: `arc`, `mutex`, `rwlock`, `resource`. */
  registryKind: string;
  count: number;
  /** How they were lost. */
  how: 'leaked' | 'held' | 'cycle';
  /** Where most of them were taken, if that was among the sampled stacks. */
  takenAt: Place | null;
  /** The Arcs that hold each other. */
  cycle?: string;
}

const ReferencesSchema = z.object({
  leaked: z.array(
    z.object({ kind: z.string(), name: z.string(), count: z.number(), stack: z.string().optional() }),
  ),
  held: z.array(
    z.object({ kind: z.string(), name: z.string(), isLeaked: z.boolean(), stack: z.string().optional() }),
  ),
  cycles: z.object({ cycles: z.array(z.object({ description: z.string(), count: z.number() })) }),
});

/** From what the recording says of the program's references when its target was about to be stopped. */
export function unreleasedReferences(recording: Recording): UnreleasedReferences[] {
  const detail = recording.events(RecordedEvents.References).at(-1)?.detail;
  const references = ReferencesSchema.safeParse(detail).data;
  if (references === undefined) return [];
  const found = new Map<string, UnreleasedReferences>();
  const add = (how: 'leaked' | 'held', kind: string, name: string, count: number, stack?: string) => {
    const key = `${how} ${kind} ${name}`;
    const known = found.get(key);
    if (known) {
      known.count += count;
      known.takenAt ??= innermostPlace(stack);
      return;
    }
    const takenAt = innermostPlace(stack);
    found.set(key, { kind: suspectKind(kind), registryKind: kind, name, count, how, takenAt });
  };
  for (const { kind, name, count, stack } of references.leaked) add('leaked', kind, name, count, stack);
  // With nothing in flight nobody should hold anything; the leaked ones are counted above.
  for (const { kind, name, isLeaked, stack } of references.held)
    if (!isLeaked) add('held', kind, name, 1, stack);
  for (const { description, count } of references.cycles.cycles) {
    const name = description.match(/^[^.[\s]+/)?.[0] ?? description;
    found.set(`cycle ${description}`, {
      kind: 'arc',
      registryKind: 'arc',
      name,
      count,
      how: 'cycle',
      takenAt: null,
      cycle: description,
    });
  }
  return [...found.values()].sort((a, b) => b.count - a.count);
}

function suspectKind(kind: string): UnreleasedReferences['kind'] {
  if (kind === 'arc') return 'arc';
  return kind === 'resource' ? 'resource' : 'guard';
}

/** The first frame that is the program's own. */
function innermostPlace(stack: string | undefined): Place | null {
  for (const line of (stack ?? '').split('\n')) {
    const [, script, row, column] =
      line.match(/(?:\(|at (?:async )?)((?:file:|\/|[A-Za-z]:\\)[^()]*?):(\d+):(\d+)\)?$/) ?? [];
    if (script === undefined || isNodesOwn(script) || /[/\\]src[/\\]refcount[/\\]/.test(script)) continue;
    return { script: pathOf(script) ?? script, line: Number(row), column: Number(column) };
  }
  return null;
}
