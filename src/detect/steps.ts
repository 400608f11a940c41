import { COLUMNS_AT_MOST, type ColumnSpace } from './autoregression.js';

/**
 * Where a series jumps: forward selection of steps in the metric of the noise
 * (orthogonal matching pursuit; Pati 1993). Each round takes the step that
 * explains most of what is left.
 *
 * Cost: points squared for each step, which is why it works on blocks.
 *
 * @param memory of the noise; near 1, whitening makes a step an impulse
 * @returns indices of the points at which the steps are, in order of their weight
 */
export function stepPlaces(
  values: Float64Array,
  besides: readonly Float64Array[],
  begins: readonly number[],
  memory: number,
  most: number,
): number[] {
  const n = values.length;
  const rest = whitened(values, begins, memory);
  const candidates = new Map<number, Float64Array>();
  for (let place = 1; place < n; place++) {
    if (begins.includes(place)) continue;
    candidates.set(place, whitened(stepAt(n, place, begins), begins, memory));
  }
  const remove = (direction: Float64Array) => {
    const length = Math.sqrt(dot(direction, direction));
    if (!(length > 1e-9)) return;
    const unit = direction.map((value) => value / length);
    takeOff(rest, unit);
    for (const candidate of candidates.values()) takeOff(candidate, unit);
  };
  const fixed: Float64Array[] = [];
  for (const column of besides) {
    const direction = whitened(column, begins, memory);
    for (const other of fixed) takeOff(direction, other);
    const length = Math.sqrt(dot(direction, direction));
    if (length > 1e-9) fixed.push(direction.map((value) => value / length));
    remove(direction);
  }
  const places: number[] = [];
  for (let round = 0; round < Math.min(most, COLUMNS_AT_MOST - 4); round++) {
    const place = heaviest(candidates, rest);
    if (place === undefined) break;
    places.push(place);
    const chosen = candidates.get(place) as Float64Array;
    candidates.delete(place);
    remove(chosen);
  }
  return places;
}

/** 0 before the place and 1 from there on, until the process starts anew. */
export function stepAt(length: number, place: number, begins: readonly number[] = [0]): Float64Array {
  const column = new Float64Array(length);
  column.fill(1, place, begins.find((begin) => begin > place) ?? length);
  return column;
}

/** Adds the steps to the space; returns the indices of their columns. */
export function addSteps(space: ColumnSpace, places: readonly number[], begins: readonly number[]): number[] {
  return places.map((place) => space.add(stepAt(space.points, place, begins)));
}

function heaviest(candidates: Map<number, Float64Array>, rest: Float64Array): number | undefined {
  let best: number | undefined;
  let most = 0;
  for (const [place, candidate] of candidates) {
    const size = dot(candidate, candidate);
    if (size < 1e-6) continue;
    const gain = dot(candidate, rest) ** 2 / size;
    if (gain > most) {
      most = gain;
      best = place;
    }
  }
  return best;
}

/** What an AR(1) process leaves unpredicted of a column; at each start the whole value, scaled. */
function whitened(column: Float64Array, begins: readonly number[], memory: number): Float64Array {
  const first = Math.sqrt(1 - memory * memory);
  const white = column.map((value, i) => value - memory * (i > 0 ? (column[i - 1] as number) : 0));
  for (const begin of begins) white[begin] = first * (column[begin] as number);
  return white;
}

function takeOff(vector: Float64Array, unit: Float64Array): void {
  const along = dot(vector, unit);
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] as number) - along * (unit[i] as number);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
