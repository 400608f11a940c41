import { TestScenario } from '../vocabulary.js';
import { start, stop } from './course.js';
import type { FloorPoint, Scenario, ScenarioContext } from './scenario.js';

const POLL_MS = 250;
/** Back at the baseline: within this share of the rise, or this many bytes, whichever is more. */
const TOLERATED_SHARE = 0.1;
const TOLERATED_BYTES = 512 * 1024;

/**
 * Whether the target gives its memory back when it is stopped.
 *
 * The baseline is what is live after one whole life of the target (start, work,
 * stop): modules that were loaded and code that was compiled stay for good
 * and are not the target's to give back. A target without teardown() is
 * compared with itself before the load.
 */
export function cleanupValidation(): Scenario {
  let before: FloorPoint | null = null;
  let peakLiveBytes = 0;
  return {
    name: TestScenario.CleanupValidation,
    length: 'short',

    async warmUp(context) {
      await context.load({
        durationMs: context.settings.warmUpMs,
        drainMs: 0,
        floorIntervalMs: Number.POSITIVE_INFINITY,
      });
      if (context.target.teardown === undefined) return;
      await stop(context);
      await context.floor();
      before = await context.floor();
      await start(context);
      await context.load({
        durationMs: context.settings.warmUpMs / 2,
        drainMs: 0,
        floorIntervalMs: Number.POSITIVE_INFINITY,
      });
    },

    async load(context) {
      const sampler = setInterval(() => {
        peakLiveBytes = Math.max(peakLiveBytes, context.inUseBytes());
      }, 20);
      try {
        return await context.load({});
      } finally {
        clearInterval(sampler);
      }
    },

    async afterTeardown(context, baseline) {
      await waitForBaseline(context, (before ?? baseline).liveBytes, peakLiveBytes);
    },
  };
}

async function waitForBaseline(
  context: ScenarioContext,
  baselineLiveBytes: number,
  peakUnderLoadBytes: number,
): Promise<void> {
  const beganMs = performance.now();
  const timeoutMs = context.settings.cleanupTimeoutMs;
  let finalLiveBytes = (await context.floor()).liveBytes;
  const peakLiveBytes = Math.max(peakUnderLoadBytes, finalLiveBytes, baselineLiveBytes);
  const toleratedBytes = Math.max(TOLERATED_BYTES, TOLERATED_SHARE * (peakLiveBytes - baselineLiveBytes));
  const isBack = () => finalLiveBytes - baselineLiveBytes <= toleratedBytes;
  while (!isBack() && performance.now() - beganMs < timeoutMs && !context.signal.aborted) {
    await context.rest(POLL_MS);
    finalLiveBytes = (await context.floor()).liveBytes;
  }
  context.event('cleanup', {
    baselineLiveBytes,
    peakLiveBytes,
    finalLiveBytes,
    efficiency: cleanupEfficiency(baselineLiveBytes, peakLiveBytes, finalLiveBytes),
    returnedToBaseline: isBack(),
    seconds: (performance.now() - beganMs) / 1000,
  });
}

/** Share of the rise above the baseline that was given back, 0 to 1; 1 when nothing rose. */
export function cleanupEfficiency(baselineBytes: number, peakBytes: number, finalBytes: number): number {
  const riseBytes = peakBytes - baselineBytes;
  if (riseBytes <= 0) return 1;
  return Math.min(1, Math.max(0, (peakBytes - finalBytes) / riseBytes));
}
