import { getHeapStatistics } from 'node:v8';
import { startCapture } from '../../../src/capture/index.js';
import { FLOOR_CHANNELS, OPERATION_CHANNELS, V8_CHANNELS } from '../../../src/recording/channels.js';
import { collectGarbage } from '../../../src/runner/collection.js';
import { CLEAN, LEAKING } from './programs.js';

/**
 * One program under our sampler: `node program.js NAME RECORDING SECONDS
 * OPERATIONS_PER_SECOND`. The floor is measured eighty times, between ticks.
 */
const [name = '', path = '', secondsText = '', rateText = ''] = process.argv.slice(2);
const operation = (CLEAN[name] ?? LEAKING[name]?.make)?.();
if (operation === undefined) throw new Error(`there is no program "${name}"`);
const runMs = Number(secondsText) * 1000;
const ratePerMs = Number(rateText) / 1000;
const FLOORS = 80;
const TICK_MS = 20;

const capture = startCapture({ path, rateHz: 50, detailIntervalMs: 100, header: { name } });
const v8 = capture.group('v8', [...V8_CHANNELS]);
const floor = capture.group('floor', [...FLOOR_CHANNELS]);
const counts = capture.group('operations', [...OPERATION_CHANNELS]);
const began = performance.now();
let done = 0;
let floors = 0;
for (;;) {
  const elapsedMs = performance.now() - began;
  if (elapsedMs >= runMs) break;
  for (; done < elapsedMs * ratePerMs; done++) operation(done, elapsedMs / runMs);
  const heap = getHeapStatistics();
  const { external, arrayBuffers } = process.memoryUsage();
  v8.append([heap.used_heap_size, heap.total_heap_size, external, arrayBuffers]);
  counts.append([done, 0, 0]);
  if (elapsedMs >= (floors * runMs) / FLOORS) {
    floors++;
    await collectGarbage();
    const after = getHeapStatistics();
    const live = after.used_heap_size + after.external_memory;
    const inUse = capture.readAllocator()?.inUseBytes;
    floor.append([live, after.used_heap_size, after.external_memory, inUse, undefined, done]);
  }
  await new Promise((resolve) => setTimeout(resolve, TICK_MS));
}
capture.stop();
// Timers and streams that leak would keep the process alive.
process.exit(0);
