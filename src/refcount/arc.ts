import { CrucibleMemoryError } from '../errors.js';
import { type Counter, counter } from './registry.js';

/**
 * Shared ownership with the number of owners known: every owner holds its own
 * `Arc`, and whoever drops the last one disposes of the value.
 *
 * What JavaScript's garbage collector cannot tell, this can: how many owners
 * there are now, and that somebody forgot to let go.
 */

const totalStrong = counter('arc.strong');

/** Counts one program's own references apart from everyone else's in the process. */
export class ArcGroup {
  #strong = 0;

  get strongCount(): number {
    return this.#strong;
  }

  /** @internal for Arc only */
  add(difference: 1 | -1): void {
    this.#strong += difference;
  }
}

export interface ArcOptions<T> {
  /** Kind of thing; its owners are counted under this name in `counters()`. */
  name: string;
  group?: ArcGroup;
  /** Called once, in the drop() of the last owner. */
  dispose?: (value: T) => void;
}

interface Shared<T> {
  readonly value: T;
  readonly options: ArcOptions<T>;
  readonly strongOfName: Counter;
  strong: number;
}

export class Arc<T> implements Disposable {
  #shared: Shared<T> | undefined;

  private constructor(shared: Shared<T>) {
    this.#shared = shared;
    count(shared, 1);
  }

  /** The first owner of `value`. */
  static of<T>(value: T, options: ArcOptions<T>): Arc<T> {
    return new Arc({ value, options, strongOfName: counter(options.name), strong: 0 });
  }

  /** Throws ARC_DROPPED when this owner has already let go. */
  get value(): T {
    return this.#held('read').value;
  }

  /** Owners of the same value, this one included. Throws ARC_DROPPED after drop(). */
  get strongCount(): number {
    return this.#held('count').strong;
  }

  get isDropped(): boolean {
    return this.#shared === undefined;
  }

  /** One more owner, who must drop() too. Throws ARC_DROPPED after drop(). */
  clone(): Arc<T> {
    return new Arc(this.#held('clone'));
  }

  /** Lets go; the last owner disposes of the value. Throws ARC_DROPPED the second time. */
  drop(): void {
    const shared = this.#held('drop');
    this.#shared = undefined;
    count(shared, -1);
    if (shared.strong === 0) shared.options.dispose?.(shared.value);
  }

  /** For `using`: lets go unless that was done by hand. */
  [Symbol.dispose](): void {
    if (this.#shared) this.drop();
  }

  #held(action: string): Shared<T> {
    if (this.#shared) return this.#shared;
    throw new CrucibleMemoryError('ARC_DROPPED', {
      what: `tried to ${action} an Arc that was dropped before`,
      why: 'an owner that has let go has no right to the value any more',
      fix: 'clone() the Arc for every owner, and drop() each clone exactly once',
    });
  }
}

/** Owners in the whole process. */
export function arcStrongCount(): number {
  return totalStrong.value;
}

function count<T>(shared: Shared<T>, difference: 1 | -1): void {
  shared.strong += difference;
  shared.strongOfName.add(difference);
  totalStrong.add(difference);
  shared.options.group?.add(difference);
}
