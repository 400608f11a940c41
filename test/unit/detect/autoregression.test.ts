import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ColumnSpace, MEMORIES } from '../../../src/detect/autoregression.js';

/** The likelihood as the book says it: the covariance matrix of the noise, its determinant and inverse. */
function slowDeviance(
  y: number[],
  columns: number[][],
  memory: number,
  begins: number[],
  noise: number,
): number {
  const n = y.length;
  const lifeOf = (i: number) => begins.filter((begin) => begin <= i).length;
  const covariance = y.map((_, i) =>
    y.map((__, j) => (lifeOf(i) === lifeOf(j) ? memory ** Math.abs(i - j) / (1 - memory * memory) : 0)),
  );
  const { inverse, logDeterminant } = invert(covariance);
  const times = (a: number[], b: number[]) =>
    a.reduce(
      (sum, value, i) =>
        sum + value * b.reduce((inner, other, j) => inner + (inverse[i]?.[j] ?? 0) * other, 0),
      0,
    );
  const gram = columns.map((a) => columns.map((b) => times(a, b)));
  const along = columns.map((a) => times(a, y));
  const coefficients =
    columns.length === 0
      ? []
      : invert(gram).inverse.map((row) => row.reduce((sum, value, i) => sum + value * (along[i] ?? 0), 0));
  const rest = y.map(
    (value, i) =>
      value - columns.reduce((sum, column, c) => sum + (column[i] ?? 0) * (coefficients[c] ?? 0), 0),
  );
  const variance = times(rest, rest) / n + noise * noise;
  return n * (Math.log(2 * Math.PI * variance) + 1) + logDeterminant;
}

/** Gauss and Jordan with pivots. */
function invert(matrix: number[][]): { inverse: number[][]; logDeterminant: number } {
  const n = matrix.length;
  const work = matrix.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  let logDeterminant = 0;
  for (let c = 0; c < n; c++) {
    let pivot = c;
    for (let r = c + 1; r < n; r++)
      if (Math.abs(work[r]?.[c] ?? 0) > Math.abs(work[pivot]?.[c] ?? 0)) pivot = r;
    [work[c], work[pivot]] = [work[pivot] as number[], work[c] as number[]];
    const row = work[c] as number[];
    const head = row[c] as number;
    logDeterminant += Math.log(Math.abs(head));
    for (let k = 0; k < 2 * n; k++) row[k] = (row[k] as number) / head;
    work.forEach((other, r) => {
      const factor = other[c] as number;
      if (r !== c && factor !== 0)
        for (let k = 0; k < 2 * n; k++) other[k] = (other[k] as number) - factor * (row[k] as number);
    });
  }
  return { inverse: work.map((row) => row.slice(n)), logDeterminant };
}

const number = fc.double({ min: -50, max: 50, noNaN: true });

describe('a linear model with noise that remembers', () => {
  test('has the likelihood that the covariance matrix gives, at the most probable memory', () => {
    const series = fc.integer({ min: 6, max: 16 }).chain((n) =>
      fc.record({
        y: fc.array(number, { minLength: n, maxLength: n }),
        x: fc.array(number, { minLength: n, maxLength: n }),
        begin: fc.integer({ min: 0, max: n - 1 }),
      }),
    );
    fc.assert(
      fc.property(series, ({ y, x, begin }) => {
        fc.pre(Math.max(...x) - Math.min(...x) > 1);
        const begins = begin === 0 ? [0] : [0, begin];
        const noise = 0.5;
        const space = new ColumnSpace(Float64Array.from(y), noise, begins);
        const one = y.map(() => 1);
        const columns = [space.add(Float64Array.from(one)), space.add(Float64Array.from(x))];
        const fit = space.fit(columns);
        const slow = MEMORIES.map((memory) => slowDeviance(y, [one, x], memory, begins, noise));
        const lowest = Math.min(...slow);
        assert.ok(fit);
        assert.ok(
          Math.abs(fit.deviance - lowest) < 1e-6 * Math.max(1, Math.abs(lowest)),
          `${fit.deviance} ${lowest}`,
        );
        assert.ok(
          Math.abs((slow[MEMORIES.indexOf(fit.memory as 0)] as number) - lowest) <
            1e-6 * Math.max(1, Math.abs(lowest)),
        );
      }),
      { numRuns: 200 },
    );
  });

  test('finds coefficients and their errors, and is less sure of them the longer the noise remembers', () => {
    const n = 80;
    const x = Float64Array.from({ length: n }, (_, i) => i / n);
    const errorWith = (memory: number) => {
      let state = 0;
      let seed = 7;
      const y = x.map((share) => {
        seed = (seed * 16_807) % 2_147_483_647;
        state = memory * state + (seed / 2_147_483_647 - 0.5);
        return 3 + 40 * share + state;
      });
      const space = new ColumnSpace(y, 1e-3);
      const fit = space.fit([space.add(new Float64Array(n).fill(1)), space.add(x)]);
      assert.ok(fit);
      assert.ok(Math.abs((fit.coefficients[1] as number) - 40) < 4 * (fit.errors[1] as number));
      return fit.errors[1] as number;
    };
    assert.ok(errorWith(0.9) > 3 * errorWith(0));
  });

  test('refuses columns of which one says nothing new', () => {
    const space = new ColumnSpace(Float64Array.from([1, 2, 4, 3, 5, 6]), 0.1);
    const one = space.add(new Float64Array(6).fill(1));
    assert.equal(space.fit([one, space.add(new Float64Array(6).fill(2))]), undefined);
  });
});
