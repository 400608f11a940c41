import type { LeakDetectionResult } from '../diagnosis/index.js';
import type { AllocationSite } from './allocation-sites.js';
import { confidenceOf, isIntegerRatio, leakConfidence } from './confidence.js';
import { evidenceOfCounter, evidenceOfHeap, evidenceOfReference, evidenceOfSite } from './evidence.js';
import { type HeapCause, heapCauses } from './heap-causes.js';
import { type KnownPattern, knownPattern, NATIVE_HANDLES } from './known-patterns.js';
import { bytesOf, type Charged, type Share, shareOf } from './ledger.js';
import { type MeasuredGrowth, totalOf } from './measured-growth.js';
import type { MovingCounter } from './moving-counters.js';
import type { Observations } from './observations.js';
import { processSuspects, referenceSuspects, siteSuspects } from './other-suspects.js';
import { declarationOf, isNodesOwn, type Place, packageOf, placeOf } from './source-place.js';
import { statementOf } from './statement.js';
import type { UnreleasedReferences } from './unreleased-references.js';

/** Of a site's live bytes beside the cause's: less is the work of somebody else. */
const SITE_SHARE = 0.03;
/** Counts that belong together differ by less. */
const SAME_COUNT = 0.05;
const SAME_BYTES = 0.25;
/** What collections and snapshots do by themselves, of what was measured. */
const NOISE_SHARE = 0.02;

/**
 * Joins the evidence that speaks of one cause into suspects, those that explain most first.
 *
 * A place of the heap that grows is the beginning of a suspect. To it belong the function that allocated what
 * is there (best one of the same file), the counter and the references that grow by as many per operation, and
 * the native memory behind its objects. What belongs to nothing on the heap makes suspects of its own.
 */
export function suspectsOf(observations: Observations, leak: LeakDetectionResult): Charged[] {
  const { growth, diff } = observations;
  const causes = diff === null ? [] : withinGrowth(heapCauses(diff, observations.details), growth);
  const shares = divided(causes, observations);
  const free: Free = {
    sites: observations.sites,
    used: new Set(),
    references: [...observations.references],
    counters: observations.counters,
  };
  const charged = causes.map((cause, index) => {
    const share = shares[index] ?? { heapBytes: cause.bytes, externalBytes: 0, nativeBytes: 0 };
    return heapSuspect({ cause, share, observations, leak, free });
  });
  const left = {
    heapBytes: (growth?.heapBytes ?? 0) - sum(charged.map(({ heapBytes }) => heapBytes)),
    externalBytes: (growth?.externalBytes ?? 0) - sum(charged.map(({ externalBytes }) => externalBytes)),
    nativeBytes: (growth?.nativeBytes ?? 0) - sum(charged.map(({ nativeBytes }) => nativeBytes)),
  };
  return [
    ...charged.filter((one) => !isTrifle(one)),
    ...referenceSuspects(free.references, observations, leak),
    ...siteSuspects(
      free.sites.filter((site) => !free.used.has(site)),
      left,
      observations,
      leak,
    ),
    ...processSuspects(left, observations, leak),
  ].sort((a, b) => rank(b) - rank(a));
}

/** What explains less beside others is everyday growth, or a shadow of another suspect. */
const TRIFLE_SHARE = 0.01;

/** Whose bytes stay in the books as unexplained: nobody would act on it. */
function isTrifle({ suspect: { share, counters } }: Charged): boolean {
  return share !== null && share < TRIFLE_SHARE && counters.length === 0;
}

/**
 * The causes explain no more than was measured, give or take a little: snapshots hold the program up and leave
 * something behind themselves, which lies between the rounds. What only its class speaks for comes last.
 */
function withinGrowth(causes: readonly HeapCause[], growth: MeasuredGrowth | null): HeapCause[] {
  if (growth === null) return [...causes];
  let left = (1 + NOISE_SHARE) * (growth.heapBytes + growth.externalBytes);
  const [first, ...others] = causes.toSorted(
    (a, b) => Number(a.foundBy.classes) - Number(b.foundBy.classes) || b.bytes - a.bytes,
  );
  if (first === undefined) return [];
  left -= first.bytes;
  const limited = others.map((cause) => {
    const bytes = Math.max(0, Math.min(cause.bytes, left));
    left -= bytes;
    return { ...cause, bytes };
  });
  return [first, ...limited.filter(({ bytes }) => bytes > 0)].sort((a, b) => b.bytes - a.bytes);
}

/** Of what nothing is known to hold or make. */
const VAGUE_WEIGHT = 0.5;

/** By bytes; what cannot be pointed at counts less, and what has no bytes of its own stands at the end. */
function rank(charged: Charged): number {
  const { retainingPath, holder, confidence } = charged.suspect;
  const weight = retainingPath === null && holder === null ? VAGUE_WEIGHT : 1;
  return weight * bytesOf(charged) || confidence;
}

/** What no suspect has claimed yet. */
interface Free {
  sites: readonly AllocationSite[];
  used: Set<AllocationSite>;
  references: UnreleasedReferences[];
  counters: readonly MovingCounter[];
}

const HOLDS_BUFFERS = /Buffer|Array$|DataView|external/i;
/** A cause that explains so much of the growth is charged for the native memory behind its objects as well. */
const MAIN_SHARE = 0.5;
/** A container that took so many entries needs less: what V8 itself comes and goes with is most of a little growth. */
const MANY_ENTRIES = 20;
const STEADY_SHARE = 0.2;

/** A snapshot counts buffers among the objects; the books keep what lies outside the heap apart. */
function divided(causes: readonly HeapCause[], { growth, counters }: Observations): Share[] {
  if (growth === null) return [];
  const claimed = sum(causes.map(({ bytes }) => bytes));
  let external = Math.max(0, Math.min(growth.externalBytes, claimed - Math.max(0, growth.heapBytes)));
  const likely = [...causes.keys()].sort((a, b) => Number(isBuffer(causes[b])) - Number(isBuffer(causes[a])));
  const shares: Share[] = causes.map(({ bytes }) => ({ heapBytes: bytes, externalBytes: 0, nativeBytes: 0 }));
  for (const index of likely) {
    const share = shares[index];
    if (share === undefined) continue;
    const taken = Math.min(external, share.heapBytes);
    share.heapBytes -= taken;
    share.externalBytes += taken;
    external -= taken;
  }
  const owner = shares[ownerOfNative(causes, growth, counters)];
  if (growth.nativeBytes > 0 && owner) owner.nativeBytes = growth.nativeBytes;
  return shares;
}

/** What a program counts that stands for something outside of the heap as often as not. */
const OWNED_COUNT = /^(resource|arc)\./;

/**
 * Index of the cause whose objects native memory may belong to: handles, or what is gained as often as something
 * that the program counts as open, or what explains most; -1: none.
 */
function ownerOfNative(
  causes: readonly HeapCause[],
  growth: MeasuredGrowth,
  counters: readonly MovingCounter[],
): number {
  const handles = causes.findIndex(({ entryClass }) => NATIVE_HANDLES.test(entryClass ?? ''));
  if (handles >= 0) return handles;
  const opened = counters.filter(({ channel }) => OWNED_COUNT.test(channel));
  const counted = causes.findIndex(
    ({ entries, foundBy }) =>
      entries > 0 &&
      foundBy.grower &&
      opened.some((counter) => isAsOften(counter, entries, growth.operations)),
  );
  if (counted >= 0) return counted;
  const known = growth.heapBytes + growth.externalBytes;
  return causes.findIndex(({ entryClass, entries, bytes, foundBy }) => {
    const isSteady = foundBy.grower && entries >= MANY_ENTRIES;
    const least = (isSteady ? STEADY_SHARE : MAIN_SHARE) * known;
    return !/string\)$/.test(entryClass ?? '') && entries > 0 && bytes >= least;
  });
}

/** One more or less is where the rounds happened to begin and end. */
function isAsOften({ perOperation }: MovingCounter, entries: number, operations: number): boolean {
  return Math.abs(perOperation * operations - entries) <= Math.max(1, SAME_COUNT * entries);
}

function isBuffer(cause: HeapCause | undefined): boolean {
  return HOLDS_BUFFERS.test(cause?.entryClass ?? '') && cause?.entryClass !== 'Array';
}

interface HeapCase {
  cause: HeapCause;
  share: Share;
  observations: Observations;
  leak: LeakDetectionResult;
  free: Free;
}

function heapSuspect({ cause, share, observations, leak, free }: HeapCase): Charged {
  const { growth } = observations;
  const operations = growth?.operations || observations.diff?.operations?.reduce((a, b) => a + b, 0) || null;
  const bytes = share.heapBytes + share.externalBytes + share.nativeBytes;
  const bytesPerOperation = operations && bytes / operations;
  const countPerOperation = operations && cause.entries > 0 ? cause.entries / operations : null;
  const total = growth ? totalOf(growth) : 0;
  const holder = holderPlace(cause);
  const site = takeSite(cause, holder, share, free);
  const counters = countersOf(bytesPerOperation, countPerOperation, free.counters);
  const reference = takeReference(countPerOperation, observations.operationsInAll, free);
  const pattern = patternOf(cause, share, { reference, counters });
  const entry = placeOf(cause.entry?.location, cause.entry?.wasMapped);
  const isProgramsEntry = entry !== null && !isNodesOwn(entry.script);
  const isCallback = /^(Function|Listener|WeakListener|Timeout|Immediate)$/.test(cause.entryClass ?? '');
  const allocationSite =
    reference?.takenAt ??
    (isCallback && isProgramsEntry ? entry : (site?.place ?? (isProgramsEntry ? entry : null)));
  const grounds = {
    survivorGrew: cause.foundBy.grower,
    everyRound: cause.foundBy.everyRound,
    classOnly: cause.foundBy.classes,
    integerRatio: countPerOperation !== null && isIntegerRatio(countPerOperation),
    allocationSite: site !== undefined,
    counter: counters.length > 0,
    unreleased: reference !== undefined,
  };
  const owner = packageOf(holder?.script) ?? packageOf(allocationSite?.script);
  const about = {
    kind: pattern.kind,
    className: cause.entryClass ?? cause.holderClass,
    retainingPath: withoutRunner(cause.path) || null,
    holder: holder !== null && isNodesOwn(holder.script) && allocationSite !== null ? null : holder,
    allocationSite,
    package: owner,
    counters: counters.map(({ channel }) => channel),
    bytesPerOperation,
    countPerOperation,
    share: shareOf(bytes, total),
    confidence: confidenceOf(grounds, leakConfidence(leak)),
    fingerprint: cause.fingerprint,
    advice: pattern.advice,
    evidence: [
      ...evidenceOfHeap(cause, share, operations),
      ...(site && operations ? [evidenceOfSite(site, operations)] : []),
      ...counters.map(evidenceOfCounter),
      ...(reference ? [evidenceOfReference(reference, observations.operationsInAll)] : []),
    ],
  };
  const words = {
    holderClass: cause.holderClass,
    functionName: allocationSite === site?.place ? site?.functionName : undefined,
    pattern: pattern.name,
    bytes,
  };
  return { ...share, suspect: { ...about, statement: statementOf(about, words) } };
}

/** Where the container is declared if the text of the file tells, else where V8 says that its scope or class begins. */
function holderPlace({ holder, path }: HeapCause): Place | null {
  const place = placeOf(holder?.location, holder?.wasMapped);
  const name = path.match(/(?:^|[^\w$#])(#?[\w$]+)(?:"\])?$/)?.[1];
  if (place === null || name === undefined || place.isGenerated) return place;
  return declarationOf(place.script, name) ?? place;
}

/** The way to a service of ours begins in the process that tests it. */
function withoutRunner(path: string): string {
  return path.replace(/^(child\.js: running\.target\.\w+ -> |targets\.js: )/, '');
}

/** A lost reference says more of the cause than what its value is made of. */
function patternOf(
  cause: HeapCause,
  share: Share,
  found: { reference: UnreleasedReferences | undefined; counters: readonly MovingCounter[] },
): Pick<KnownPattern, 'kind' | 'name' | 'advice'> {
  const { reference, counters } = found;
  const waiting = counters.find(({ channel }) => /^(mutex|rwlock)\..*\.waiters_count$/.test(channel));
  if (waiting) {
    return {
      kind: 'guard',
      name: `waiting for a lock that is not released (${waiting.channel})`,
      advice: 'release each guard when its work is done, best with `using`, also when the work fails',
    };
  }
  if (reference) {
    return {
      kind: reference.kind,
      name: `references of ${reference.registryKind} "${reference.name}" that are not given back`,
      advice: 'drop each reference when its work is done, best with `using`, also when the work fails',
    };
  }
  const steps = cause.steps.map(({ edge, name }) => `${edge} ${name}`).join(' ');
  const bytes = share.heapBytes + share.externalBytes;
  return knownPattern({
    path: `${cause.path} ${/\(Stack roots\)/.test(steps) ? '' : lastSteps(cause)}`,
    holderClass: cause.holderClass,
    entryClass: cause.entryClass,
    externalShare: bytes > 0 ? share.externalBytes / bytes : 0,
  });
}

const LAST_STEPS = 4;

/**
 * The way to most things leads through V8's and Node's own (a server's listener sees the variables of its
 * file): only its end is about what grows, and nothing before the last variable.
 */
function lastSteps({ steps }: HeapCause): string {
  const variable = steps.findLastIndex(({ edge }) => edge.startsWith('->'));
  return steps
    .slice(Math.max(variable, steps.length - LAST_STEPS))
    .map(({ edge }) => edge)
    .join('');
}

/** The function that allocated what a cause holds: best one of the holder's file, and of about as many bytes. */
function takeSite(
  cause: HeapCause,
  holder: Place | null,
  share: Share,
  free: Free,
): AllocationSite | undefined {
  const bytes = Math.max(1, share.heapBytes);
  const fitness = ({ place, bytes: live }: AllocationSite) => {
    const isSameFile =
      place.script === holder?.script || cause.entry?.location.startsWith(`${place.script}:`);
    const isSamePackage = packageOf(place.script)?.name === packageOf(holder?.script)?.name;
    const likeness = Math.min(live, bytes) / Math.max(live, bytes);
    return (isSameFile ? 2 : 0) + (isSamePackage ? 1 : 0) + likeness;
  };
  // One function may fill several places, but what is not of the file is taken once.
  const isFree = (site: AllocationSite) => !free.used.has(site) || site.place.script === holder?.script;
  const candidates = free.sites.filter((site) => isFree(site) && site.bytes >= SITE_SHARE * bytes);
  const [best] = candidates.sort((a, b) => fitness(b) - fitness(a));
  if (best === undefined) return undefined;
  free.used.add(best);
  return best;
}

function countersOf(
  bytesPerOperation: number | null,
  countPerOperation: number | null,
  counters: readonly MovingCounter[],
): MovingCounter[] {
  return counters.filter(({ perOperation, isInBytes }) => {
    const wanted = isInBytes ? bytesPerOperation : countPerOperation;
    return (
      wanted !== null &&
      wanted > 0 &&
      Math.abs(perOperation / wanted - 1) <= (isInBytes ? SAME_BYTES : SAME_COUNT)
    );
  });
}

function takeReference(
  countPerOperation: number | null,
  operations: number,
  free: Free,
): UnreleasedReferences | undefined {
  if (countPerOperation === null || operations <= 0) return undefined;
  const found = free.references.find(
    ({ count }) => Math.abs(count / operations / countPerOperation - 1) <= SAME_COUNT,
  );
  if (found) free.references = free.references.filter((one) => one !== found);
  return found;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
