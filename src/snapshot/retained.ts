import type { PlaceAnswer, StepAnswer } from './answers.js';
import { readablePath } from './readable-path.js';
import type { Located, SourceLocations } from './source-locations.js';

/** Answers of the native engine in the form in which they are given out: places as text, paths to read. */

/** How an object is reached. */
export interface Retained {
  /** As a person would write it: `globalThis.sessions`. Empty when nothing reaches it. */
  path: string;
  /** Every step of a shortest path from a root. */
  retainingPath: HeapStep[];
}
export type HeapStep = Omit<StepAnswer, 'place'> & Partial<Located>;

/** The row with its place as text, mapped to the source. */
export async function located<Row extends { place?: PlaceAnswer | null | undefined }>(
  { place, ...row }: Row,
  locations: SourceLocations,
): Promise<Omit<Row, 'place'> & Located> {
  return { ...row, ...(await locations.locate(place)) };
}

/** A path in both of its forms. */
export async function retained(steps: StepAnswer[], locations: SourceLocations): Promise<Retained> {
  return {
    path: readablePath(steps),
    retainingPath: await inOrder(steps, (step) =>
      step.place ? located(step, locations) : withoutPlace(step),
    ),
  };
}

async function withoutPlace({ place: _, ...step }: StepAnswer): Promise<HeapStep> {
  return step;
}

/** One after the other: the first reads a source map, and the others find it read. */
export async function inOrder<From, To>(
  rows: readonly From[],
  each: (row: From) => Promise<To>,
): Promise<To[]> {
  const made: To[] = [];
  for (const row of rows) made.push(await each(row));
  return made;
}
