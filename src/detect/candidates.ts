import type { Contest } from './contest.js';
import {
  capacityStairs,
  doubling,
  doublingStairs,
  filling,
  logarithmic,
  onsetAt,
  settling,
  wave,
} from './shapes.js';
import { trySteps } from './step-candidates.js';

/** What is tried for each kind of explanation. Times are shares of the run. */

const WARM_UPS = [0.008, 0.015, 0.025, 0.04, 0.06, 0.09, 0.13, 0.18, 0.25, 0.35];
const LOGARITHMIC_WARM_UPS = [0.002, 0.006, 0.02, 0.06];
/** Of a logarithm a smaller unit of time moves only the level: it is no parameter that was searched for. */
const SLOWING_WARM_UP = 0.006;
const FULL_AT = Array.from({ length: 22 }, (_, i) => 0.08 + 0.04 * i);
const REPETITIONS = [0, 1.2, 2.5];
/** Around the best of these, closer: in little noise a knot beside the true one would be missed by much. */
const FULL_CLOSER = [-0.03, -0.02, -0.01, 0, 0.01, 0.02, 0.03];
const REPETITIONS_CLOSER = [-0.6, 0, 0.6];
const FULL_AT_LATEST = 0.95;
const ONSETS = Array.from({ length: 16 }, (_, i) => 0.1 + 0.05 * i);
const DOUBLINGS = [2, 3, 4, 5, 6, 7, 8, 10];
const STAIR_DOUBLINGS = Array.from({ length: 24 }, (_, i) => 2.75 + 0.25 * i);
const PHASES = Array.from({ length: 8 }, (_, i) => i / 8);
const CAPACITY_LASTS = Array.from({ length: 12 }, (_, i) => 0.52 + 0.04 * i);
const CYCLES = Array.from({ length: 66 }, (_, i) => 1.75 + 0.25 * i);
/** Cycles need points to be seen: so many at least, and in each cycle. */
const CYCLE_POINTS = { atLeast: 40, each: 4.5 } as const;

/** Tries every kind of explanation. */
export function tryAll(contest: Contest): void {
  const every = <Parameter>(parameters: readonly Parameter[], add: (parameter: Parameter) => number) =>
    parameters.map((parameter) => ({ parameter, column: add(parameter) }));
  const warmUps = [
    ...every(WARM_UPS, (tau) => contest.column(settling(tau))),
    ...every(LOGARITHMIC_WARM_UPS, (tau) => contest.column(logarithmic(tau))),
  ].map(({ column }) => column);
  const fillings = REPETITIONS.flatMap((repetition) =>
    FULL_AT.map((full) => fillingAt(contest, full, repetition)),
  );
  const growing = growthColumns(contest);
  contest.try({ name: 'level', columns: [], signs: [], leaking: 0, searched: 0 });
  contest.try({
    name: 'falling',
    columns: [growing[0]?.column as number],
    signs: [-1],
    leaking: 0,
    searched: 0,
  });
  trySlowing(contest, growing);
  tryBounded(contest, warmUps, fillings);
  trySteady(contest, warmUps, fillings, growing);
  tryOnsets(contest, warmUps);
  tryDoublings(contest);
  tryCycles(contest, growing);
  trySteps(contest);
}

interface GrowthColumn {
  name: 'steady' | 'perOperation';
  column: number;
}

function growthColumns(contest: Contest): GrowthColumn[] {
  const steady: GrowthColumn = { name: 'steady', column: contest.column((age) => age) };
  const { worked } = contest.points;
  if (worked === undefined) return [steady];
  return [steady, { name: 'perOperation', column: contest.space.add(worked) }];
}

/** A warm-up of which each tenfold of the time adds as much as the one before: clean, or with growth beneath it. */
function trySlowing(contest: Contest, growing: GrowthColumn[]): void {
  const slowing = contest.column(logarithmic(SLOWING_WARM_UP));
  contest.try({ name: 'slowingWarmUp', columns: [slowing], signs: [1], leaking: 0, searched: 0 });
  for (const { column } of growing)
    contest.try({
      name: 'steadyAfterWarmUp',
      columns: [slowing, column],
      signs: [1, 1],
      leaking: 1,
      searched: 0,
    });
}

interface Filling {
  full: number;
  repetition: number;
  column: number;
}

function fillingAt(contest: Contest, full: number, repetition: number): Filling {
  return { full, repetition, column: contest.column(filling(full, repetition)) };
}

function tryBounded(contest: Contest, warmUps: number[], fillings: Filling[]): void {
  for (const column of warmUps) {
    contest.try({ name: 'warmUp', columns: [column], signs: [1], leaking: 0, searched: 1 });
    contest.try({ name: 'falling', columns: [column], signs: [-1], leaking: 0, searched: 1 });
  }
  const early = warmUps.slice(0, 8).filter((_, k) => k % 2 === 0);
  fillings.forEach((one, i) => {
    tryFilling(contest, one);
    contest.try({ name: 'falling', columns: [one.column], signs: [-1], leaking: 0, searched: 1 });
    if (i % 2 === 1) tryWarmUpAndFilling(contest, early, one);
  });
  for (const closer of closerTo(contest, 'filling')) tryFilling(contest, closer);
  for (const closer of closerTo(contest, 'warmUpAndFilling')) tryWarmUpAndFilling(contest, early, closer);
}

function tryFilling(contest: Contest, { column, full, repetition }: Filling): void {
  contest.try({
    name: 'filling',
    columns: [column],
    signs: [1],
    leaking: 0,
    searched: 1,
    details: { full, repetition },
  });
}

function tryWarmUpAndFilling(
  contest: Contest,
  warmUps: number[],
  { column, full, repetition }: Filling,
): void {
  for (const early of warmUps) {
    contest.try({
      name: 'warmUpAndFilling',
      columns: [early, column],
      signs: [0, 1],
      leaking: 0,
      searched: 2,
      details: { full, repetition },
    });
  }
}

/** Fillings around the best one of the kind. */
function closerTo(contest: Contest, name: 'filling' | 'warmUpAndFilling'): Filling[] {
  const { full, repetition } = contest.best.get(name)?.details ?? {};
  if (full === undefined || repetition === undefined) return [];
  return REPETITIONS_CLOSER.map((by) => repetition + by)
    .filter((closer) => closer >= 0)
    .flatMap((closer) =>
      FULL_CLOSER.map((by) => full + by)
        .filter((knot) => knot <= FULL_AT_LATEST)
        .map((knot) => fillingAt(contest, knot, closer)),
    );
}

function trySteady(contest: Contest, warmUps: number[], fillings: Filling[], growing: GrowthColumn[]): void {
  for (const { name, column } of growing) {
    contest.try({ name, columns: [column], signs: [1], leaking: 1, searched: 0 });
    for (const warmUp of warmUps) {
      contest.try({
        name: 'steadyAfterWarmUp',
        columns: [warmUp, column],
        signs: [0, 1],
        leaking: 1,
        searched: 1,
      });
    }
    fillings.forEach(({ full, column: cache }, i) => {
      if (i % 2 === 0 || full > 0.75) return;
      contest.try({
        name: 'steadyBesideCache',
        columns: [cache, column],
        signs: [1, 1],
        leaking: 1,
        searched: 1,
        details: { full },
      });
    });
  }
}

function tryOnsets(contest: Contest, warmUps: number[]): void {
  for (const onset of ONSETS) {
    const column = contest.column(onsetAt(onset));
    contest.try({
      name: 'lateOnset',
      columns: [column],
      signs: [1],
      leaking: 1,
      searched: 1,
      details: { onset },
    });
    for (const warmUp of warmUps.slice(0, 8).filter((_, k) => k % 2 === 1)) {
      contest.try({
        name: 'lateOnsetAfterWarmUp',
        columns: [warmUp, column],
        signs: [0, 1],
        leaking: 1,
        searched: 2,
        details: { onset },
      });
    }
  }
}

function tryDoublings(contest: Contest): void {
  for (const doublings of DOUBLINGS) {
    const column = contest.column(doubling(doublings));
    contest.try({
      name: 'exponential',
      columns: [column],
      signs: [1],
      leaking: 1,
      searched: 1,
      details: { doublings },
    });
  }
  for (const doublings of STAIR_DOUBLINGS) {
    for (const phase of PHASES) {
      const column = contest.column(doublingStairs(doublings, phase));
      contest.try({
        name: 'doublingStairs',
        columns: [column],
        signs: [1],
        leaking: 1,
        searched: 2,
        details: { doublings },
      });
    }
  }
  for (const last of CAPACITY_LASTS) {
    const column = contest.column(capacityStairs(last));
    contest.try({ name: 'capacityStairs', columns: [column], signs: [1], leaking: 1, searched: 1 });
  }
}

function tryCycles(contest: Contest, growing: GrowthColumn[]): void {
  const n = contest.points.values.length;
  if (n < CYCLE_POINTS.atLeast) return;
  const steady = growing[0]?.column as number;
  for (const cycles of CYCLES) {
    if (n / cycles < CYCLE_POINTS.each) break;
    const [sine, cosine] = wave(cycles).map((shape) => contest.columnOverTime(shape)) as [number, number];
    const [sine2, cosine2] = wave(2 * cycles).map((shape) => contest.columnOverTime(shape)) as [
      number,
      number,
    ];
    for (const waves of [
      [sine, cosine],
      [sine, cosine, sine2, cosine2],
    ]) {
      const free = waves.map(() => 0 as const);
      const details = { cycles, waves: waves.length / 2 };
      contest.try({ name: 'cycles', columns: waves, signs: free, leaking: 0, searched: 1, details });
      if (cycles < 2.5) continue;
      contest.try({
        name: 'risingCycles',
        columns: [...waves, steady],
        signs: [...free, 1],
        leaking: 1,
        searched: 1,
        details,
      });
    }
  }
}
