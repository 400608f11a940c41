/**
 * What the four reference services have in common: ordinary programs that
 * start, work and stop, and keep honest books. They do not know that they are
 * measured.
 */
export interface Service {
  start(): Promise<void>;
  /** One typical unit of work. Resolves with the payload bytes that it handled. */
  operation(index: number): Promise<{ bytes: number }>;
  /**
   * The same kind of work on about `payloadBytes` of data.
   * Rejects with PAYLOAD_TOO_LARGE when the service's own limits forbid it.
   */
  largeOperation(index: number, payloadBytes: number): Promise<{ bytes: number }>;
  /** Gives back everything; afterwards start() may be called again. Safe to call twice. */
  stop(): Promise<void>;
  /** From the service's own books; nothing estimated. */
  metrics(): ServiceMetrics;
}

export interface ServiceMetrics {
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
  custom?: Record<string, number>;
}
