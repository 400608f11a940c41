import type { MemoryTestResult } from '../diagnosis/index.js';
import { formatBytes, formatDuration, formatPercent } from '../units.js';

/** What the recommendations are drawn from: the result before they are part of it. */
export type Findings = Omit<MemoryTestResult, 'recommendations'>;

const REACHED_SHARE = 0.9;
const POOR_HIT_RATE = 0.5;
const NEARLY_FULL = 0.9;
const NOTEWORTHY_RESIDENT_RISE = 32 * 1024 * 1024;

/** What to do about this result. Each line follows from a figure of it; a clean result gets none. */
export function recommendations(findings: Findings): string[] {
  return [
    failure(findings),
    leak(findings),
    inconclusive(findings),
    residentOnly(findings),
    baseline(findings),
    cleanup(findings),
    exhaustion(findings),
    smallerPayload(findings),
    errors(findings),
    rate(findings),
    connections(findings),
    cache(findings),
    sampling(findings),
  ].filter((line) => line !== undefined);
}

const FAILURE_ADVICE: Record<string, string> = {
  TEST_OUT_OF_MEMORY:
    'The process ran out of memory; the recording up to that moment is kept. Lower the load to see what grows, or raise the limit (NODE_OPTIONS=--max-old-space-size=MB)',
  TEST_HUNG:
    'The event loop gave no sign of life. Look for a synchronous loop or a blocking call; the recording shows memory up to the end',
  OPERATION_TIMEOUT: 'Find what the operation waits for, or raise testDurations.operationTimeoutSeconds',
};

function failure({ failure: failed }: Findings): string | undefined {
  return failed && FAILURE_ADVICE[failed.code];
}

function leak({ leakDetection }: Findings): string | undefined {
  if (!leakDetection.leakDetected) return undefined;
  const { bytesPerOperation, suspectedSources, suspects = [] } = leakDetection;
  const [first] = suspects;
  if (first) return capitalised(`${first.advice} (${first.retainingPath ?? first.className ?? first.kind})`);
  const each =
    bytesPerOperation === null ? 'with time' : `by ${formatBytes(bytesPerOperation)} with every operation`;
  const where = suspectedSources.length === 0 ? '' : `; what grew with it: ${suspectedSources.join(', ')}`;
  return `Live memory grows ${each} and is not given back${where}. Look for what every operation adds to and nothing removes from`;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function inconclusive({ leakDetection }: Findings): string | undefined {
  if (leakDetection.verdict !== 'inconclusive' || leakDetection.remedy === undefined) return undefined;
  return `To get a verdict, ${leakDetection.remedy}`;
}

/** RSS that rises over a level floor is the allocator's or the collector's, not the program's. */
function residentOnly({ memoryStats, leakDetection, exhaustion: exhausted }: Findings): string | undefined {
  const { baselineMemoryBytes, averageMemoryBytes } = memoryStats;
  if (leakDetection.verdict !== 'no-leak' || baselineMemoryBytes === null || averageMemoryBytes === null)
    return undefined;
  const rise = averageMemoryBytes - baselineMemoryBytes;
  if (exhausted !== undefined || rise < NOTEWORTHY_RESIDENT_RISE || rise < baselineMemoryBytes / 2)
    return undefined;
  return `RSS lies ${formatBytes(rise)} above the baseline under load while live memory is level: garbage between collections or allocator fragmentation, not a leak. A lower --max-semi-space-size or MALLOC_ARENA_MAX=2 lowers it`;
}

function baseline({ memoryStats, thresholdViolations }: Findings): string | undefined {
  if (!thresholdViolations.some(({ violationType }) => violationType === 'BaselineExceeded'))
    return undefined;
  return `The target needs ${formatBytes(memoryStats.baselineMemoryBytes ?? 0)} at rest. If that is what it should need, set thresholds.maxBaselineMemoryBytes above it; else look at what is loaded at start`;
}

function cleanup({ cleanup: outcome }: Findings): string | undefined {
  if (outcome === undefined || outcome.returnedToBaseline) return undefined;
  return `After teardown ${formatBytes(outcome.finalLiveBytes - outcome.baselineLiveBytes)} stay live (${formatPercent(outcome.efficiency)} were given back): clear module-level collections, close what was opened, and remove listeners in teardown`;
}

function exhaustion({ exhaustion: outcome }: Findings): string | undefined {
  if (outcome === undefined || outcome.refusedPayloadBytes === null) return undefined;
  if (outcome.ending === 'crashed') {
    return `Refuse payloads above ${formatBytes(outcome.largestPayloadBytes ?? 0)}: one of ${formatBytes(outcome.refusedPayloadBytes)} killed the process instead of failing`;
  }
  if (outcome.recovered) return undefined;
  return `After the payload of ${formatBytes(outcome.refusedPayloadBytes)} was refused, ordinary operations failed too: release what the failed operation holds in a finally block`;
}

function smallerPayload({ largePayload: payload }: Findings): string | undefined {
  if (payload === undefined || payload.payloadBytes >= payload.wantedBytes) return undefined;
  return `Large operations ran with ${formatBytes(payload.payloadBytes)} instead of ${formatBytes(payload.wantedBytes)}, which was refused (${payload.refusal ?? 'no reason given'}): raise the target's limit, or lower loadTesting.largeDataSizeBytes to what it should take`;
}

function errors({ performanceMetrics, failure: failed }: Findings): string | undefined {
  const { errorRate, failedOperations } = performanceMetrics;
  if (errorRate === null || errorRate === 0 || failed !== undefined) return undefined;
  return `${failedOperations} operations failed (${formatPercent(errorRate)}); failing paths often skip the release of what they hold`;
}

function rate({ performanceMetrics, failure: failed }: Findings): string | undefined {
  const {
    operationsPerSecond: reached,
    targetOperationsPerSecond: wanted,
    p95ResponseTimeMs,
  } = performanceMetrics;
  if (failed !== undefined || reached === null || wanted === null || reached >= REACHED_SHARE * wanted)
    return undefined;
  const slow =
    p95ResponseTimeMs === null
      ? ''
      : `; response times (p95 ${formatDuration(p95ResponseTimeMs)}) hold the waiting`;
  return `Only ${reached.toFixed(0)} of ${wanted.toFixed(0)} operations per second were reached${slow}. Lower loadTesting.operationsPerSecond for latencies without queueing`;
}

/** A full pool is what a pool is for; only waiting for it is worth a word. */
function connections({ performanceMetrics, measurements }: Findings): string | undefined {
  const used = performanceMetrics.resourceUtilization.connectionUtilization;
  const longestQueue = Math.max(
    0,
    ...measurements.map(({ customMetrics }) => customMetrics.queue_length ?? 0),
  );
  if (used === null || used < NEARLY_FULL || longestQueue === 0) return undefined;
  return `Up to ${longestQueue} requests waited while ${formatPercent(used)} of the connections were open: allow more connections, or expect longer response times under more load`;
}

function cache({ performanceMetrics }: Findings): string | undefined {
  const { cacheHitRate } = performanceMetrics.resourceUtilization;
  if (cacheHitRate === null || cacheHitRate >= POOR_HIT_RATE || performanceMetrics.operations < 100)
    return undefined;
  return `Only ${formatPercent(cacheHitRate)} of the cache look-ups hit: the budget is too small for the keys in use, or the keys do not repeat`;
}

function sampling({ sampling: report, failure: failed }: Findings): string | undefined {
  if (
    failed !== undefined ||
    report === null ||
    report.reachedRateHz >= REACHED_SHARE * report.requestedRateHz
  )
    return undefined;
  return `The sampler reached ${report.reachedRateHz.toFixed(0)} of ${report.requestedRateHz} Hz: the machine was too busy; peaks between samples may be missing`;
}
