/**
 * Grows by a known number of bytes between two readings of the allocation profile, with garbage around it:
 * node --expose-gc growing.js INTERVAL_BYTES. Prints what the profile says and what V8's heap says.
 */
import { AllocationProfiler } from '../../../../src/capture/allocation-profiler.js';
import { bytesOf, liveDelta } from '../../../../src/recording/allocation-profile.js';

const OBJECTS = 100_000;
const kept: object[] = new Array(OBJECTS).fill(undefined);
const collect = (globalThis as { gc?: () => void }).gc as () => void;

function leak(i: number): void {
  kept[i] = { i, numbers: new Array(120).fill(i), more: { text: `${i}` } };
}

function churn(): number {
  let length = 0;
  for (let i = 0; i < 20; i++) length += [i, `${i}`, { i }].length;
  return length;
}

const profiler = new AllocationProfiler({ intervalBytes: Number(process.argv[2]) });
for (let i = 0; i < 1000; i++) churn();
const usedBytes = () => {
  for (let i = 0; i < 3; i++) collect();
  return process.memoryUsage().heapUsed;
};
const beforeBytes = usedBytes();
const before = profiler.read();
for (let i = 0; i < OBJECTS; i++) {
  leak(i);
  churn();
}
const trueBytes = usedBytes() - beforeBytes;
const after = profiler.read();
const estimatedBytes = bytesOf(liveDelta(before.profile, after.profile).grown);
console.log(JSON.stringify({ trueBytes, estimatedBytes, kept: kept.length }));
