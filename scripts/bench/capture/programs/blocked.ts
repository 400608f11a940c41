/**
 * Blocks its event loop with plain JavaScript while it is recorded: node blocked.js RATE_HZ SECONDS FILE. Says
 * what came of it.
 */
import { startCapture } from '../../../../src/capture/index.js';

const [rateHz = '1000', seconds = '10', path = ''] = process.argv.slice(2);
const capture = startCapture({ path, rateHz: Number(rateHz), detailIntervalMs: 1000, header: {} });
if (!capture.watchHeap({ spacesIntervalMs: 1000 })) throw new Error('the V8 addon is missing');
let byTimer = 0;
setInterval(() => {
  process.memoryUsage();
  byTimer++;
}, 1).unref();

const numbers = new Float64Array(4096);
function compute(untilMs: number): number {
  let sum = 0;
  while (performance.now() < untilMs) {
    for (let i = 0; i < numbers.length; i++) {
      numbers[i] = (numbers[i] as number) * 0.5 + i;
      sum += numbers[i] as number;
    }
  }
  return sum;
}

compute(performance.now() + 500); // until it is compiled, the best it will be
capture.beginPhase('blocked');
const before = byTimer;
compute(performance.now() + Number(seconds) * 1000);
const during = byTimer - before;
capture.endPhase('blocked');
capture.stop();
console.log(JSON.stringify({ byTimer: during }));
