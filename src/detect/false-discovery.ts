/**
 * Many series are judged at once, and each has its chance of looking guilty: of
 * a thousand clean ones, ten have p < .01. What is held down is the false
 * discovery rate, the expected share of clean series among those that are
 * named.
 *
 * Step-up procedure of Benjamini and Hochberg (1995). It holds for independent
 * series and for those that rise and fall together (Benjamini and Yekutieli
 * 2001, theorem 1.2): processes of a fleet, under one load. Series of a single
 * process depend on each other in every way, as when what leaves a queue
 * enters a cache: for those the sum of 1/k is paid for as well (their theorem
 * 1.3), a factor of 4.5 for fifty series.
 */

export type Dependence = 'positive' | 'any';

/**
 * @returns for each p-value, in its place, the lowest false discovery rate at
 * which its series is still named (Storey's q-value with every series taken
 * for clean). Cost: n log n.
 */
export function falseDiscoveryRates(pValues: readonly number[], dependence: Dependence): number[] {
  const n = pValues.length;
  const price = dependence === 'any' ? harmonicNumber(n) : 1;
  const ascending = pValues.map((_, i) => i).sort((a, b) => (pValues[a] as number) - (pValues[b] as number));
  const rates = new Array<number>(n).fill(1);
  let lowest = 1;
  for (let rank = n; rank >= 1; rank--) {
    const i = ascending[rank - 1] as number;
    lowest = Math.min(lowest, (price * n * (pValues[i] as number)) / rank);
    rates[i] = lowest;
  }
  return rates;
}

/** 1 + 1/2 + ... + 1/n. */
function harmonicNumber(n: number): number {
  let sum = 0;
  for (let k = 1; k <= n; k++) sum += 1 / k;
  return sum;
}
