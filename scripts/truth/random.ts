/** Repeatable chance: the same seed gives the same numbers on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
    for (let i = 0; i < 4; i++) this.uniform();
  }

  /** 0 to 1, by mulberry32. */
  uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 4_294_967_296;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** Each order of magnitude is as likely as the next. */
  logBetween(low: number, high: number): number {
    return Math.exp(this.between(Math.log(low), Math.log(high)));
  }

  /** Whole, both ends included. */
  whole(low: number, high: number): number {
    return low + Math.floor((high - low + 1) * this.uniform());
  }

  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** Standard normal, by Box and Muller. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.uniform());
  }
}

/** Autoregressive noise of the given standard deviation: each value remembers `memory` of the one before. */
export function autoregressive(
  random: Random,
  length: number,
  deviation: number,
  memory: number,
): Float64Array {
  const values = new Float64Array(length);
  const fresh = Math.sqrt(1 - memory * memory);
  let state = random.normal();
  for (let i = 0; i < length; i++) {
    values[i] = deviation * state;
    state = memory * state + fresh * random.normal();
  }
  return values;
}
