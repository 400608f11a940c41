/**
 * The layout of the registry's shared memory. native/process/counter_memory.h
 * says the same in C++; the tests of `capture` tie the two.
 *
 *   MEMORY   | header | slot 0 | slot 1 | ... |         numbers in the byte order of the machine
 *
 *   HEADER   64 bytes
 *     0   4  magic        0x52435243, "CRCR"
 *     4   4  version      memory of another version is left alone
 *     8   4  slotCount    how many there are
 *    12   4  slotsUsed    how many were ever claimed; they are used in order
 *    16  48  0
 *
 *   SLOT     one kind and name as one thread counts it, 192 bytes
 *     0   4  state        0 free, 1 being filled, 2 ready; stored last
 *     4   4  owner        thread id plus 1 of the only thread that may write; 0: it has ended
 *     8   4  kind         see KINDS
 *    12   4  nameBytes
 *    16  64  figures      8 of float64, see below; whole numbers but for the last
 *    80 112  name         UTF-8
 *
 *   FIGURES  by index        arc                  mutex, rwlock     resource    counter
 *     0   held               strong references    guards            open        the value
 *     1   waiting            weak references      waiters           -           -
 *     2   values             values not disposed  -                 -           -
 *     3   created            references ever      guards ever       ever        -
 *     4   leaked             collected, not given back (all three)              -
 *     5   abandoned          held by a thread that has ended (all three)        -
 *     6   timedOut           -                    attempts          -           -
 *     7   longestHoldMs      -                    of those released -           -
 *
 * A slot has one writer, which therefore writes without locks and without
 * atomic adds (14 ns each; a plain one takes less than one). Whoever wants a
 * total adds up the slots of the same kind and name. Aligned float64 are read
 * and written in one piece by every machine that Node runs on.
 */

export const MAGIC = 0x52435243;
export const LAYOUT_VERSION = 1;
export const SLOT_COUNT = 4096;

export const HEADER_BYTES = 64;
export const SLOT_BYTES = 192;
export const MEMORY_BYTES = HEADER_BYTES + SLOT_COUNT * SLOT_BYTES;

/** Of the header, in steps of 4 bytes. */
export const HEADER = { magic: 0, version: 1, slotCount: 2, slotsUsed: 3 } as const;

/** Of a slot, in steps of 4 bytes. */
export const SLOT = { state: 0, owner: 1, kind: 2, nameBytes: 3 } as const;
export const SLOT_INTS = SLOT_BYTES / 4;
export const FIGURES_AT_BYTE = 16;
export const NAME_AT_BYTE = 80;
export const NAME_BYTES_MAX = SLOT_BYTES - NAME_AT_BYTE;

export const SlotState = { free: 0, beingFilled: 1, ready: 2 } as const;

/** Figures of a slot, by index. Single constants: this is where the nanoseconds are. */
export const HELD = 0;
export const WAITING = 1;
export const VALUES = 2;
export const CREATED = 3;
export const LEAKED = 4;
export const ABANDONED = 5;
export const TIMED_OUT = 6;
export const LONGEST_HOLD_MS = 7;
export const FIGURE_COUNT = 8;

export type ReferenceKind = 'arc' | 'mutex' | 'rwlock' | 'resource';
export type RowKind = ReferenceKind | 'counter';

/** The numbers that stand for them in memory; never to be changed, only added to. */
export const KINDS: readonly (RowKind | undefined)[] = [
  undefined,
  'counter',
  'arc',
  'mutex',
  'rwlock',
  'resource',
];
