import { CrucibleMemoryError } from '../errors.js';
import { type Anchor, dropAnchor, takeAnchor } from './anchors.js';
import { type Owner, returnTicket, type Ticket, takeTicket } from './custody.js';
import { HELD, VALUES, WAITING } from './layout.js';
import { begin, LeakLedger } from './leaks.js';
import { type Row, rowOf, rowTotals } from './registry.js';
import { sampledStack } from './stacks.js';

/**
 * Shared ownership with the number of owners known: every owner holds its own
 * `Arc`, and whoever drops the last one disposes of the value.
 *
 * What JavaScript's garbage collector cannot tell, this can: how many owners
 * there are now, and that somebody forgot to let go. An owner that is collected
 * without having let go is counted as leaked and, as in Rust after
 * `mem::forget`, stays an owner: the value is never disposed of.
 *
 * An Arc belongs to one thread; the counts are those of all threads.
 *
 * Cost: clone and drop together some 15 ns more than a plain object
 * (`npm run bench:refcount`), and a stack for one in 128.
 */

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
  /** Kind of thing; its owners are counted under this name, at most 112 bytes. */
  name: string;
  group?: ArcGroup;
  /** Called once, in the drop() of the last owner. */
  dispose?(value: T): void;
}

/** What all owners of one value share. */
interface Cell<T> {
  /** Undefined once it was disposed of or unwrapped. */
  value: T | undefined;
  strong: number;
  readonly weak: WeakReferences;
  readonly row: Row;
  readonly leaks: LeakLedger;
  readonly group: ArcGroup;
  readonly options: ArcOptions<T>;
  /** Keeps the cell findable for as long as it lives. */
  anchor: Anchor<Cell<unknown>> | undefined;
}

/** Apart from the cell: a collected Weak must be able to reach it without holding the value. */
class WeakReferences implements Owner {
  count = 0;
  readonly #row: Row;

  constructor(row: Row) {
    this.#row = row;
  }

  add(difference: 1 | -1): void {
    this.count += difference;
    this.#row.add(WAITING, difference);
  }

  /** Nobody has to drop a weak reference. */
  collected(): void {
    this.add(-1);
  }
}

const NO_GROUP = new ArcGroup();

export class Arc<T> implements Disposable {
  #cell: Cell<T> | undefined;
  readonly #ticket: Ticket;

  private constructor(cell: Cell<T>, stack: string | undefined) {
    this.#cell = cell;
    this.#ticket = takeTicket(cell.leaks, stack);
    cell.strong++;
    cell.group.add(1);
    begin(cell.row);
  }

  /**
   * The first owner of `value`.
   * @throws CrucibleMemoryError COUNTERS_EXHAUSTED, USAGE for a name that is too long
   */
  static of<T>(value: T, options: ArcOptions<T>): Arc<T> {
    const row = rowOf('arc', options.name);
    const cell: Cell<T> = {
      value,
      strong: 0,
      weak: new WeakReferences(row),
      row,
      leaks: LeakLedger.of(row),
      group: options.group ?? NO_GROUP,
      options,
      anchor: undefined,
    };
    cell.anchor = takeAnchor(cell as Cell<unknown>);
    row.add(VALUES, 1);
    return new Arc(cell, sampledStack(row, Arc.of));
  }

  /** Whether both own the same value. Throws ARC_DROPPED when one of them has let go. */
  static ptrEq(a: Arc<unknown>, b: Arc<unknown>): boolean {
    return a.#held('compare') === b.#held('compare');
  }

  /** Throws ARC_DROPPED when this owner has already let go. */
  get value(): T {
    return this.#held('read').value as T;
  }

  /** Owners of the same value, this one and leaked ones included. Throws ARC_DROPPED after drop(). */
  get strongCount(): number {
    return this.#held('count').strong;
  }

  /** Weak references to the same value. Throws ARC_DROPPED after drop(). */
  get weakCount(): number {
    return this.#held('count').weak.count;
  }

  get isDropped(): boolean {
    return this.#cell === undefined;
  }

  /** One more owner, who must drop() too. Throws ARC_DROPPED after drop(). */
  clone(): Arc<T> {
    const cell = this.#held('clone');
    return new Arc(cell, sampledStack(cell.row, Arc.prototype.clone));
  }

  /** Lets go; the last owner disposes of the value. Throws ARC_DROPPED the second time. */
  drop(): void {
    const cell = this.#letGo('drop');
    if (cell.strong > 0) return;
    const value = cell.value as T;
    endValue(cell);
    cell.options.dispose?.(value);
  }

  /**
   * The value itself, if this is its only owner; the Arc has let go then, and
   * the value is not disposed of. Otherwise undefined, and nothing has changed.
   * Throws ARC_DROPPED after drop().
   */
  tryUnwrap(): { value: T } | undefined {
    if (this.#held('unwrap').strong > 1) return undefined;
    const cell = this.#letGo('unwrap');
    const value = cell.value as T;
    endValue(cell);
    return { value };
  }

  /** A reference that does not keep the value from being disposed of. Throws ARC_DROPPED after drop(). */
  downgrade(): Weak<T> {
    return new Weak(this.#held('downgrade'));
  }

  /** For `using`: lets go unless that was done by hand. */
  [Symbol.dispose](): void {
    if (this.#cell) this.drop();
  }

  /** @internal for cycles.ts: the shared part, or undefined after drop() */
  static cellOf(arc: Arc<unknown>): ArcCell | undefined {
    return arc.#cell;
  }

  /** @internal for Weak only */
  static fromCell<T>(cell: Cell<T>): Arc<T> {
    return new Arc(cell, sampledStack(cell.row, Weak.prototype.upgrade));
  }

  #held(action: string): Cell<T> {
    if (this.#cell) return this.#cell;
    throw dropped(action, 'an Arc', 'clone() the Arc for every owner, and drop() each clone exactly once');
  }

  #letGo(action: string): Cell<T> {
    const cell = this.#held(action);
    this.#cell = undefined;
    returnTicket(this.#ticket);
    cell.strong--;
    cell.group.add(-1);
    cell.row.add(HELD, -1);
    return cell;
  }
}

/** @internal What cycles.ts sees of a value and its owners. */
export type ArcCell = Pick<Cell<unknown>, 'value' | 'strong'> & { readonly row: { readonly name: string } };

/**
 * Knows a value without owning it. Need not be dropped; one that is collected
 * has let go. As long as it is there and the value was not disposed of, the
 * value stays in memory.
 */
export class Weak<T> implements Disposable {
  #cell: Cell<T> | undefined;
  readonly #ticket: Ticket;

  /** @internal use Arc.downgrade() */
  constructor(cell: Cell<T>) {
    this.#cell = cell;
    this.#ticket = takeTicket(cell.weak, undefined);
    cell.weak.add(1);
  }

  /** Owners of the value; 0 when it was disposed of. Throws ARC_DROPPED after drop(). */
  get strongCount(): number {
    return this.#held('count').strong;
  }

  /** One more owner, who must drop(); undefined when there is no other any more. Throws ARC_DROPPED after drop(). */
  upgrade(): Arc<T> | undefined {
    const cell = this.#held('upgrade');
    return cell.strong === 0 ? undefined : Arc.fromCell(cell);
  }

  /** One more weak reference. Throws ARC_DROPPED after drop(). */
  clone(): Weak<T> {
    return new Weak(this.#held('clone'));
  }

  /** Throws ARC_DROPPED the second time. */
  drop(): void {
    const cell = this.#held('drop');
    this.#cell = undefined;
    returnTicket(this.#ticket);
    cell.weak.add(-1);
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    if (this.#cell) this.drop();
  }

  #held(action: string): Cell<T> {
    if (this.#cell) return this.#cell;
    throw dropped(action, 'a Weak', 'clone() it for everyone who needs one, and drop() each at most once');
  }
}

/** Owners in the whole process, all threads. */
export function arcStrongCount(): number {
  return rowTotals('arc').reduce((sum, { figures }) => sum + (figures[HELD] ?? 0), 0);
}

function endValue<T>(cell: Cell<T>): void {
  cell.value = undefined;
  cell.row.add(VALUES, -1);
  if (cell.anchor) dropAnchor(cell.anchor);
  cell.anchor = undefined;
}

function dropped(action: string, what: string, fix: string): CrucibleMemoryError {
  return new CrucibleMemoryError('ARC_DROPPED', {
    what: `tried to ${action} ${what} that was dropped before`,
    why: 'an owner that has let go has no right to the value any more',
    fix,
  });
}
