import { CrucibleMemoryError, messageOf } from '../errors.js';
import { formatDuration } from '../units.js';
import { Phase } from '../vocabulary.js';
import type { LoadOutcome } from './load-ledger.js';
import type { FloorPoint, Scenario, ScenarioContext } from './scenario.js';

/** Rest after the collections before the load, in which the baseline RSS is read. */
const BASELINE_REST_MS = 250;

/**
 * The course of every test: start the target, warm it up, settle, put it under
 * the scenario's load, settle, stop it, and see what memory comes back.
 *
 * Throws TARGET_SETUP_FAILED, OPERATION_TIMEOUT, and what the scenario throws.
 */
export async function runCourse(scenario: Scenario, context: ScenarioContext): Promise<LoadOutcome> {
  await context.phase(Phase.Settle, () => context.floor());
  await start(context);
  await context.phase(Phase.WarmUp, () => (scenario.warmUp ?? warmUp)(context));
  const baseline = await settle(context);
  const outcome = await context.phase(Phase.Load, () => scenario.load(context));
  await settle(context);
  await context.diagnose?.();
  await stop(context);
  await context.phase(Phase.Cleanup, async () => {
    await scenario.afterTeardown?.(context, baseline);
    await context.floor();
  });
  return outcome;
}

/** Ordinary operations at the load's own rate, so that code is compiled and caches are filled. */
async function warmUp(context: ScenarioContext): Promise<void> {
  await context.load({
    durationMs: context.settings.warmUpMs,
    drainMs: 0,
    floorIntervalMs: Number.POSITIVE_INFINITY,
  });
}

/** The last point before the load is the baseline: the first collections still free what warm-up left. */
function settle(context: ScenarioContext): Promise<FloorPoint> {
  return context.phase(Phase.Settle, async () => {
    await context.floor();
    await context.rest(BASELINE_REST_MS);
    return context.floor();
  });
}

export async function start(context: ScenarioContext): Promise<void> {
  await context.phase(Phase.Setup, async () => {
    try {
      await withinTime(context, 'setup()', async () => context.target.setup?.());
    } catch (thrown) {
      throw new CrucibleMemoryError('TARGET_SETUP_FAILED', {
        what: `${context.target.name} could not be started`,
        why: messageOf(thrown),
        fix:
          thrown instanceof CrucibleMemoryError
            ? thrown.fix
            : 'make setup() of the target succeed by itself first',
        cause: thrown,
      });
    }
  });
}

export async function stop(context: ScenarioContext): Promise<void> {
  await context.phase(Phase.Teardown, async () => {
    try {
      await withinTime(context, 'teardown()', async () => context.target.teardown?.());
    } catch (thrown) {
      throw new CrucibleMemoryError('TARGET_TEARDOWN_FAILED', {
        what: `${context.target.name} could not be stopped`,
        why: messageOf(thrown),
        fix: 'make teardown() of the target succeed by itself first',
        cause: thrown,
      });
    }
  });
}

/** Starting and stopping may take longer than an operation: models load, servers boot. */
const START_TIME_FACTOR = 4;

async function withinTime(context: ScenarioContext, what: string, body: () => Promise<void>): Promise<void> {
  const limitMs = START_TIME_FACTOR * context.settings.operationTimeoutMs;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what} did not end within ${formatDuration(limitMs)}`)),
      limitMs,
    );
  });
  try {
    await Promise.race([body(), late]);
  } finally {
    clearTimeout(timer);
  }
}
