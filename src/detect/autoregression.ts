/**
 * Linear models whose errors remember: y = X b + e, e(i) = m e(i-1) + u(i).
 *
 * Memory is a series of states: what is live now is mostly what was live a
 * moment ago. An ordinary regression takes such points for independent and is
 * far too sure of its slope, so the memory m is estimated anew inside every
 * model (exact Gaussian maximum likelihood; Prais and Winsten 1954, Beach and
 * MacKinnon 1978), over a fixed grid.
 *
 * What makes thousands of models affordable: the weighted product of two
 * columns is a polynomial in m of three plain sums, and those are computed once
 * for each pair of columns. A fit then costs p^3 for p columns, whatever the
 * number of points.
 */

/** Memories that are tried; 0 is white noise, 0.99 nearly a random walk. */
export const MEMORIES = [0, 0.3, 0.5, 0.65, 0.78, 0.87, 0.93, 0.965, 0.985] as const;

/** Columns beyond this in one model are refused: a model of memory with more explains nothing. */
export const COLUMNS_AT_MOST = 24;

export interface Fit {
  /** -2 log likelihood. */
  deviance: number;
  memory: number;
  /** One number a column. */
  coefficients: Float64Array;
  /** Standard errors of them. */
  errors: Float64Array;
  /** Of the fresh part of the noise. */
  deviation: number;
}

/** The columns of all models of one series, the series itself being column 0. */
export class ColumnSpace {
  readonly points: number;
  /** How many likelihoods were computed: what a judgement costs. */
  evaluations = 0;
  readonly #begins: readonly number[];
  readonly #noiseFloorSquared: number;
  readonly #columns: Float64Array[] = [];
  /** Three sums for each pair of columns, made when first asked for. */
  readonly #sums: (Float64Array | undefined)[][] = [];
  readonly #gram = new Float64Array(COLUMNS_AT_MOST * COLUMNS_AT_MOST);
  readonly #projected = new Float64Array(COLUMNS_AT_MOST);

  /**
   * @param target what is explained
   * @param noiseFloor standard deviation that even a perfect model leaves: rounding
   * @param begins indices at which the noise starts anew, 0 being the first
   */
  constructor(target: Float64Array, noiseFloor: number, begins: readonly number[] = [0]) {
    this.points = target.length;
    this.#begins = begins;
    this.#noiseFloorSquared = noiseFloor * noiseFloor;
    this.add(target);
  }

  /** @returns the index by which models name the column */
  add(column: Float64Array): number {
    this.#columns.push(column);
    this.#sums.push([]);
    return this.#columns.length - 1;
  }

  column(index: number): Float64Array {
    return this.#columns[index] as Float64Array;
  }

  /** The most probable memory and coefficients; undefined when the columns depend on each other. */
  fit(columns: readonly number[]): Fit | undefined {
    const best = this.#mostProbableMemory(columns);
    return best && this.#solve(columns, best.memory, best.deviance);
  }

  #mostProbableMemory(columns: readonly number[]): { memory: number; deviance: number } | undefined {
    let memory = Number.NaN;
    let lowest = Number.POSITIVE_INFINITY;
    for (const candidate of MEMORIES) {
      const deviance = this.#devianceAt(columns, candidate);
      if (deviance < lowest) {
        lowest = deviance;
        memory = candidate;
      }
    }
    return Number.isFinite(lowest) ? { memory, deviance: lowest } : undefined;
  }

  #devianceAt(columns: readonly number[], memory: number): number {
    this.evaluations++;
    const unexplained = this.#factor(columns, memory);
    if (unexplained === undefined) return Number.POSITIVE_INFINITY;
    const n = this.points;
    const variance = unexplained / n + this.#noiseFloorSquared;
    return n * (Math.log(2 * Math.PI * variance) + 1) - this.#begins.length * Math.log(1 - memory * memory);
  }

  /**
   * Cholesky factor of the weighted cross products, in place, and the
   * projections of the target on it.
   * @returns the weighted sum of squares that the columns leave
   */
  #factor(columns: readonly number[], memory: number): number | undefined {
    const p = columns.length;
    const gram = this.#gram;
    const projected = this.#projected;
    let unexplained = this.#product(0, 0, memory);
    for (let i = 0; i < p; i++) {
      const row = i * COLUMNS_AT_MOST;
      const column = columns[i] as number;
      for (let j = 0; j <= i; j++) {
        const other = j * COLUMNS_AT_MOST;
        let sum = this.#product(column, columns[j] as number, memory);
        const whole = sum;
        for (let k = 0; k < j; k++) sum -= (gram[row + k] as number) * (gram[other + k] as number);
        if (i === j) {
          // A column that the others already hold leaves nothing but rounding.
          if (!(sum > 1e-9 * whole)) return undefined;
          gram[row + i] = Math.sqrt(sum);
        } else {
          gram[row + j] = sum / (gram[other + j] as number);
        }
      }
      let along = this.#product(column, 0, memory);
      for (let k = 0; k < i; k++) along -= (gram[row + k] as number) * (projected[k] as number);
      along /= gram[row + i] as number;
      projected[i] = along;
      unexplained -= along * along;
    }
    return Math.max(0, unexplained);
  }

  #solve(columns: readonly number[], memory: number, deviance: number): Fit | undefined {
    const unexplained = this.#factor(columns, memory);
    if (unexplained === undefined) return undefined;
    const p = columns.length;
    const deviation = Math.sqrt(unexplained / Math.max(1, this.points - p) + this.#noiseFloorSquared);
    const coefficients = this.#back(this.#projected, p);
    const errors = new Float64Array(p);
    const unit = new Float64Array(p);
    for (let i = 0; i < p; i++) {
      // Row i of the inverse factor: its squares sum up to the variance.
      unit.fill(0);
      unit[i] = 1;
      const forward = this.#forward(unit, p);
      errors[i] = deviation * Math.sqrt(this.#back(forward, p)[i] as number);
    }
    return { deviance, memory, coefficients, errors, deviation };
  }

  #forward(right: Float64Array, p: number): Float64Array {
    const solved = new Float64Array(p);
    for (let i = 0; i < p; i++) {
      let sum = right[i] as number;
      for (let k = 0; k < i; k++)
        sum -= (this.#gram[i * COLUMNS_AT_MOST + k] as number) * (solved[k] as number);
      solved[i] = sum / (this.#gram[i * COLUMNS_AT_MOST + i] as number);
    }
    return solved;
  }

  #back(right: Float64Array, p: number): Float64Array {
    const solved = new Float64Array(p);
    for (let i = p - 1; i >= 0; i--) {
      let sum = right[i] as number;
      for (let k = i + 1; k < p; k++)
        sum -= (this.#gram[k * COLUMNS_AT_MOST + i] as number) * (solved[k] as number);
      solved[i] = sum / (this.#gram[i * COLUMNS_AT_MOST + i] as number);
    }
    return solved;
  }

  /** Product of two columns in the metric of the noise: the sums of values, of neighbours, and at the ends. */
  #product(a: number, b: number, memory: number): number {
    const sums = a >= b ? this.#sumsOf(a, b) : this.#sumsOf(b, a);
    const squared = memory * memory;
    return (1 + squared) * (sums[0] as number) - memory * (sums[1] as number) - squared * (sums[2] as number);
  }

  #sumsOf(a: number, b: number): Float64Array {
    const row = this.#sums[a] as (Float64Array | undefined)[];
    const known = row[b];
    if (known) return known;
    const sums = this.#sum(this.#columns[a] as Float64Array, this.#columns[b] as Float64Array);
    row[b] = sums;
    return sums;
  }

  #sum(x: Float64Array, y: Float64Array): Float64Array {
    let values = 0;
    let neighbours = 0;
    let ends = 0;
    for (let s = 0; s < this.#begins.length; s++) {
      const first = this.#begins[s] as number;
      const behind = this.#begins[s + 1] ?? this.points;
      values += (x[first] as number) * (y[first] as number);
      for (let i = first + 1; i < behind; i++) {
        values += (x[i] as number) * (y[i] as number);
        neighbours += (x[i] as number) * (y[i - 1] as number) + (x[i - 1] as number) * (y[i] as number);
      }
      ends +=
        (x[first] as number) * (y[first] as number) + (x[behind - 1] as number) * (y[behind - 1] as number);
    }
    return Float64Array.of(values, neighbours, ends);
  }
}
