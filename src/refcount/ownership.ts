import { types } from 'node:util';
import { Arc, type ArcCell } from './arc.js';

/**
 * Which values own which: the fields of a value are searched for Arcs.
 *
 * Seen are own enumerable fields, array elements, and the contents of Maps and
 * Sets, some levels deep. Not seen are private fields (#x), closures, getters
 * (they would run), and what lies behind a Proxy. Iterative, and bounded.
 *
 * An object that is reached from several values belongs to none of them: a
 * session that knows its gateway does not own what the gateway owns.
 */

export interface SearchLimits {
  /** Levels of objects below a value. Default 4. */
  depthMax: number;
  /** Fields read of each value. Default 10,000. */
  fieldsMax: number;
}

/** `from` holds an Arc of `to`. */
export interface Ownership {
  from: ArcCell;
  to: ArcCell;
  arc: Arc<unknown>;
  /** Where in the value of `from`: `.tools[].owner` */
  path: string;
}

interface Place {
  object: object;
  /** Undefined: the value itself. */
  inside: Place | undefined;
  /** What led here from `inside`. */
  field: string;
  depth: number;
}

interface Found extends Ownership {
  inside: Place;
}

export function findOwnerships(
  cells: readonly ArcCell[],
  limits: SearchLimits,
): { ownerships: Ownership[]; isComplete: boolean } {
  const found: Found[] = [];
  const reachedBy = new Map<object, ArcCell>();
  const surroundings = new Set<object>();
  let isComplete = true;
  const reached = (object: object, cell: ArcCell) => {
    const first = reachedBy.get(object);
    if (first === undefined) reachedBy.set(object, cell);
    else if (first !== cell) surroundings.add(object);
  };
  for (const cell of cells) if (!searchValue(cell, limits, reached, found)) isComplete = false;
  const isOwn = (place: Place | undefined): boolean =>
    place === undefined || (!surroundings.has(place.object) && isOwn(place.inside));
  return { ownerships: found.filter(({ inside }) => isOwn(inside)), isComplete };
}

/** @returns false when a limit ended the search */
function searchValue(
  from: ArcCell,
  { depthMax, fieldsMax }: SearchLimits,
  reached: (object: object, cell: ArcCell) => void,
  found: Found[],
): boolean {
  if (!isSearchable(from.value)) return true;
  const seen = new Set<object>([from.value]);
  const queue: Place[] = [{ object: from.value, inside: undefined, field: '', depth: 0 }];
  let fieldsLeft = fieldsMax;
  let isComplete = true;
  reached(from.value, from);
  for (let next = 0; next < queue.length; next++) {
    const place = queue[next] as Place;
    for (const [field, content] of contentsOf(place.object)) {
      if (fieldsLeft-- === 0) return false;
      if (content instanceof Arc) {
        const to = Arc.cellOf(content);
        if (to) found.push({ from, to, arc: content, path: pathOf(place) + field, inside: place });
      } else if (isSearchable(content) && !seen.has(content)) {
        seen.add(content);
        reached(content, from);
        if (place.depth < depthMax)
          queue.push({ object: content, inside: place, field, depth: place.depth + 1 });
        else isComplete = false;
      }
    }
  }
  return isComplete;
}

function isSearchable(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !types.isProxy(value) && !ArrayBuffer.isView(value);
}

/** Each with how one writes it behind the object's name. */
function* contentsOf(object: object): Iterable<[string, unknown]> {
  if (types.isMap(object)) for (const value of Map.prototype.values.call(object)) yield ['.get()', value];
  if (types.isSet(object)) for (const value of Set.prototype.values.call(object)) yield ['.values()', value];
  if (Array.isArray(object)) for (const value of object) yield ['[]', value];
  else
    for (const [field, { enumerable, value }] of Object.entries(Object.getOwnPropertyDescriptors(object)))
      if (enumerable && value !== undefined) yield [`.${field}`, value];
}

function pathOf({ inside, field }: Place): string {
  return inside === undefined ? field : pathOf(inside) + field;
}
