import type { NativeRecordingWriter, NativeSampler, SamplerStatistics } from '../native.js';
import { RSS_CHANNEL } from '../recording/channels.js';

export type JavaScriptSampler = Pick<NativeSampler, 'stop' | 'statistics' | 'setRate'>;

/** Timers of Node fire at most so often. */
const TIMER_RATE_MAX_HZ = 1000;

/**
 * What samples where the native sampler cannot be loaded: a timer on the event loop. It sees nothing
 * while JavaScript runs or blocks, and reaches the rate that the event loop leaves it; the ticks that
 * it missed are counted.
 *
 * @returns statistics whose `cpuNs` is the time its ticks took: JavaScript cannot ask for less than a
 * process's CPU time
 */
export function startJavaScriptSampler(options: {
  recording: NativeRecordingWriter;
  rateHz: number;
}): JavaScriptSampler {
  const group = options.recording.defineGroup('process', [
    { name: RSS_CHANNEL, unit: 'bytes', kind: 'integer', description: 'resident set size of the process' },
  ]);
  const row = new Float64Array(1);
  const startedMs = performance.now();
  const counted = { samples: 0, busyMs: 0 };
  /** Ticks that were due until the rate was changed last, and when that was. */
  const before = { due: 1, untilMs: startedMs };
  let rateHz = options.rateHz;
  let stopped: SamplerStatistics | undefined;

  const sample = () => {
    const beganMs = performance.now();
    try {
      row[0] = process.memoryUsage.rss();
      options.recording.append(group, row);
      counted.samples++;
    } catch {
      // Thrown out of a timer it would end the program that is measured. The tick counts as missed.
    }
    counted.busyMs += performance.now() - beganMs;
  };
  const dueTicks = () => before.due + ((performance.now() - before.untilMs) / 1000) * rateHz;
  const begin = () => setInterval(sample, 1000 / Math.min(rateHz, TIMER_RATE_MAX_HZ)).unref();
  const statistics = (): SamplerStatistics => {
    const elapsedMs = performance.now() - startedMs;
    return {
      samples: counted.samples,
      missedTicks: Math.max(0, Math.floor(dueTicks()) - counted.samples),
      cpuNs: Math.round(counted.busyMs * 1e6),
      elapsedNs: Math.round(elapsedMs * 1e6),
    };
  };
  sample();
  let timer = begin();
  return {
    statistics: () => stopped ?? statistics(),
    setRate: (hz) => {
      Object.assign(before, { due: dueTicks(), untilMs: performance.now() });
      rateHz = hz;
      clearInterval(timer);
      timer = begin();
    },
    stop: () => {
      clearInterval(timer);
      stopped ??= statistics();
      return stopped;
    },
  };
}
