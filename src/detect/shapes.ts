/**
 * How memory may run over time, as columns for a regression. Every shape is 0
 * at the start of the process and 1 at the age of a whole run, so that its
 * coefficient is the bytes it stands for.
 */

export type Shape = (age: number) => number;

/** Code is compiled, modules load, pools come up to size: fast at first, then no more. */
export const settling =
  (tau: number): Shape =>
  (age) =>
    (1 - Math.exp(-age / tau)) / (1 - Math.exp(-1 / tau));

/** The slow kind of warm-up: each tenfold of the time adds as much as the one before. */
export const logarithmic =
  (tau: number): Shape =>
  (age) =>
    Math.log1p(age / tau) / Math.log1p(1 / tau);

/**
 * A cache until its budget is reached at `full`. The more keys repeat, the
 * slower the last part fills: `repetition` 0 is a straight line.
 */
export const filling =
  (full: number, repetition: number): Shape =>
  (age) => {
    const share = Math.min(1, age / full);
    return repetition === 0 ? share : (1 - Math.exp(-repetition * share)) / (1 - Math.exp(-repetition));
  };

/** Nothing, and from `onset` on a straight line. */
export const onsetAt =
  (onset: number): Shape =>
  (age) =>
    Math.max(0, age - onset) / (1 - onset);

/** Doubles so many times over a whole run. */
export const doubling =
  (times: number): Shape =>
  (age) =>
    (2 ** (times * age) - 1) / (2 ** times - 1);

/** The same in stairs: all at once, at regular times, at `phase` of the interval. */
export const doublingStairs =
  (times: number, phase: number): Shape =>
  (age) => {
    const first = 2 ** Math.floor(-phase);
    return (2 ** Math.floor(times * age - phase) - first) / (2 ** Math.floor(times - phase) - first);
  };

/**
 * A table that doubles whenever it is full, filled evenly: steps at `last`,
 * half of it, a quarter of it, each half as high as the next.
 */
export const capacityStairs =
  (last: number): Shape =>
  (age) =>
    age < last / 64 ? 0 : Math.min(1, 2 ** Math.floor(Math.log2(age / last)));

export const wave = (cycles: number): [Shape, Shape] => [
  (x) => Math.sin(2 * Math.PI * cycles * x),
  (x) => Math.cos(2 * Math.PI * cycles * x),
];

/** Even steps at even times, `phase` of a step done at the start. */
export const risingStairs =
  (steps: number, phase: number): Shape =>
  (age) =>
    Math.floor(steps * age + phase) / Math.max(1, Math.floor(steps + phase));
