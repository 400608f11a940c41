import { heldGuards } from './holds.js';
import {
  ABANDONED,
  CREATED,
  HELD,
  LEAKED,
  LONGEST_HOLD_MS,
  type ReferenceKind,
  TIMED_OUT,
  VALUES,
  WAITING,
} from './layout.js';
import { rowTotals } from './registry.js';

/** References of one kind and name, in all threads of the process together. */
export interface ReferenceCount {
  kind: ReferenceKind;
  name: string;
  /** Held now: owners, guards, open resources. Includes the leaked ones. */
  strong: number;
  /** Weak references; 0 for other kinds than arc. */
  weak: number;
  /** Ever. */
  created: number;
  /** Given back. */
  dropped: number;
  /** Collected without having been given back; those that were collected so far. */
  leaked: number;
  /** Held by worker threads when they ended. */
  abandoned: number;
  /** arc: values that were not disposed of. */
  values?: number;
  /** mutex, rwlock: attempts that wait now. */
  waiters?: number;
  /** mutex, rwlock: attempts that gave up after their time. */
  timedOut?: number;
  /** mutex, rwlock: of those that ended, and of those that this thread holds now. */
  longestHoldMs?: number;
}

/**
 * All counts now, in the order in which their names came into being. Takes
 * microseconds a name; other threads go on counting meanwhile.
 */
export function referenceCounts(): ReferenceCount[] {
  const longestHeldMs = new Map<string, number>();
  for (const { kind, name, heldMs } of heldGuards()) {
    const key = `${kind} ${name}`;
    longestHeldMs.set(key, Math.max(heldMs, longestHeldMs.get(key) ?? 0));
  }
  return rowTotals().flatMap(({ kind, name, figures }) => {
    if (kind === 'counter') return [];
    const at = (figure: number) => figures[figure] ?? 0;
    const count: ReferenceCount = {
      kind,
      name,
      strong: at(HELD),
      weak: 0,
      created: at(CREATED),
      dropped: at(CREATED) - at(HELD) - at(ABANDONED),
      leaked: at(LEAKED),
      abandoned: at(ABANDONED),
    };
    if (kind === 'arc') return [{ ...count, weak: at(WAITING), values: at(VALUES) }];
    if (kind === 'resource') return [count];
    const longestHoldMs = Math.max(at(LONGEST_HOLD_MS), longestHeldMs.get(`${kind} ${name}`) ?? 0);
    return [{ ...count, waiters: at(WAITING), timedOut: at(TIMED_OUT), longestHoldMs }];
  });
}
