import type {
  ClassDelta,
  Grower,
  GrowingGroup,
  HeapDiff,
  HeapNodeDetail,
  HeapStep,
} from '../snapshot/index.js';
import { isProgramsOwn, placeOf } from './source-place.js';

/** What a recent entry of a growing group or container is, from the last snapshot. */
export interface EntryDetail {
  entry: HeapNodeDetail;
  /** The function that the entry is or holds, where it has one of the program: `script:line:column`. */
  callback: { location: string; wasMapped: boolean } | null;
}

/** One place of the heap that keeps growing, with everything that snapshots tell about it. */
export interface HeapCause {
  /** As a person would write it. */
  path: string;
  /** Of the container; null where a group of objects grows without one, such as a linked list. */
  holderClass: string | null;
  holder: { location: string; wasMapped: boolean } | null;
  /** Of what it gains. */
  entryClass: string | null;
  entry: { location: string; wasMapped: boolean } | null;
  /** From a root, as far as they are known. */
  steps: HeapStep[];
  /** Gained in all rounds together, without what is counted to another cause. */
  bytes: number;
  /** Of these, what lies outside the V8 heap. */
  entries: number;
  fingerprint: string | null;
  /** Which rows of the diff say so. */
  foundBy: { grower: boolean; everyRound: boolean; classes: boolean };
}

/** A container inside another one is the better answer if it holds this much of what the outer one does. */
const INNER_SHARE = 0.7;
/** Of the growth of the heap, below which nothing is worth a name. */
const LEAST_SHARE = 0.02;
/** Counts that belong together differ by less: an entry may come or go while a snapshot is prepared. */
const SAME_COUNT = 0.1;
/** So few new objects of a class may be anybody's. */
const FEW_ENTRIES = 20;
/** What no container explains is named by class from this share on. */
const UNHELD_SHARE = 0.1;

/**
 * The causes in a diff: containers that survived and took entries, groups that grew from snapshot to snapshot,
 * and last the classes that neither explains. They do not overlap, so that their bytes may be added.
 *
 * @param details of the groups' sample entries by their ids, of the containers' newest entries by the containers'
 */
export function heapCauses(diff: HeapDiff, details: ReadonlyMap<number, EntryDetail>): HeapCause[] {
  const deltaBytes = diff.balance.deltaBytes;
  if (deltaBytes <= 0) return [];
  const leastBytes = LEAST_SHARE * deltaBytes;
  const causes = innermost(diff.growers.filter(isProgramsGrower), leastBytes);
  let left = deltaBytes - sum(causes.map(({ bytes }) => bytes));
  for (const group of (diff.growth ?? []).filter(({ noise }) => noise === null)) {
    const detail = group.sampleId === null ? undefined : details.get(group.sampleId);
    const known = causes.find((cause) => isSame(cause, group, detail));
    if (known) {
      left -= joinGroup(known, group, detail, left);
      continue;
    }
    const bytes = Math.min(sum(group.deltaBytes), left);
    if (bytes < leastBytes) continue;
    causes.push(causeOfGroup(group, detail, bytes));
    left -= bytes;
  }
  for (const cause of causes) {
    nameEntries(cause, diff.classes, details);
    if (cause.foundBy.grower) cause.path = inItsFile(cause);
  }
  if (left > UNHELD_SHARE * deltaBytes) causes.push(...unheld(diff, causes, left, leastBytes));
  return causes.sort((a, b) => b.bytes - a.bytes);
}

/** Objects on the stack are those of whoever takes the snapshot; what watches references grows with them. */
export function isProgramsGrower({ noise, path, className, location }: Grower): boolean {
  const isWatch = className === 'FinalizationRegistry' && /[/\\]src[/\\]refcount[/\\]/.test(location ?? '');
  return noise === null && !path.startsWith('(Stack roots)') && className !== 'global' && !isWatch;
}

interface OwnCause extends HeapCause {
  id?: number;
}

/** Containers within containers: the inner one is named if it holds most; else each is charged for its own. */
function innermost(growers: readonly Grower[], leastBytes: number): OwnCause[] {
  const charged = growers
    .filter(({ retainedDeltaBytes }) => retainedDeltaBytes >= leastBytes)
    .map((grower) => ({ grower, bytes: grower.retainedDeltaBytes }));
  // From the outside in: what is taken from an outer one stays with its inner ones.
  charged.sort((a, b) => a.grower.retainingPath.length - b.grower.retainingPath.length);
  for (const outer of charged) {
    for (const inner of charged) {
      const isInside =
        inner !== outer && inner.grower.retainingPath.slice(0, -1).some(({ id }) => id === outer.grower.id);
      if (!isInside) continue;
      const isDominated = inner.grower.retainedDeltaBytes <= outer.grower.retainedDeltaBytes * 1.01;
      if (!isDominated) continue;
      const nearest = !charged.some(
        (between) =>
          between !== inner &&
          between !== outer &&
          between.grower.retainingPath.some(({ id }) => id === outer.grower.id) &&
          inner.grower.retainingPath.slice(0, -1).some(({ id }) => id === between.grower.id),
      );
      if (inner.grower.retainedDeltaBytes >= INNER_SHARE * outer.grower.retainedDeltaBytes) outer.bytes = 0;
      else if (nearest) outer.bytes -= inner.grower.retainedDeltaBytes;
    }
  }
  return charged
    .filter(({ bytes }) => bytes >= leastBytes)
    .map(({ grower, bytes }) => ({
      id: grower.id,
      path: grower.path,
      holderClass: grower.className,
      holder: located(grower),
      entryClass: null,
      entry: null,
      steps: grower.retainingPath,
      bytes,
      entries: Math.max(0, grower.deltaEntries),
      fingerprint: null,
      foundBy: { grower: true, everyRound: false, classes: false },
    }));
}

/** The container may be named a little differently as a group: its entry's way from the roots leads through it. */
function isSame(cause: OwnCause, group: GrowingGroup, detail: EntryDetail | undefined): boolean {
  if (cause.path === group.path) return true;
  if (cause.id === undefined) return false;
  if (detail?.entry.retainingPath.some(({ id }) => id === cause.id)) return true;
  const lastName = (path: string) => path.match(/[^.:> ]+$/)?.[0];
  const isNear = Math.abs(sum(group.deltaBytes) / cause.bytes - 1) < 0.5;
  return isNear && lastName(cause.path) === lastName(group.path);
}

/**
 * What others hold as well no container retains: the group counts it where it is reached first.
 * @returns how much more the cause explains by that
 */
function joinGroup(
  cause: HeapCause,
  group: GrowingGroup,
  detail: EntryDetail | undefined,
  left: number,
): number {
  // Of several groups below one container the first is the largest.
  if (cause.foundBy.everyRound) return 0;
  const more = Math.max(0, Math.min(left, sum(group.deltaBytes) - cause.bytes));
  cause.bytes += more;
  cause.foundBy.everyRound = true;
  cause.fingerprint = group.fingerprint;
  // What the entries hold in turn grows as well: only as many are the entries themselves.
  if (cause.entries === 0 || Math.abs(sum(group.deltaCounts) / cause.entries - 1) <= SAME_COUNT) {
    cause.entryClass = group.className;
    cause.entry = detail?.callback ?? located(group);
  }
  if (saysMore(group.path, cause.path)) cause.path = group.path;
  return more;
}

const isOfFile = (path: string) => /^\S+\.\w+: /.test(path);

/**
 * A variable that is reached by way of whatever function sees it, such as a listener of the process, stands to a
 * person in the file of its scope.
 */
function inItsFile({ path, steps }: HeapCause): string {
  const [, variable, rest] = path.match(/^.* -> ([^\s.[]+)(.*)$/) ?? [];
  if (variable === undefined || isOfFile(path)) return path;
  const scope = steps[steps.findLastIndex(({ edge }) => edge === `->${variable}`) - 1];
  const { script } = placeOf(scope?.location) ?? {};
  if (script === undefined || !isProgramsOwn(script)) return path;
  return `${script.split(/[/\\]/).at(-1)}: ${variable}${rest}`;
}

/** A path that begins with a file says more than one that begins in V8, and the nearest file most. */
function saysMore(path: string, than: string): boolean {
  const viaFunction = (text: string) => text.includes(' -> ');
  return isOfFile(path) && (!isOfFile(than) || (viaFunction(than) && !viaFunction(path)));
}

function causeOfGroup(group: GrowingGroup, detail: EntryDetail | undefined, bytes: number): HeapCause {
  const steps = detail?.entry.retainingPath ?? [];
  return {
    path: group.path,
    holderClass: holderOf(steps),
    holder: programsOwnPlace(steps),
    entryClass: group.className,
    entry: detail?.callback ?? located(group),
    steps,
    bytes,
    entries: sum(group.deltaCounts),
    fingerprint: group.fingerprint,
    foundBy: { grower: false, everyRound: true, classes: false },
  };
}

/** Of the last named thing on the way that is not V8's own and not the entry itself. */
function holderOf(steps: readonly HeapStep[]): string | null {
  // A variable of a scope: whose function it is, the path says.
  if (steps.at(-1)?.edge.startsWith('->')) return null;
  const entry = steps.at(-1)?.className;
  const before = steps.slice(0, -1).filter(({ className }) => !/^\(|^system \//.test(className));
  return before.findLast(({ className }) => className !== entry)?.className ?? null;
}

function programsOwnPlace(steps: readonly HeapStep[]): HeapCause['holder'] {
  const step = steps.findLast(({ location }) => location != null && !location.startsWith('node:'));
  return step === undefined ? null : located(step);
}

/** Its newest entry tells; else, as a container knows how many it took, the class of which just so many are new. */
function nameEntries(
  cause: OwnCause,
  classes: readonly ClassDelta[],
  details: ReadonlyMap<number, EntryDetail>,
): void {
  if (cause.entryClass !== null || cause.entries === 0) return;
  const newest = cause.id === undefined ? undefined : details.get(cause.id);
  if (newest !== undefined) {
    cause.entryClass = newest.entry.node.className;
    cause.entry = newest.callback ?? located(newest.entry.node);
    return;
  }
  const isTheirs = ({ deltaCount, name, noise }: ClassDelta) =>
    noise === null &&
    Math.abs(deltaCount - cause.entries) <=
      Math.max(cause.entries < FEW_ENTRIES ? 0 : 2, 0.02 * cause.entries) &&
    !/^\(array\)|^system/.test(name);
  const [most] = classes.filter(isTheirs).sort((a, b) => b.retainedDeltaBytes - a.retainedDeltaBytes);
  if (most === undefined) return;
  cause.entryClass = most.name;
  cause.entry = located(most);
}

/** Classes that grew although no container on the heap did: held by native code, or by what moves about. */
function unheld(diff: HeapDiff, causes: readonly HeapCause[], left: number, leastBytes: number): HeapCause[] {
  const named = new Set(causes.map(({ entryClass }) => entryClass));
  const candidates = diff.classes
    .filter(({ noise, name, deltaCount }) => noise === null && deltaCount > 0 && !named.has(name))
    .filter(
      ({ name }) => !/^\((array|object shape|system|compiled code|hidden|number)\)|^system \//.test(name),
    )
    .filter(
      ({ retainedDeltaBytes, deltaBytes }) => Math.max(retainedDeltaBytes, deltaBytes) >= UNHELD_SHARE * left,
    )
    .sort((a, b) => b.retainedDeltaBytes - a.retainedDeltaBytes);
  const [first] = candidates;
  if (first === undefined) return [];
  const bytes = Math.min(left, Math.max(first.retainedDeltaBytes, first.deltaBytes));
  if (bytes < leastBytes) return [];
  return [
    {
      path: '',
      holderClass: null,
      holder: null,
      entryClass: first.name,
      entry: located(first),
      steps: [],
      bytes,
      entries: first.deltaCount,
      fingerprint: null,
      foundBy: { grower: false, everyRound: false, classes: true },
    },
  ];
}

function located(row: {
  location?: string | null | undefined;
  generatedLocation?: string | undefined;
}): HeapCause['holder'] {
  if (row.location == null) return null;
  return { location: row.location, wasMapped: row.generatedLocation !== undefined };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
