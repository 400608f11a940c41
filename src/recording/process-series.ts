/**
 * The memory of one process over time, as it comes from anywhere: a CSV, an
 * NDJSON line, a Prometheus server, or one of our own recordings. What was not
 * measured is absent; a single missing value is NaN.
 */
export interface ProcessSeries {
  /** What a reader knows this series by. */
  id: string;
  /** Of the samples, milliseconds on any clock; as recorded, faults included. */
  timesMs: Float64Array;
  /** True: nobody sets the clock of `timesMs`, so that a long interval is a gap in the samples. */
  hasSteadyClock?: boolean;
  /** Operations completed by then, cumulative; one number a sample. */
  operations?: Float64Array;
  signals: ProcessSignals;
  /** Live JavaScript memory right after major collections, on the clock of `timesMs`. */
  liveAfterGc?: FloorPoints;
}

/** Bytes (handles: a count), one number a sample. */
export interface ProcessSignals {
  rss?: Float64Array;
  heapUsed?: Float64Array;
  heapTotal?: Float64Array;
  external?: Float64Array;
  mallocInUse?: Float64Array;
  handles?: Float64Array;
}

export type SignalName = keyof ProcessSignals;

export interface FloorPoints {
  timesMs: Float64Array;
  liveBytes: Float64Array;
}
