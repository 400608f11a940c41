import { readFileSync, rmSync } from 'node:fs';
import { diffHeapSnapshots, openHeapSnapshot } from '../../../src/snapshot/index.js';
import type { DevToolsSnapshot } from './devtools.js';

/** What is compared of a node, as text: the absent is the empty text. */
const FIELDS = ['dominator', 'retained bytes', 'distance'] as const;

export interface Difference {
  /** What the figure belongs to: `@25 object`, `class Map`. */
  of: string;
  field: string;
  ours: string;
  devTools: string;
}

export interface Parity {
  /** Nodes or classes that were compared. */
  compared: number;
  differences: Difference[];
}

/** DevTools' number for what nothing reaches. */
const NO_DISTANCE = -5;

/** Every node of a snapshot: dominator, retained size and distance, as we and as DevTools see them. */
export async function compareNodes(path: string, snapshot: DevToolsSnapshot): Promise<Parity> {
  const ours = await ourNodes(path);
  const differences: Difference[] = [];
  for (let ordinal = 0; ordinal < snapshot.nodeCount; ordinal++) {
    const id = idOf(snapshot, ordinal);
    const theirs = [
      ordinal === rootOf(snapshot) ? '' : String(idOf(snapshot, snapshot.dominatorsTree[ordinal] ?? -1)),
      String(snapshot.retainedSizes[ordinal]),
      snapshot.nodeDistances[ordinal] === NO_DISTANCE ? '' : String(snapshot.nodeDistances[ordinal]),
    ];
    const mine = ours.get(id);
    ours.delete(id);
    FIELDS.forEach((field, i) => {
      if (mine?.[i] === theirs[i]) return;
      const node = snapshot.createNode(ordinal * snapshot.nodeFieldCount);
      differences.push({
        of: `@${id} ${node.type()} ${node.className()}`,
        field,
        ours: mine?.[i] ?? 'no such node',
        devTools: theirs[i] ?? '',
      });
    });
  }
  for (const id of ours.keys())
    differences.push({ of: `@${id}`, field: 'node', ours: 'there', devTools: 'no such node' });
  return { compared: snapshot.nodeCount, differences };
}

/** By id: the FIELDS. */
async function ourNodes(path: string): Promise<Map<number, string[]>> {
  const csv = `${path}.csv`;
  await using heap = await openHeapSnapshot(path);
  await heap.writeNodes(csv);
  const [head, ...lines] = readFileSync(csv, 'utf8').trimEnd().split('\n');
  rmSync(csv);
  if (head !== 'id,type,name,self_bytes,retained_bytes,dominator_id,distance')
    throw new Error(`the columns of ${csv} are not the known ones: ${head}`);
  return new Map(
    lines.map((line) => {
      // The name may hold commas: what is after it is counted from the end.
      const [retained = '', dominator = '', distance = ''] = line.split(',').slice(-3);
      return [Number(line.slice(0, line.indexOf(','))), [dominator, retained, distance]];
    }),
  );
}

function idOf(snapshot: DevToolsSnapshot, ordinal: number): number {
  return snapshot.nodes.getValue(ordinal * snapshot.nodeFieldCount + snapshot.nodeIdOffset);
}

function rootOf(snapshot: DevToolsSnapshot): number {
  return snapshot.rootNodeIndexInternal / snapshot.nodeFieldCount;
}

/** More than there are in the heaps that are compared. */
const CLASSES_MAX = 400;

/** Every class: objects, owned and retained bytes. Classes of the same name are one here. */
export async function compareClasses(path: string, snapshot: DevToolsSnapshot): Promise<Parity> {
  await using heap = await openHeapSnapshot(path);
  const { classes } = await heap.overview({ top: CLASSES_MAX });
  if (classes.length === CLASSES_MAX) throw new Error(`${path} has ${CLASSES_MAX} classes or more`);
  const [ours, theirs] = [new Sums(), new Sums()];
  for (const row of classes) ours.add(row.name, row.count, row.ownedBytes, row.retainedBytes);
  for (const row of Object.values(snapshot.aggregatesWithFilter({})))
    theirs.add(row.name, row.count, row.self, row.maxRet);
  return compareSums(ours, theirs, ['objects', 'owned bytes', 'retained bytes']);
}

/**
 * Objects that came and went, by class. DevTools' figures are taken with what it
 * leaves out by rule: it takes an object without bytes of its own for none. Such
 * are synthetic nodes, and backing stores, whose bytes it counts to their owners.
 */
export async function compareDiffs(
  [before, base]: [path: string, snapshot: DevToolsSnapshot],
  [after, snapshot]: [path: string, snapshot: DevToolsSnapshot],
): Promise<Parity> {
  const [baseIds, ids] = [idsOf(base), idsOf(snapshot)];
  const theirs = new Sums();
  const diff = snapshot.calculateSnapshotDiff(1, base.aggregatesForDiff(snapshot.interfaceDefinitions()));
  for (const row of Object.values(diff)) {
    const came = row.addedIds.filter((id) => !baseIds.has(id));
    const went = row.deletedIds.filter((id) => !ids.has(id));
    theirs.add(row.name, came.length, went.length);
  }
  for (const name of namesOfEmpty(snapshot, baseIds)) theirs.add(name, 1, 0);
  for (const name of namesOfEmpty(base, ids)) theirs.add(name, 0, 1);
  const ours = new Sums();
  for (const row of (await diffHeapSnapshots([before, after])).classes)
    ours.add(row.name, row.addedCount, row.removedCount);
  return compareSums(ours, theirs, ['new objects', 'deleted objects']);
}

function idsOf(snapshot: DevToolsSnapshot): Set<number> {
  return new Set(Array.from({ length: snapshot.nodeCount }, (_, ordinal) => idOf(snapshot, ordinal)));
}

/** The classes of objects without bytes that are not among `others`. */
function namesOfEmpty(snapshot: DevToolsSnapshot, others: Set<number>): string[] {
  const names: string[] = [];
  for (let ordinal = 0; ordinal < snapshot.nodeCount; ordinal++) {
    if (others.has(idOf(snapshot, ordinal))) continue;
    const node = snapshot.createNode(ordinal * snapshot.nodeFieldCount);
    if (node.selfSize() === 0) names.push(node.className());
  }
  return names;
}

/** Figures by name. */
class Sums {
  readonly rows = new Map<string, number[]>();

  add(name: string, ...figures: number[]): void {
    const row = this.rows.get(name);
    this.rows.set(name, row ? row.map((figure, i) => figure + (figures[i] ?? 0)) : figures);
  }
}

function compareSums(ours: Sums, theirs: Sums, fields: string[]): Parity {
  const names = new Set([...ours.rows.keys(), ...theirs.rows.keys()]);
  const differences = [...names].flatMap((name) =>
    fields.flatMap((field, i) => {
      const [mine, other] = [ours.rows.get(name)?.[i] ?? 0, theirs.rows.get(name)?.[i] ?? 0];
      return mine === other
        ? []
        : [{ of: `class ${name}`, field, ours: String(mine), devTools: String(other) }];
    }),
  );
  return { compared: names.size, differences };
}
