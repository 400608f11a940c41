import { ownRows, type Row } from './registry.js';

/**
 * Where references are taken, for a sample of them.
 *
 * A stack costs 5 to 8 microseconds here, a hundred times what a reference
 * costs. So each row takes the stacks of its first few, and of one in so many
 * afterwards, at random: a program that clones twice per request would
 * otherwise show the same one of its two places for ever.
 *
 * A stack is made text at once. Until then V8 keeps the functions and the
 * `this` of every frame, and what is kept that way never counts as leaked.
 */

export interface StackSampling {
  /** One stack in so many references, on average; 1: all, 0: none. Default 128. */
  every: number;
  /** Frames of a stack at most. Default 8. */
  frames: number;
}

/** So many of every row are taken with their stacks before sampling begins. */
const FIRST_STACKS = 32;

let sampling: StackSampling = { every: 128, frames: 8 };

/** Changes how many references of this thread are taken with their stacks. */
export function sampleStacks(given: Partial<StackSampling>): void {
  sampling = { ...sampling, ...given };
  for (const row of ownRows()) row.untilStack = 1;
}

/**
 * The stack of whoever called `above`, if this reference is one of the sample.
 * @param above our own function, which is not of interest
 */
export function sampledStack(row: Row, above: (...args: never[]) => unknown): string | undefined {
  if (--row.untilStack > 0) return undefined;
  return takeStack(row, above);
}

function takeStack(row: Row, above: (...args: never[]) => unknown): string | undefined {
  const { every, frames } = sampling;
  row.stacksTaken++;
  if (every === 0) row.untilStack = Number.POSITIVE_INFINITY;
  else if (row.stacksTaken < FIRST_STACKS) row.untilStack = 1;
  else row.untilStack = 1 + Math.floor(Math.random() * (2 * every - 1));
  return every === 0 ? undefined : stackAbove(above, frames);
}

function stackAbove(above: (...args: never[]) => unknown, frames: number): string | undefined {
  const { stackTraceLimit, prepareStackTrace } = Error;
  const holder: { stack?: unknown } = {};
  try {
    Error.stackTraceLimit = frames;
    // Whatever the program makes of its own stacks: this is to be V8's text.
    Error.prepareStackTrace = undefined as never;
    Error.captureStackTrace(holder, above);
    const [, ...lines] = String(holder.stack).split('\n');
    return lines.map((line) => line.trim()).join('\n');
  } catch {
    // Frozen intrinsics: the program goes on without stacks.
    return undefined;
  } finally {
    try {
      Error.stackTraceLimit = stackTraceLimit;
      Error.prepareStackTrace = prepareStackTrace as never;
    } catch {
      // They were not changed either.
    }
  }
}
