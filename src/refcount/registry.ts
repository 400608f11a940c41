import { getEnvironmentData, setEnvironmentData, threadId } from 'node:worker_threads';
import { CrucibleMemoryError } from '../errors.js';
import {
  ABANDONED,
  FIGURE_COUNT,
  FIGURES_AT_BYTE,
  HEADER,
  HEADER_BYTES,
  HELD,
  KINDS,
  LAYOUT_VERSION,
  MAGIC,
  MEMORY_BYTES,
  NAME_AT_BYTE,
  NAME_BYTES_MAX,
  type RowKind,
  SLOT,
  SLOT_BYTES,
  SLOT_COUNT,
  SLOT_INTS,
  SlotState,
  VALUES,
  WAITING,
} from './layout.js';

/**
 * Every count of the process in one block of shared memory, so that a native
 * thread can read it while no JavaScript runs (layout.ts draws it).
 *
 * Worker threads share it by themselves when the thread that starts them has
 * loaded this module before: the memory travels as environment data, which
 * Node hands to every new worker. A worker that is started earlier counts in
 * memory of its own. Several copies of this package in one thread find the
 * memory through a global symbol.
 *
 * A name is never given back, so names are kinds of things
 * ("ScriptEngine.script"), not single things. Each thread has a slot for each
 * name that it uses; when a worker ends, the next one takes its slots over,
 * with what they have counted.
 */

const KEY = 'crucible-memory.refcount';
const GLOBAL = Symbol.for(KEY);

const memory = joinMemory();
const header = new Int32Array(memory, 0, HEADER_BYTES / 4);
const ints = new Int32Array(memory, HEADER_BYTES);
const bytes = new Uint8Array(memory, HEADER_BYTES);
/** The figures of all slots; a row knows where its own begin. */
const figures = new Float64Array(memory, HEADER_BYTES);

const OWNER = threadId + 1;
const rowsByName: ReadonlyMap<RowKind, Map<string, Row>> = new Map(
  KINDS.flatMap((kind) => (kind === undefined ? [] : [[kind, new Map<string, Row>()] as const])),
);

/** One kind and name, as this thread counts it. */
export class Row {
  readonly kind: RowKind;
  readonly name: string;
  /** Index of its first figure. */
  readonly #at: number;
  /** Of stacks.ts: how many more are created until one is taken with its stack. */
  untilStack = 1;
  /** Of stacks.ts: how many of this row have been taken with their stacks. */
  stacksTaken = 0;

  constructor(kind: RowKind, name: string, slot: number) {
    this.kind = kind;
    this.name = name;
    this.#at = (slot * SLOT_BYTES + FIGURES_AT_BYTE) / 8;
  }

  /** @param figure of layout.ts */
  add(figure: number, difference: number): void {
    const at = this.#at + figure;
    figures[at] = (figures[at] as number) + difference;
  }

  /** What this thread has counted. */
  get(figure: number): number {
    return figures[this.#at + figure] as number;
  }

  raiseTo(figure: number, value: number): void {
    if (value > this.get(figure)) figures[this.#at + figure] = value;
  }
}

/**
 * This thread's row of that kind and name; comes into being when it is first asked for.
 * @throws CrucibleMemoryError COUNTERS_EXHAUSTED, USAGE for a name of no or more than 112 bytes
 */
export function rowOf(kind: RowKind, name: string): Row {
  const rows = rowsByName.get(kind) as Map<string, Row>;
  const known = rows.get(name);
  if (known) return known;
  const row = new Row(kind, name, findSlot(kind, encodeName(name)));
  rows.set(name, row);
  return row;
}

/** The rows of this thread. */
export function* ownRows(): Iterable<Row> {
  for (const rows of rowsByName.values()) yield* rows.values();
}

/** One kind and name in all threads together. */
export interface RowTotals {
  kind: RowKind;
  name: string;
  /** See layout.ts. */
  figures: number[];
}

/** All rows, or those of one kind, in the order in which they came into being. */
export function rowTotals(wanted?: RowKind): RowTotals[] {
  const totals = new Map<string, RowTotals>();
  for (const slot of readySlots()) {
    const kind = kindOf(slot);
    if (kind === undefined || (wanted !== undefined && kind !== wanted)) continue;
    const name = nameOf(slot);
    const key = `${kind} ${name}`;
    const row = totals.get(key) ?? { kind, name, figures: new Array<number>(FIGURE_COUNT).fill(0) };
    totals.set(key, row);
    const at = (slot * SLOT_BYTES + FIGURES_AT_BYTE) / 8;
    for (let i = 0; i < FIGURE_COUNT; i++) {
      const [sum = 0, figure = 0] = [row.figures[i], figures[at + i]];
      // The longest hold of all threads is the longest of them, not their sum.
      row.figures[i] = i === FIGURE_COUNT - 1 ? Math.max(sum, figure) : sum + figure;
    }
  }
  return [...totals.values()];
}

/** The shared memory itself, for whoever reads it without JavaScript. */
export function registryMemory(): Uint8Array {
  return new Uint8Array(memory);
}

function* readySlots(): Iterable<number> {
  const used = Math.min(Atomics.load(header, HEADER.slotsUsed), SLOT_COUNT);
  for (let slot = 0; slot < used; slot++)
    if (Atomics.load(ints, slot * SLOT_INTS + SLOT.state) === SlotState.ready) yield slot;
}

function kindOf(slot: number): RowKind | undefined {
  return KINDS[ints[slot * SLOT_INTS + SLOT.kind] as number];
}

function nameOf(slot: number): string {
  const at = slot * SLOT_BYTES + NAME_AT_BYTE;
  // A copy: TextDecoder reads no shared memory.
  return new TextDecoder().decode(bytes.slice(at, at + (ints[slot * SLOT_INTS + SLOT.nameBytes] as number)));
}

function encodeName(name: string): Uint8Array {
  const encoded = new TextEncoder().encode(name);
  if (encoded.length > 0 && encoded.length <= NAME_BYTES_MAX) return encoded;
  throw new CrucibleMemoryError('USAGE', {
    what: `"${name}" cannot be the name of a count`,
    why: `it has ${encoded.length} bytes in UTF-8, and a name has 1 to ${NAME_BYTES_MAX}`,
    fix: 'name counts after a kind of thing, in a few words',
  });
}

/** A slot that this thread may write: its own, one that a thread left behind, or a new one. */
function findSlot(kind: RowKind, name: Uint8Array): number {
  const number = KINDS.indexOf(kind);
  for (const slot of readySlots()) {
    const int = slot * SLOT_INTS;
    if (ints[int + SLOT.kind] !== number || !hasName(slot, name)) continue;
    const owner = Atomics.load(ints, int + SLOT.owner);
    if (owner === OWNER) return slot;
    if (owner === 0 && Atomics.compareExchange(ints, int + SLOT.owner, 0, OWNER) === 0) return slot;
  }
  const slot =
    Atomics.load(header, HEADER.slotsUsed) < SLOT_COUNT
      ? Atomics.add(header, HEADER.slotsUsed, 1)
      : SLOT_COUNT;
  if (slot >= SLOT_COUNT) {
    throw new CrucibleMemoryError('COUNTERS_EXHAUSTED', {
      what: `there is no room for a count named "${new TextDecoder().decode(name)}"`,
      why: `the registry holds ${SLOT_COUNT} names and none is ever given back`,
      fix: 'name counts after a kind of thing, not after each single thing',
    });
  }
  const int = slot * SLOT_INTS;
  Atomics.store(ints, int + SLOT.state, SlotState.beingFilled);
  ints[int + SLOT.kind] = number;
  ints[int + SLOT.nameBytes] = name.length;
  bytes.set(name, slot * SLOT_BYTES + NAME_AT_BYTE);
  Atomics.store(ints, int + SLOT.owner, OWNER);
  Atomics.store(ints, int + SLOT.state, SlotState.ready);
  return slot;
}

function hasName(slot: number, name: Uint8Array): boolean {
  if (ints[slot * SLOT_INTS + SLOT.nameBytes] !== name.length) return false;
  const at = slot * SLOT_BYTES + NAME_AT_BYTE;
  return name.every((byte, i) => bytes[at + i] === byte);
}

function joinMemory(): SharedArrayBuffer {
  const holder = globalThis as { [GLOBAL]?: unknown };
  for (const offered of [holder[GLOBAL], getEnvironmentData(KEY)]) {
    if (!isRegistry(offered)) continue;
    holder[GLOBAL] = offered;
    watchWorkers();
    return offered;
  }
  const created = new SharedArrayBuffer(MEMORY_BYTES);
  const start = new Int32Array(created, 0, HEADER_BYTES / 4);
  start[HEADER.magic] = MAGIC;
  start[HEADER.version] = LAYOUT_VERSION;
  start[HEADER.slotCount] = SLOT_COUNT;
  holder[GLOBAL] = created;
  setEnvironmentData(KEY, created as never);
  watchWorkers();
  return created;
}

function isRegistry(offered: unknown): offered is SharedArrayBuffer {
  if (!(offered instanceof SharedArrayBuffer) || offered.byteLength !== MEMORY_BYTES) return false;
  const start = new Int32Array(offered, 0, HEADER_BYTES / 4);
  return start[HEADER.magic] === MAGIC && start[HEADER.version] === LAYOUT_VERSION;
}

/** What a worker held it cannot give back any more once it has ended, in whatever manner. */
function watchWorkers(): void {
  process.on('worker', (worker: { threadId: number; once(event: 'exit', listener: () => void): unknown }) => {
    const owner = worker.threadId + 1;
    worker.once('exit', () => releaseSlots(owner));
  });
}

function releaseSlots(owner: number): void {
  for (const slot of readySlots()) {
    const int = slot * SLOT_INTS;
    if (Atomics.load(ints, int + SLOT.owner) !== owner) continue;
    if (kindOf(slot) !== 'counter') {
      const at = (slot * SLOT_BYTES + FIGURES_AT_BYTE) / 8;
      figures[at + ABANDONED] = (figures[at + ABANDONED] as number) + (figures[at + HELD] as number);
      for (const figure of [HELD, WAITING, VALUES]) figures[at + figure] = 0;
    }
    Atomics.store(ints, int + SLOT.owner, 0);
  }
}
