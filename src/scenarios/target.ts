/**
 * What a scenario needs of the thing under test, and nothing more: the target
 * contract. A reference service and a user's module both become one of these.
 */
export interface Target {
  readonly name: string;
  setup?(): void | Promise<void>;
  /**
   * One operation. `index` counts from 0 over the whole test.
   * May be called again before an earlier call has ended (concurrent scenarios).
   */
  operation(
    index: number,
    options: OperationOptions,
  ): OperationResult | undefined | void | Promise<OperationResult | undefined | void>;
  teardown?(): void | Promise<void>;
  metrics?(): TargetMetrics | Promise<TargetMetrics>;
}

/** What the scenario would like; a target that has no use for it may ignore it. */
export interface OperationOptions {
  /** How much data the operation should handle, bytes. Absent: the target's own usual amount. */
  payloadBytes?: number;
  /** How many operations the scenario keeps in flight. */
  concurrency: number;
  /** Aborted when the test is over or the operation took too long. */
  signal: AbortSignal;
}

export interface OperationResult {
  /** Payload bytes that were handled. */
  bytes?: number;
  /** Set when the operation failed without throwing. */
  error?: unknown;
}

/** From the target's own books. What it does not know it leaves out. */
export interface TargetMetrics {
  cacheMemoryBytes?: number;
  cacheEntries?: number;
  cacheHits?: number;
  cacheMisses?: number;
  connectionMemoryBytes?: number;
  openConnections?: number;
  maxConnections?: number;
  queueLength?: number;
  activeTasks?: number;
  arcRefCount?: number;
  /** Anything else, by name with the unit last. */
  custom?: Record<string, number>;
}
