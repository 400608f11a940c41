import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCapture } from '../../../src/capture/index.js';
import { counter } from '../../../src/refcount/index.js';
import { requirePeer } from '../peer.js';

/** Counters are recorded where there are some. */
const counted = counter('bench.captures');

/** What a contender has done so far. */
export interface Sampled {
  samples: number;
  /** CPU time of its own threads, ns, where it has some. */
  cpuNs?: number;
}

export interface Running {
  sampled(): Sampled;
  stop(): void;
}

/** Ways to watch the memory of one's own process, each at the rate that its name says, or as often as it can. */
export const CONTENDERS = {
  none: () => ({ sampled: () => ({ samples: 0 }), stop: () => {} }),
  'crucible-memory 1 kHz': () => captureAt(1000),
  'crucible-memory 100 Hz': () => captureAt(100),
  'crucible-memory 1 kHz, V8, counters': () => captureAt(1000, { withHeap: true }),
  'crucible-memory 100 Hz, V8, counters': () => captureAt(100, { withHeap: true }),
  'setInterval(process.memoryUsage, 1)': () => {
    let samples = 0;
    const timer = setInterval(() => {
      process.memoryUsage();
      samples++;
    }, 1);
    return { sampled: () => ({ samples }), stop: () => clearInterval(timer) };
  },
  'pidusage every 1 ms': () => {
    const pidusage = requirePeer('pidusage') as (pid: number, done: (error: unknown) => void) => void;
    let samples = 0;
    let isAsking = false;
    const timer = setInterval(() => {
      if (isAsking) return; // it takes longer than a tick: no second question before the first is answered
      isAsking = true;
      pidusage(process.pid, (error) => {
        isAsking = false;
        if (!error) samples++;
      });
    }, 1);
    return { sampled: () => ({ samples }), stop: () => clearInterval(timer) };
  },
} satisfies Record<string, () => Running>;
export type Contender = keyof typeof CONTENDERS;

function captureAt(rateHz: number, { withHeap = false } = {}): Running {
  if (withHeap) counted.add(1);
  const path = join(tmpdir(), `crucible-memory-bench-${process.pid}.recording`);
  const capture = startCapture({ path, rateHz, detailIntervalMs: 1000, header: {} });
  if (withHeap && !capture.watchHeap({ spacesIntervalMs: 1000 })) throw new Error('the V8 addon is missing');
  return {
    sampled: () => capture.statistics(),
    stop: () => {
      capture.stop();
      rmSync(path);
    },
  };
}
