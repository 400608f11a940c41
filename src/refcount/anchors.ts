/**
 * All values that have owners, findable without being kept alive.
 *
 * A WeakRef costs a microsecond, so anchors are used again, as tickets are
 * (custody.ts): an anchor and its object hold each other and are collected
 * together, or the object lets go of its anchor, which the next one takes.
 */

export class Anchor<T> {
  object: T | undefined;
}

const POOLED_MAX = 1024;
/** Below this, looking for anchors that were collected is not worth it. */
const PRUNED_ABOVE = 4096;

const pool: Anchor<unknown>[] = [];
let anchors: WeakRef<Anchor<unknown>>[] = [];
let pruneAt = PRUNED_ABOVE;

export function takeAnchor<T>(object: T): Anchor<T> {
  const anchor = (pool.pop() ?? newAnchor()) as Anchor<T>;
  anchor.object = object;
  return anchor;
}

/** The object must forget its anchor. */
export function dropAnchor(anchor: Anchor<unknown>): void {
  anchor.object = undefined;
  if (pool.length < POOLED_MAX) pool.push(anchor);
}

/** What is anchored and not collected, oldest anchors first. */
export function anchoredObjects(): unknown[] {
  const objects: unknown[] = [];
  for (const ref of anchors) {
    const object = ref.deref()?.object;
    if (object !== undefined) objects.push(object);
  }
  return objects;
}

function newAnchor(): Anchor<unknown> {
  if (anchors.length >= pruneAt) {
    anchors = anchors.filter((ref) => ref.deref() !== undefined);
    pruneAt = Math.max(PRUNED_ABOVE, 2 * anchors.length);
  }
  const anchor = new Anchor<unknown>();
  anchors.push(new WeakRef(anchor));
  return anchor;
}
