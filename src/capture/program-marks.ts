import { channel } from 'node:diagnostics_channel';

/**
 * What a program says of itself, for whoever records it. Without an agent in the process these do
 * nothing and cost nothing. They go through diagnostics channels, so that a program may also publish
 * to these by name and depend on nothing of ours.
 */

/** Message: PhaseMark. */
export const MARK_CHANNEL = 'crucible-memory.mark';
/** Message: OperationStep. */
export const OPERATION_CHANNEL = 'crucible-memory.operation';

export interface PhaseMark {
  /** The phase that begins now; it ends the one that was marked before. `load` is the one that is judged. */
  name: string;
}

export interface OperationStep {
  /** `done` is a whole operation at once, without a beginning. */
  step: 'begin' | 'end' | 'done';
  failed?: boolean;
}

const marks = channel(MARK_CHANNEL);
const operations = channel(OPERATION_CHANNEL);

/** A phase of the program begins: `warm-up`, `load`, or any name. The phase before it ends. */
export function mark(name: string): void {
  if (marks.hasSubscribers) marks.publish({ name } satisfies PhaseMark);
}

/** Counts one operation that is done. */
export function operation(): void;
/** Counts what `body` does as one operation, failed when it throws or rejects; returns what it returns. */
export function operation<Result>(body: () => Result): Result;
export function operation<Result>(body?: () => Result): Result | undefined {
  if (!operations.hasSubscribers) return body?.();
  if (body === undefined) {
    publish('done');
    return undefined;
  }
  publish('begin');
  let result: Result;
  try {
    result = body();
  } catch (thrown) {
    publish('end', true);
    throw thrown;
  }
  if (!(result instanceof Promise)) {
    publish('end');
    return result;
  }
  // What comes back rejects as the body's promise does: nobody's missing handler is covered up.
  return result.then(
    (value) => {
      publish('end');
      return value;
    },
    (reason) => {
      publish('end', true);
      throw reason;
    },
  ) as Result;
}

function publish(step: OperationStep['step'], failed = false): void {
  operations.publish({ step, ...(failed && { failed }) } satisfies OperationStep);
}
