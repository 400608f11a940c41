import { Readable } from 'node:stream';
import { CrucibleMemoryError } from '../errors.js';
import { loadCore } from '../native.js';
import type {
  BalanceAnswer,
  ClassDeltaAnswer,
  DiffAnswer,
  GrowerAnswer,
  GrowthAnswer,
  PathDeltaAnswer,
  PlaceAnswer,
  SnapshotAnswer,
  StepAnswer,
} from './answers.js';
import { follow } from './following.js';
import type { HeapOptions } from './heap-snapshot.js';
import { fed, type HeapSource, openSources } from './heap-source.js';
import { nearestPlace, readableGroupPath } from './readable-path.js';
import { inOrder, located, type Retained, retained } from './retained.js';
import { type Located, SourceLocations } from './source-locations.js';

export interface HeapDiffOptions extends HeapOptions {
  /** Operations carried out between each snapshot and the next: one number fewer than there are snapshots. */
  operations?: readonly number[] | undefined;
  /** Growers and growing groups to report, at most. Default: 10. Classes are all reported. */
  top?: number | undefined;
}

/** Present when operation counts were given. */
export interface PerOperation {
  objectsPerOperation?: number;
  bytesPerOperation?: number;
}

/** A class in the first and in the last snapshot. */
export type ClassDelta = Omit<ClassDeltaAnswer, 'place'> & Located & PerOperation;

/**
 * An object that was there from the first snapshot to the last and became
 * larger or took entries. Per operation are its entries, and the bytes that it
 * retains more. Of a built-in collection V8 does not say where it was made:
 * `location` is then the nearest function or class on the way to it.
 */
export type Grower = Omit<GrowerAnswer, 'place' | 'path'> & {
  /** Whether `location` is where its class is written, or only near what holds it. */
  locationOf: 'class' | 'holder' | null;
} & Retained &
  Located &
  PerOperation;

/** A container, named by its path, that held more in every snapshot than in the one before. */
export type GrowingGroup = Omit<GrowthAnswer, 'place'> & {
  /** `path` is made to be read; this one has every reference. */
  fullPath: string;
} & Located &
  PerOperation;

/** What a person wants to know first. */
export interface DiffSummary {
  /** Of the first snapshot's size; null if that was empty. */
  deltaShare: number | null;
  /** Of all operations together; null if none were given. */
  deltaBytesPerOperation: number | null;
  /** The container that holds most of the growth; null if there is none, or the heap did not grow. */
  holder: { id: number; shareOfGrowth: number } | null;
  /** Rows of `classes` that are V8's or the embedder's own: in every sum, but not the program's. */
  noise: {
    classCount: number;
    deltaCount: number;
    deltaBytes: number;
    /** Null if the heap stayed the same size. */
    shareOfDelta: number | null;
  };
}

/** What changed from the first of several heap snapshots to the last. */
export interface HeapDiff {
  snapshots: SnapshotAnswer[];
  /** False: the files come from different processes, and objects were matched by class and path alone. */
  isOneProcess: boolean;
  /** As given; null if not. */
  operations: number[] | null;
  /** Delta = new - deleted + survivor delta, to the byte: `residualBytes` is zero, or the comparison is wrong. */
  balance: BalanceAnswer;
  summary: DiffSummary;
  /** All that changed, largest growth first, noise last. Their deltaBytes sum to that of the balance. */
  classes: ClassDelta[];
  /** Largest growth first. Empty when the files come from different processes. */
  growers: Grower[];
  /** With three or more snapshots; largest share first. */
  growth?: GrowingGroup[];
  /** Where the change is, by path; only when the files come from different processes. */
  paths: PathDeltaAnswer[];
}

/**
 * Compares heap snapshots in the order in which they were taken: the first
 * with the last by object, and three or more also with each other by path.
 *
 * Works on threads of its own, one snapshot after the other: memory for one
 * analysis and about 15 bytes for each object of the first snapshot.
 * @throws CrucibleMemoryError as openHeapSnapshot(); USAGE for fewer than two
 *   snapshots or operation counts that do not fit
 */
export async function diffHeapSnapshots(
  sources: readonly HeapSource[],
  options: HeapDiffOptions = {},
): Promise<HeapDiff> {
  const { salvage = false, redact = false, threads, signal, top = 10 } = options;
  requireSources(sources);
  const operations = operationsFor(sources.length, options.operations);
  const core = loadCore();
  const opened = await openSources(core, sources, { salvage, signal });
  const task = core.diffHeaps(
    opened.map(({ native }) => native),
    {
      salvage,
      redact,
      ...(threads !== undefined && { threads }),
      growersMax: top,
      growthMax: top,
      pathsMax: top,
    },
  );
  const { result, missing } = await fed(opened, follow(task, options));
  const answer = JSON.parse(result) as DiffAnswer;
  const snapshots = answer.snapshots.map((snapshot, index) => ({
    ...snapshot,
    missing: [...(missing[index] ?? []), ...snapshot.missing],
  }));
  return heapDiffOf({ ...answer, snapshots }, operations);
}

/** The native engine's answer in the form that is given out. */
export async function heapDiffOf(
  answer: DiffAnswer,
  operations: readonly number[] | null,
): Promise<HeapDiff> {
  const locations = new SourceLocations();
  const { growth, classes, growers, snapshots } = answer;
  const total = operations?.reduce((sum, count) => sum + count, 0) ?? null;
  return {
    snapshots,
    isOneProcess: answer.isOneProcess,
    operations: operations && [...operations],
    balance: answer.balance,
    summary: summaryOf(answer, operations),
    classes: await inOrder(classes, async (row) => ({
      ...(await located(row, locations)),
      ...perOperation(row.deltaCount, row.deltaBytes, total),
    })),
    growers: await inOrder(growers, async ({ path, place, ...row }) => ({
      ...row,
      ...(await retained(path, locations)),
      ...(await locationOfGrower(place, path, locations)),
      ...perOperation(row.deltaEntries, row.retainedDeltaBytes, total),
    })),
    ...(snapshots.length > 2 && {
      growth: await inOrder(growth, async (row) => ({
        ...(await located(row, locations)),
        path: readableGroupPath(row.path),
        fullPath: row.path,
        ...perOperation(sum(row.deltaCounts), sum(row.deltaBytes), total),
      })),
    }),
    paths: answer.paths.map((row) => ({ ...row, path: readableGroupPath(row.path) })),
  };
}

async function locationOfGrower(place: PlaceAnswer | null, path: StepAnswer[], locations: SourceLocations) {
  const holder = place ? null : nearestPlace(path);
  const locationOf = place ? ('class' as const) : holder ? ('holder' as const) : null;
  return { locationOf, ...(await locations.locate(place ?? holder)) };
}

function requireSources(sources: readonly HeapSource[]): void {
  const streams = sources.filter((source) => source instanceof Readable);
  if (sources.length >= 2 && new Set(streams).size === streams.length) return;
  throw new CrucibleMemoryError('USAGE', {
    what:
      sources.length < 2
        ? `a comparison of ${sources.length} heap snapshot${sources.length === 1 ? '' : 's'}`
        : 'one stream was given for two snapshots',
    why: sources.length < 2 ? 'it takes two, or more to see what keeps growing' : 'it can be read only once',
    fix: 'give the snapshots of one process in the order in which they were taken',
  });
}

/** @throws USAGE */
function operationsFor(snapshotCount: number, given: readonly number[] | undefined): number[] | null {
  if (!given) return null;
  const needed = snapshotCount - 1;
  const wrong = given.find((count) => !(Number.isFinite(count) && count > 0));
  if (given.length === needed && wrong === undefined) return [...given];
  const each = needed === 1 ? 'one number' : `${needed} numbers`;
  throw new CrucibleMemoryError('USAGE', {
    what:
      wrong === undefined
        ? `${given.length} operation count${given.length === 1 ? '' : 's'} for ${snapshotCount} snapshots`
        : `${wrong} is no count of operations`,
    why: `between ${snapshotCount} snapshots lie ${needed} stretch${needed === 1 ? '' : 'es'} of operations, each with more than none`,
    fix: `give ${each} above zero: the operations between each snapshot and the next`,
  });
}

function perOperation(objects: number, bytes: number, operations: number | null): PerOperation {
  if (operations === null) return {};
  return { objectsPerOperation: objects / operations, bytesPerOperation: bytes / operations };
}

function summaryOf(
  { snapshots, balance, classes, growers }: DiffAnswer,
  operations: readonly number[] | null,
): DiffSummary {
  const { deltaBytes } = balance;
  const before = snapshots[0]?.totalSelfBytes ?? 0;
  const noise = classes.filter((row) => row.noise !== null);
  const noiseBytes = sum(noise.map((row) => row.deltaBytes));
  return {
    deltaShare: before === 0 ? null : deltaBytes / before,
    deltaBytesPerOperation: operations && deltaBytes / sum(operations),
    holder: holderOf(growers, deltaBytes),
    noise: {
      classCount: noise.length,
      deltaCount: sum(noise.map((row) => row.deltaCount)),
      deltaBytes: noiseBytes,
      shareOfDelta: deltaBytes === 0 ? null : noiseBytes / deltaBytes,
    },
  };
}

/** A container inside another one is the better answer if it holds this much of what the outer one does. */
const ACCUMULATION_SHARE = 0.7;

/**
 * The container that took entries and retains most of the growth. From one that
 * holds another the way leads inwards as long as most goes along: Eclipse MAT's
 * accumulation point.
 */
function holderOf(growers: readonly GrowerAnswer[], deltaBytes: number): DiffSummary['holder'] {
  if (deltaBytes <= 0) return null;
  const gained = (grower: GrowerAnswer) => grower.retainedDeltaBytes;
  const containers = growers
    .filter((grower) => grower.deltaEntries > 0 && gained(grower) > 0)
    .sort((a, b) => gained(b) - gained(a));
  let [holder] = containers;
  if (!holder) return null;
  for (const inner of containers) {
    const outer = holder;
    const isInside = inner.id !== outer.id && inner.path.some(({ id }) => id === outer.id);
    if (isInside && gained(inner) >= ACCUMULATION_SHARE * gained(outer)) holder = inner;
  }
  return { id: holder.id, shareOfGrowth: gained(holder) / deltaBytes };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
