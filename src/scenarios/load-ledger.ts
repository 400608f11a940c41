import { build, type Histogram } from 'hdr-histogram-js';

/** Latency of the operations of one load phase, milliseconds; null before the first one ended. */
export interface LatencySummary {
  meanMs: number | null;
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
  maxMs: number | null;
}

/** What came of one load phase. */
export interface LoadOutcome {
  started: number;
  completed: number;
  failed: number;
  payloadBytes: number;
  /** Time in which operations were sent, without the pauses for garbage collections, milliseconds. */
  activeMs: number;
  latency: LatencySummary;
  /** The commonest error, as a sentence; null when every operation succeeded. */
  commonestError: string | null;
  /** Operations that failed in a row at the very end, and for how long. */
  closingFailures: number;
  closingFailuresMs: number;
  /** Why the load ended before its time, if it did. */
  endedEarly: string | null;
}

const HIGHEST_LATENCY_US = 3_600_000_000;
const DISTINCT_ERRORS_KEPT = 50;

/**
 * The books of a load phase: operations, errors and latencies.
 *
 * Latency counts from the moment at which an operation was meant to begin, not
 * from when it could: a stall then shows in every operation that had to wait
 * for it, instead of once (no coordinated omission; Tene, "How not to measure
 * latency").
 * Memory: one histogram of constant size, and at most 50 distinct errors.
 */
export class LoadLedger {
  started = 0;
  completed = 0;
  failed = 0;
  payloadBytes = 0;
  readonly #latencyUs: Histogram = build({
    highestTrackableValue: HIGHEST_LATENCY_US,
    numberOfSignificantValueDigits: 3,
  });
  readonly #errors = new Map<string, number>();
  #closingFailures = 0;
  #firstClosingFailureMs = 0;
  #lastEndMs = 0;

  succeeded(latencyMs: number, bytes: number, nowMs: number): void {
    this.completed++;
    this.payloadBytes += bytes;
    this.#closingFailures = 0;
    this.#record(latencyMs, nowMs);
  }

  failedWith(error: string, latencyMs: number, nowMs: number): void {
    this.failed++;
    if (this.#closingFailures === 0) this.#firstClosingFailureMs = nowMs;
    this.#closingFailures++;
    const seen = this.#errors.get(error);
    if (seen !== undefined || this.#errors.size < DISTINCT_ERRORS_KEPT)
      this.#errors.set(error, (seen ?? 0) + 1);
    this.#record(latencyMs, nowMs);
  }

  #record(latencyMs: number, nowMs: number): void {
    this.#lastEndMs = nowMs;
    this.#latencyUs.recordValue(Math.min(HIGHEST_LATENCY_US, Math.max(0, Math.round(latencyMs * 1000))));
  }

  get closingFailuresMs(): number {
    return this.#closingFailures === 0 ? 0 : this.#lastEndMs - this.#firstClosingFailureMs;
  }

  outcome(activeMs: number, endedEarly: string | null): LoadOutcome {
    return {
      started: this.started,
      completed: this.completed,
      failed: this.failed,
      payloadBytes: this.payloadBytes,
      activeMs,
      latency: this.#latency(),
      commonestError: [...this.#errors].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null,
      closingFailures: this.#closingFailures,
      closingFailuresMs: this.closingFailuresMs,
      endedEarly,
    };
  }

  #latency(): LatencySummary {
    const latency = this.#latencyUs;
    if (latency.totalCount === 0) return { meanMs: null, p50Ms: null, p95Ms: null, p99Ms: null, maxMs: null };
    const percentileMs = (percentile: number) => latency.getValueAtPercentile(percentile) / 1000;
    return {
      meanMs: latency.mean / 1000,
      p50Ms: percentileMs(50),
      p95Ms: percentileMs(95),
      p99Ms: percentileMs(99),
      maxMs: latency.maxValue / 1000,
    };
  }
}
