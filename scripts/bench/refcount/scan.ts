import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCapture } from '../../../src/capture/index.js';
import { counter } from '../../../src/refcount/index.js';

/** What the sampler thread's scan of the registry costs, beside the tick that it rides on. */
export const SCANS = {
  'sampler tick': { counters: 0, isChanging: false },
  'with 1000 counters at rest': { counters: 1000, isChanging: false },
  'with 1000 counters that all change': { counters: 1000, isChanging: true },
};
export type Scan = keyof typeof SCANS;

const RATE_HZ = 1000;
const SAMPLES = 1000;

/** In a process of its own: CPU of the sampler thread a tick, nanoseconds. */
export function measureScan(scan: Scan): number {
  const { counters, isChanging } = SCANS[scan];
  const all = Array.from({ length: counters }, (_, i) => counter(`bench.scan ${i}`));
  const folder = mkdtempSync(join(tmpdir(), 'crucible-bench-'));
  try {
    const path = join(folder, 'scan.recording');
    const capture = startCapture({ path, rateHz: RATE_HZ, detailIntervalMs: 0, header: {} });
    const before = capture.statistics();
    while (capture.statistics().samples < before.samples + SAMPLES)
      if (isChanging) for (const each of all) each.add(1);
    const { samples, cpuNs } = capture.stop();
    return (cpuNs - before.cpuNs) / (samples - before.samples);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
