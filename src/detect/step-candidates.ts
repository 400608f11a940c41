import type { Candidate, Contest } from './contest.js';
import { risingStairs, settling } from './shapes.js';
import { addSteps, stepPlaces } from './steps.js';

/** What is tried of stairs: where they are is searched, how they go on is weighed. */

const MOST_STEPS = 14;
const POINTS_AT_LEAST = 20;
/** Memories for the search: one sees levels, the other sees jumps. */
const MEMORIES = [0.5, 0.95] as const;
/** Steps whose gaps vary by less than this keep time; above the second figure they keep none. */
const REGULAR_VARIATION = 0.2;
const SPORADIC_VARIATION = 0.5;
/** Steps of which none came after this share of the run do not go on. */
const STILL_STEPPING = 0.6;
/** A pause of so many gaps, and regular steps have stopped. */
const STOPPED_AFTER_GAPS = 1.6;
/** The same leaks each time, more or less: what steps by less than this share of the largest is something else. */
const LEAST_OF_LARGEST = 0.1;

/** Every process warms up; steps that come later are looked for on top of it too. */
const WARM_UPS_BENEATH = [0.02, 0.06];

export function trySteps(contest: Contest): void {
  const n = contest.points.values.length;
  if (n < POINTS_AT_LEAST) return;
  const most = Math.min(MOST_STEPS, Math.floor(n / 5));
  for (const memory of MEMORIES) tryStepsOn(contest, [], memory, most);
  for (const tau of WARM_UPS_BENEATH) tryStepsOn(contest, [contest.column(settling(tau))], MEMORIES[0], most);
  tryEvenStairs(contest);
}

function tryStepsOn(contest: Contest, beneath: number[], memory: number, most: number): void {
  const { points, space } = contest;
  const constant = new Float64Array(points.values.length).fill(1);
  const besides = [constant, ...beneath.map((column) => space.column(column))];
  const places = stepPlaces(space.column(0), besides, points.begins, memory, most);
  const columns = addSteps(space, places, points.begins);
  for (let count = 1; count <= places.length; count++) {
    tryStairs(contest, beneath, places.slice(0, count), columns.slice(0, count));
  }
}

/** @param beneath columns of a warm-up, if there is one: its time is searched for as well */
function tryStairs(given: Contest, beneath: number[], found: number[], columns: number[]): void {
  const contest = {
    points: given.points,
    space: given.space,
    try: ({ columns: own, signs, searched, ...rest }: Candidate) =>
      given.try({
        ...rest,
        columns: [...beneath, ...own],
        signs: [...beneath.map(() => 1 as const), ...signs],
        searched: searched + beneath.length,
      }),
  };
  const { x } = contest.points;
  const count = found.length;
  const free = found.map(() => 0 as const);
  const steps = [...found].sort((a, b) => a - b);
  const details = { steps };
  if (count <= 2) {
    contest.try({ name: 'fewSteps', columns, signs: free, leaking: 0, searched: count, details });
    return;
  }
  const rhythm = rhythmOf(steps, x);
  contest.try({
    name: 'stepsThatStopped',
    columns,
    signs: free,
    leaking: 0,
    searched: count,
    bonus: rhythm.stopped,
    details,
  });
  const sum = (heights: number[]) => contest.space.add(staircase(contest, steps, heights));
  const even = sum(steps.map(() => 1 / count));
  contest.try({
    name: 'stepsThatStopped',
    columns: [even],
    signs: [0],
    leaking: 0,
    searched: count,
    bonus: rhythm.stopped,
    details,
  });
  if (rhythm.last < STILL_STEPPING) return;
  if (rhythm.variation <= SPORADIC_VARIATION && rhythm.pause > STOPPED_AFTER_GAPS) return;
  const name = rhythm.variation <= SPORADIC_VARIATION ? 'regularSteps' : 'sporadicSteps';
  // Regular times are two parameters, however many steps there are.
  const searched = rhythm.variation < REGULAR_VARIATION ? Math.min(count, 2) : count;
  const up = found.map(() => 1 as const);
  contest.try({ name, columns, signs: up, leaking: count, searched, leastShare: LEAST_OF_LARGEST, details });
  // The same work leaks the same each time, or twice as much.
  contest.try({ name, columns: [even], signs: [1], leaking: 1, searched, details });
  if (name !== 'regularSteps') return;
  const twice = sum(steps.map((_, i) => 2 ** i / (2 ** count - 1)));
  contest.try({ name: 'doublingStairs', columns: [twice], signs: [1], leaking: 1, searched, details });
}

function staircase(
  { space, points }: Pick<Contest, 'space' | 'points'>,
  steps: number[],
  heights: number[],
): Float64Array {
  const column = new Float64Array(space.points);
  steps.forEach((place, i) => {
    const until = points.begins.find((begin) => begin > place) ?? column.length;
    for (let k = place; k < until; k++) column[k] = (column[k] as number) + (heights[i] as number);
  });
  return column;
}

interface Rhythm {
  /** Deviation of the gaps over their mean. */
  variation: number;
  /** Of the last step, as a share of the run. */
  last: number;
  /** From the last step to the end, in mean gaps. */
  pause: number;
  /** Logarithm of how much likelier the times are if steps have stopped than if they go on. */
  stopped: number;
}

/**
 * Steps that may come at any time up to the moment when they stop, and that
 * moment at any time: count steps before `last` are (last^(1-count) - 1) /
 * (count - 1) times as likely as if they still came.
 */
function rhythmOf(steps: number[], x: Float64Array): Rhythm {
  const times = steps.map((place) => x[place] as number);
  const gaps = times.slice(1).map((at, i) => at - (times[i] as number));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
  const last = Math.min(0.995, Math.max(0.05, times.at(-1) as number));
  const count = steps.length;
  return {
    variation: Math.sqrt(variance) / mean,
    last,
    pause: (1 - last) / mean,
    stopped: Math.min(8, Math.log((last ** (1 - count) - 1) / (count - 1))),
  };
}

/** Offsets around the pace of the best cycles, and parts of a step at which the run begins. */
const PACES = Array.from({ length: 13 }, (_, i) => -0.3 + 0.05 * i);
const PHASES = Array.from({ length: 12 }, (_, i) => i / 12);

/**
 * Stairs with even steps at even times are a straight line with a sawtooth on
 * it: the best cycles on a rising line say at which pace to look. Small steps in
 * much noise are found only so.
 */
function tryEvenStairs(contest: Contest): void {
  const pace = contest.best.get('risingCycles')?.details.cycles;
  if (pace === undefined) return;
  for (const offset of PACES) {
    for (const phase of PHASES) {
      const column = contest.column(risingStairs(pace + offset, phase));
      contest.try({ name: 'regularSteps', columns: [column], signs: [1], leaking: 1, searched: 2 });
    }
  }
}
