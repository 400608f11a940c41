import { z } from 'zod';
import type { PerformanceMetrics } from '../diagnosis/index.js';
import { RecordedEvents, RSS_CHANNEL } from '../recording/channels.js';
import type { Recording } from '../recording/recording.js';
import { loadValues, loadWindow } from './floor.js';
import { recordedOutcome } from './outcomes.js';

const CpuSchema = z.object({ cpuUserUs: z.number(), cpuSystemUs: z.number(), wallMs: z.number() });

/**
 * How the target performed under load.
 *
 * @param memoryLimitBytes what the process may use at most; null when there is no limit
 */
export function performanceMetrics(
  recording: Recording,
  memoryLimitBytes: number | null,
): PerformanceMetrics {
  const outcome = recordedOutcome(recording);
  const operations = outcome?.completed ?? increase(recording, 'operations') ?? 0;
  const failedOperations = outcome?.failed ?? increase(recording, 'failed_operations') ?? 0;
  const window = loadWindow(recording);
  const loadMs = outcome?.activeMs ?? (window === undefined ? 0 : window.endMs - window.startMs);
  const perSecond = (amount: number) => (loadMs > 0 ? (amount * 1000) / loadMs : null);
  const all = operations + failedOperations;
  return {
    operations,
    failedOperations,
    operationsPerSecond: perSecond(operations),
    targetOperationsPerSecond: outcome?.targetRatePerSecond ?? null,
    averageResponseTimeMs: outcome?.latency.meanMs ?? null,
    p50ResponseTimeMs: outcome?.latency.p50Ms ?? null,
    p95ResponseTimeMs: outcome?.latency.p95Ms ?? null,
    p99ResponseTimeMs: outcome?.latency.p99Ms ?? null,
    maxResponseTimeMs: outcome?.latency.maxMs ?? null,
    errorRate: all === 0 ? null : failedOperations / all,
    throughput: outcome === undefined ? null : perSecond(outcome.payloadBytes),
    resourceUtilization: {
      cpuUtilization: cpuUtilization(recording),
      memoryUtilization: memoryUtilization(recording, memoryLimitBytes),
      connectionUtilization: connectionUtilization(recording),
      cacheHitRate: cacheHitRate(recording),
    },
  };
}

function cpuUtilization(recording: Recording): number | null {
  const cpu = CpuSchema.safeParse(recording.events(RecordedEvents.Cpu).at(-1)?.detail).data;
  return cpu === undefined || cpu.wallMs <= 0 ? null : (cpu.cpuUserUs + cpu.cpuSystemUs) / 1000 / cpu.wallMs;
}

function memoryUtilization(recording: Recording, memoryLimitBytes: number | null): number | null {
  const peak = highest(recording, RSS_CHANNEL);
  return peak === null || memoryLimitBytes === null ? null : peak / memoryLimitBytes;
}

function connectionUtilization(recording: Recording): number | null {
  const open = highest(recording, 'open_connections');
  const most = highest(recording, 'max_connections');
  return open === null || most === null || most === 0 ? null : open / most;
}

function cacheHitRate(recording: Recording): number | null {
  const hits = increase(recording, 'cache_hits');
  const misses = increase(recording, 'cache_misses');
  if (hits === null || misses === null || hits + misses === 0) return null;
  return hits / (hits + misses);
}

function highest(recording: Recording, channel: string): number | null {
  const values = loadValues(recording, channel);
  if (values === undefined || values.length === 0) return null;
  return values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
}

/** How much a running count rose over the load; null when it was not recorded. */
function increase(recording: Recording, channel: string): number | null {
  const values = loadValues(recording, channel);
  if (values === undefined || values.length === 0) return null;
  return Math.max(0, (values.at(-1) as number) - (values[0] as number));
}
