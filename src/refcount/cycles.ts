import { anchoredObjects } from './anchors.js';
import type { ArcCell } from './arc.js';
import { findOwnerships, type Ownership, type SearchLimits } from './ownership.js';

/** Values that own each other in a ring, and are therefore never disposed of. */
export interface ArcCycle {
  /** `session.tools[] -> tool.owner -> session`: the shortest way round, as names of values and their fields. */
  description: string;
  /** Rings of this shape. */
  count: number;
  /** Of them, rings that no Arc from outside owns: nobody is left who could break them. */
  withoutOwners: number;
}

export interface ArcCycles {
  /** Most first. */
  cycles: ArcCycle[];
  /** Values that were looked at. */
  values: number;
  /** false: a limit ended the search, or a value reaches deeper; there may be more. */
  isComplete: boolean;
}

/**
 * Looks for Arcs that own each other in a ring, among the values of this
 * thread that are still in memory. ownership.ts says what is seen.
 *
 * Blocks for as long as it takes to read the fields of all values; then Tarjan's
 * strongly connected components, linear in values and references between them.
 */
export function findCycles(given: Partial<SearchLimits> = {}): ArcCycles {
  const limits = { depthMax: 4, fieldsMax: 10_000, ...given };
  const cells = anchoredObjects() as ArcCell[];
  const { ownerships, isComplete } = findOwnerships(cells, limits);
  const ownershipsFrom = new Map<ArcCell, Ownership[]>();
  for (const ownership of ownerships) {
    const others = ownershipsFrom.get(ownership.from);
    if (others) others.push(ownership);
    else ownershipsFrom.set(ownership.from, [ownership]);
  }
  const shapes = new Map<string, ArcCycle>();
  for (const ring of rings(cells, ownershipsFrom)) {
    const description = describe(ring, ownershipsFrom);
    const shape = shapes.get(description) ?? { description, count: 0, withoutOwners: 0 };
    shape.count++;
    if (ownersOutside(ring, ownershipsFrom) === 0) shape.withoutOwners++;
    shapes.set(description, shape);
  }
  return { cycles: [...shapes.values()].sort((a, b) => b.count - a.count), values: cells.length, isComplete };
}

/** Rings up to this size are described the same from whichever member they are found. */
const COMPARED_MAX = 32;

type Graph = ReadonlyMap<ArcCell, readonly Ownership[]>;

interface Visit {
  cell: ArcCell;
  next: number;
}

/**
 * Tarjan's algorithm with a stack of its own. Source: R. Tarjan, "Depth-first
 * search and linear graph algorithms", 1972.
 * @returns the components that have a way from a value back to itself
 */
function rings(cells: readonly ArcCell[], graph: Graph): Set<ArcCell>[] {
  const found: Set<ArcCell>[] = [];
  const indexOf = new Map<ArcCell, number>();
  const lowest = new Map<ArcCell, number>();
  const open: ArcCell[] = [];
  const isOpen = new Set<ArcCell>();
  const visits: Visit[] = [];
  const lower = (cell: ArcCell, to: number) => lowest.set(cell, Math.min(lowest.get(cell) ?? to, to));
  const enter = (cell: ArcCell) => {
    lowest.set(cell, indexOf.size);
    indexOf.set(cell, indexOf.size);
    open.push(cell);
    isOpen.add(cell);
    visits.push({ cell, next: 0 });
  };
  const leave = ({ cell }: Visit) => {
    visits.pop();
    const low = lowest.get(cell) as number;
    const parent = visits.at(-1);
    if (parent) lower(parent.cell, low);
    if (low !== indexOf.get(cell)) return;
    const component = new Set(open.splice(open.lastIndexOf(cell)));
    for (const member of component) isOpen.delete(member);
    if (component.size > 1 || graph.get(cell)?.some(({ to }) => to === cell)) found.push(component);
  };
  for (const start of cells) {
    if (indexOf.has(start)) continue;
    enter(start);
    for (let visit = visits.at(-1); visit; visit = visits.at(-1)) {
      const to = graph.get(visit.cell)?.[visit.next++]?.to;
      if (to === undefined) leave(visit);
      else if (!indexOf.has(to)) enter(to);
      else if (isOpen.has(to)) lower(visit.cell, indexOf.get(to) as number);
    }
  }
  return found;
}

/** Strong references to members of the ring that no member of it holds. */
function ownersOutside(ring: ReadonlySet<ArcCell>, graph: Graph): number {
  const inside = new Set<unknown>();
  let strong = 0;
  for (const cell of ring) {
    strong += cell.strong;
    for (const { to, arc } of graph.get(cell) ?? []) if (ring.has(to)) inside.add(arc);
  }
  return strong - inside.size;
}

/** The shortest way round, and of those the first in the alphabet; of a large ring, any member's shortest. */
function describe(ring: ReadonlySet<ArcCell>, graph: Graph): string {
  const starts = ring.size <= COMPARED_MAX ? [...ring] : [...ring].slice(0, 1);
  const ways = starts.flatMap((start) => {
    const way = shortestWayRound(start, ring, graph);
    return way ? [{ length: way.length, text: textOf(way) }] : [];
  });
  ways.sort((a, b) => a.length - b.length || (a.text < b.text ? -1 : 1));
  return ways[0]?.text ?? '';
}

function shortestWayRound(start: ArcCell, ring: ReadonlySet<ArcCell>, graph: Graph): Ownership[] | undefined {
  const cameBy = new Map<ArcCell, Ownership>();
  const queue = [start];
  for (let next = 0; next < queue.length; next++) {
    for (const ownership of graph.get(queue[next] as ArcCell) ?? []) {
      const { to } = ownership;
      if (!ring.has(to) || cameBy.has(to)) continue;
      cameBy.set(to, ownership);
      if (to === start) return wayTo(start, cameBy);
      queue.push(to);
    }
  }
  return undefined;
}

function wayTo(end: ArcCell, cameBy: ReadonlyMap<ArcCell, Ownership>): Ownership[] {
  const way: Ownership[] = [];
  for (let at = end; way.length === 0 || at !== end; ) {
    const ownership = cameBy.get(at) as Ownership;
    way.unshift(ownership);
    at = ownership.from;
  }
  return way;
}

function textOf(way: readonly Ownership[]): string {
  const steps = way.map(({ from, path }) => `${from.row.name}${path}`);
  return [...steps, way[0]?.from.row.name].join(' -> ');
}
