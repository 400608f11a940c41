import { messageOf } from '../errors.js';
import { KIB } from '../units.js';
import { TestScenario } from '../vocabulary.js';
import type { Scenario, ScenarioContext } from './scenario.js';

const SMALLEST_PAYLOAD_BYTES = 64 * KIB;
/** Large operations are sent one after the other, but not more often than this. */
const LARGE_OPERATIONS_PER_SECOND = 20;

/**
 * The largest payload up to largeDataSizeBytes that the target accepts, over
 * and over. A target may refuse what is beyond its own limits: the payload is
 * halved until it does not, and the recording says so.
 */
export function largeDataProcessing(): Scenario {
  let payloadBytes = 0;
  return {
    name: TestScenario.LargeDataProcessing,
    length: 'short',

    async warmUp(context) {
      payloadBytes = await acceptedPayload(context);
      await context.load({
        durationMs: context.settings.warmUpMs,
        ratePerSecond: LARGE_OPERATIONS_PER_SECOND,
        maxInFlight: 1,
        keepsSchedule: false,
        payloadBytes,
        drainMs: 0,
        floorIntervalMs: Number.POSITIVE_INFINITY,
      });
    },

    load: (context) =>
      context.load({
        ratePerSecond: LARGE_OPERATIONS_PER_SECOND,
        maxInFlight: 1,
        keepsSchedule: false,
        payloadBytes,
      }),
  };
}

async function acceptedPayload(context: ScenarioContext): Promise<number> {
  const wantedBytes = context.settings.largeDataSizeBytes;
  let refusal: string | null = null;
  for (
    let payloadBytes = wantedBytes;
    payloadBytes >= SMALLEST_PAYLOAD_BYTES;
    payloadBytes = Math.floor(payloadBytes / 2)
  ) {
    try {
      await context.once(payloadBytes);
      context.event('payload', { wantedBytes, payloadBytes, refusal });
      return payloadBytes;
    } catch (thrown) {
      refusal = messageOf(thrown);
    }
  }
  // Nothing was accepted: the load itself will show the error of the smallest.
  context.event('payload', { wantedBytes, payloadBytes: SMALLEST_PAYLOAD_BYTES, refusal });
  return SMALLEST_PAYLOAD_BYTES;
}
