import type { DiagnosisReading } from '../recording/diagnosis-record.js';
import { KIB } from '../units.js';

/** What the rounds of a diagnosis left behind, bytes in all, and of how many operations. */
export interface MeasuredGrowth {
  operations: number;
  rounds: number;
  /** V8 heap in use. */
  heapBytes: number;
  /** Part of the heap: machine code. */
  codeBytes: number;
  /** Outside the heap, known to V8. */
  externalBytes: number;
  /** Part of external. */
  arrayBuffersBytes: number;
  /** Handed out by the allocator beyond what V8 knows of; zero where that is not more than noise. */
  nativeBytes: number;
  /** Stacks of threads. */
  stackBytes: number;
}

/** The sum of the parts that do not overlap: what a ledger must explain. */
export function totalOf({ heapBytes, externalBytes, nativeBytes, stackBytes }: MeasuredGrowth): number {
  return heapBytes + externalBytes + nativeBytes + stackBytes;
}

/** V8 itself takes and gives this much of malloc'ed memory in a few rounds, whatever the program does ... */
const NATIVE_NOISE_BYTES = 512 * KIB;
/** ... and more where it has more to keep in order ... */
const NATIVE_NOISE_SHARE = 0.25;
/** ... but not as much in every round of equal work: of the mean, a leak leaves at least so much in each. */
const NATIVE_EVENNESS = 0.5;
const STACK_NOISE_BYTES = 64 * KIB;

/**
 * Adds up what grew within the rounds; what happened between them (a snapshot was written) is left out.
 * Undefined without a whole round.
 * @param isNativeLeak what was judged to leak is the allocator's: it may come in lumps, a model at a time
 */
export function measuredGrowth(
  readings: readonly DiagnosisReading[],
  isNativeLeak = false,
): MeasuredGrowth | undefined {
  const rounds = wholeRounds(readings);
  if (rounds.length === 0) return undefined;
  const grown = (figure: (reading: DiagnosisReading) => number | null) =>
    rounds.map(({ begin, end }) => {
      const [before, after] = [figure(begin), figure(end)];
      return before === null || after === null ? 0 : after - before;
    });
  const heapBytes = sum(grown(({ heapUsedBytes }) => heapUsedBytes));
  const external = grown(({ externalBytes }) => externalBytes);
  const externalBytes = sum(external);
  const beyond = grown(({ mallocInUseBytes }) => mallocInUseBytes).map(
    (bytes, round) => bytes - (external[round] ?? 0),
  );
  const native = sum(beyond);
  const isNative =
    (isNativeLeak || beyond.every((bytes) => bytes >= (NATIVE_EVENNESS * native) / rounds.length)) &&
    native >= Math.max(NATIVE_NOISE_BYTES, NATIVE_NOISE_SHARE * (heapBytes + externalBytes));
  const stacks = sum(grown(({ stackBytes }) => stackBytes));
  return {
    operations: sum(rounds.map(({ begin, end }) => end.operations - begin.operations)),
    rounds: rounds.length,
    heapBytes,
    codeBytes: sum(grown(({ codeBytes }) => codeBytes)),
    externalBytes,
    arrayBuffersBytes: sum(grown(({ arrayBuffersBytes }) => arrayBuffersBytes)),
    nativeBytes: isNative ? native : 0,
    stackBytes: stacks >= STACK_NOISE_BYTES ? stacks : 0,
  };
}

function wholeRounds(readings: readonly DiagnosisReading[]) {
  return readings.flatMap((end) => {
    if (end.edge !== 'end') return [];
    const begin = readings.find(({ round, edge }) => edge === 'begin' && round === end.round);
    return begin === undefined ? [] : [{ begin, end }];
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
