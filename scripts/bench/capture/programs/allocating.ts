/**
 * Makes garbage and a little that stays, with an allocation profiler or without, in turns: node allocating.js
 * PROFILER SECONDS. Prints how much more CPU time it takes with it, as a share.
 */
import { Session } from 'node:inspector';
import { AllocationProfiler } from '../../../../src/capture/allocation-profiler.js';
import { requirePeer } from '../../peer.js';

const INTERVAL_BYTES = 512 * 1024;
const PAIRS = 20;

export const PROFILERS = {
  none: () => () => {},
  'crucible-memory': () => {
    const profiler = new AllocationProfiler({ intervalBytes: INTERVAL_BYTES });
    return () => profiler.stop();
  },
  inspector: () => {
    const session = new Session();
    session.connect();
    session.post('HeapProfiler.startSampling', { samplingInterval: INTERVAL_BYTES });
    return () => {
      session.post('HeapProfiler.stopSampling');
      session.disconnect();
    };
  },
  'v8-profiler-next': () => {
    const peer = requirePeer('v8-profiler-next') as {
      startSamplingHeapProfiling(intervalBytes: number, depth: number): void;
      stopSamplingHeapProfiling(): void;
    };
    peer.startSamplingHeapProfiling(INTERVAL_BYTES, 64);
    return () => peer.stopSamplingHeapProfiling();
  },
  '@datadog/pprof': () => {
    const { heap } = requirePeer('datadog-pprof', '@datadog/pprof') as {
      heap: { start(intervalBytes: number, depth: number): void; stop(): void };
    };
    heap.start(INTERVAL_BYTES, 64);
    return () => heap.stop();
  },
} satisfies Record<string, () => () => void>;

const kept: object[] = [];

function build(depth: number): { children: unknown[]; text: string } {
  const children = depth === 0 ? [] : [build(depth - 1), build(depth - 1)];
  return { children, text: `a node at ${depth}` };
}

function work(units: number): void {
  for (let i = 0; i < units; i++) {
    const made = build(10);
    if (i % 16 === 0) kept[i % 64] = made;
  }
}

if (process.argv[1] === import.meta.filename) {
  const [name = 'none', seconds = '2'] = process.argv.slice(2);
  const start = PROFILERS[name as keyof typeof PROFILERS];
  work(200);
  const probeMs = cpuMsOf(() => work(200));
  const units = Math.max(1, Math.round((Number(seconds) * 1000 * 200) / (2 * PAIRS * probeMs)));
  const [plain, profiled]: [number[], number[]] = [[], []];
  for (let pair = 0; pair < PAIRS; pair++) {
    plain.push(cpuMsOf(() => work(units)));
    const stop = start();
    profiled.push(cpuMsOf(() => work(units)));
    stop();
  }
  console.log(JSON.stringify({ moreCpu: Math.min(...profiled) / Math.min(...plain) - 1 }));
}

/** Of all threads, the collector's too: on the clock a shared machine would show its own load. */
function cpuMsOf(body: () => void): number {
  const before = process.cpuUsage();
  body();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
