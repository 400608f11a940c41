import { messageOf } from '../errors.js';
import { MIB } from '../units.js';
import { TestScenario } from '../vocabulary.js';
import { LoadLedger } from './load-ledger.js';
import type { Scenario, ScenarioContext } from './scenario.js';

const FIRST_PAYLOAD_BYTES = MIB / 2;
const GROWTH = 2;
/** Ordinary operations after the end, of which one must succeed. */
const RECOVERY_ATTEMPTS = 5;
const RECOVERY_REST_MS = 200;

/**
 * Payloads that double under a real memory limit of the process until one is
 * refused or fails; then ordinary work again, to see whether the target
 * recovered. Each attempt is announced in the recording first: should the
 * process die of it, the last announcement says where.
 */
export const resourceExhaustion: Scenario = {
  name: TestScenario.ResourceExhaustion,
  length: 'short',

  async load(context) {
    const ledger = new LoadLedger();
    const beganMs = performance.now();
    const memoryLimitBytes = context.limitMemory(context.settings.exhaustionMemoryLimitBytes);
    await context.floor();
    const ending = await growUntilRefused(context, ledger, memoryLimitBytes, beganMs);
    await context.floor();
    const recovered = await recovers(context, ledger);
    context.unlimitMemory();
    context.event('exhaustion', { memoryLimitBytes, ...ending, recovered });
    const outcome = ledger.outcome(performance.now() - beganMs, null);
    await restOfTheTime(context, beganMs);
    return outcome;
  },
};

interface Ending {
  largestPayloadBytes: number | null;
  refusedPayloadBytes: number | null;
  reason: string | null;
  ending: 'refused' | 'limit-not-reached';
}

async function growUntilRefused(
  context: ScenarioContext,
  ledger: LoadLedger,
  memoryLimitBytes: number | null,
  beganMs: number,
): Promise<Ending> {
  const highestBytes = context.settings.exhaustionMemoryLimitBytes * GROWTH;
  let largestPayloadBytes: number | null = null;
  for (let payloadBytes = FIRST_PAYLOAD_BYTES; payloadBytes <= highestBytes; payloadBytes *= GROWTH) {
    if (context.signal.aborted || performance.now() - beganMs > context.settings.loadMs) break;
    context.event('attempt', { payloadBytes, memoryLimitBytes });
    const sentMs = performance.now();
    ledger.started++;
    try {
      await context.once(payloadBytes);
      const nowMs = performance.now();
      ledger.succeeded(nowMs - sentMs, payloadBytes, nowMs);
      largestPayloadBytes = payloadBytes;
    } catch (thrown) {
      // The refusal is what this scenario looks for: no failed operation.
      return {
        largestPayloadBytes,
        refusedPayloadBytes: payloadBytes,
        reason: messageOf(thrown),
        ending: 'refused',
      };
    }
    await context.floor();
  }
  return { largestPayloadBytes, refusedPayloadBytes: null, reason: null, ending: 'limit-not-reached' };
}

async function recovers(context: ScenarioContext, ledger: LoadLedger): Promise<boolean> {
  for (let attempt = 0; attempt < RECOVERY_ATTEMPTS && !context.signal.aborted; attempt++) {
    const sentMs = performance.now();
    ledger.started++;
    try {
      await context.once();
      ledger.succeeded(performance.now() - sentMs, 0, performance.now());
      return true;
    } catch (thrown) {
      ledger.failedWith(messageOf(thrown), performance.now() - sentMs, performance.now());
      await context.rest(RECOVERY_REST_MS);
    }
  }
  return false;
}

/** What stays behind after the refusal shows in the floor of the ordinary work that follows. */
async function restOfTheTime(context: ScenarioContext, beganMs: number): Promise<void> {
  const leftMs = context.settings.loadMs - (performance.now() - beganMs);
  if (leftMs <= 0 || context.signal.aborted) return;
  await context.load({
    durationMs: leftMs,
    ratePerSecond: Math.min(50, context.settings.operationsPerSecond),
    keepsSchedule: false,
  });
}
