/**
 * The one kind of error that this package throws on purpose: it says what
 * happened, why, and how to fix it, and carries a code that programs can test.
 */

export interface ErrorParts {
  /** What happened, with the value that caused it. One sentence without a full stop. */
  what: string;
  /** Why it happened, as far as is known. */
  why: string;
  /** What the reader can do about it. */
  fix: string;
  /** The error underneath, if there was one. */
  cause?: unknown;
  /** Position of the first wrong byte of the input, where there is one. */
  byteOffset?: number;
}

/** Stable codes, so that a program can tell one failure from another. */
export type ErrorCode =
  | 'ADDON_MISSING'
  | 'AGENT_FAILED'
  | 'ARC_DROPPED'
  | 'CONFIG_INVALID'
  | 'CONFIG_UNREADABLE'
  | 'COUNTERS_EXHAUSTED'
  | 'DEPENDENCY_MISSING'
  | 'GUARD_RELEASED'
  | 'INSPECTOR_UNAVAILABLE'
  | 'INTERRUPTED'
  | 'LOCK_TIMEOUT'
  | 'MEMORY_TOO_LITTLE'
  | 'NOTHING_RECORDED'
  | 'OPERATIONS_FAILED'
  | 'OPERATION_TIMEOUT'
  | 'OUTPUT_UNWRITABLE'
  | 'PAYLOAD_TOO_LARGE'
  | 'PROCESS_GONE'
  | 'PROCESS_UNSUITABLE'
  | 'PROC_UNREADABLE'
  | 'PROFILER_BUSY'
  | 'PROGRAM_NOT_FOUND'
  | 'PROMETHEUS_REFUSED'
  | 'PROMETHEUS_UNREACHABLE'
  | 'RECORDING_FOREIGN'
  | 'RECORDING_TRUNCATED'
  | 'RECORDING_UNREADABLE'
  | 'RECORDING_UNWRITABLE'
  | 'RECORDING_VERSION'
  | 'REPORT_INVALID'
  | 'RESOURCE_RELEASED'
  | 'SCRIPT_FAILED'
  | 'SERIES_INVALID'
  | 'SERIES_UNREADABLE'
  | 'SERVICE_NOT_STARTED'
  | 'SERVICE_UNAVAILABLE'
  | 'SNAPSHOT_COLUMNS'
  | 'SNAPSHOT_COMPRESSED'
  | 'SNAPSHOT_COUNT'
  | 'SNAPSHOT_DUPLICATE_ID'
  | 'SNAPSHOT_EDGE_SUM'
  | 'SNAPSHOT_EDGE_TARGET'
  | 'SNAPSHOT_EMPTY'
  | 'SNAPSHOT_FOREIGN'
  | 'SNAPSHOT_FORK_FAILED'
  | 'SNAPSHOT_INDEX'
  | 'SNAPSHOT_NUMBER'
  | 'SNAPSHOT_SYNTAX'
  | 'SNAPSHOT_TOO_LARGE'
  | 'SNAPSHOT_TRUNCATED'
  | 'SNAPSHOT_UNREADABLE'
  | 'TARGET_INVALID'
  | 'TARGET_SETUP_FAILED'
  | 'TARGET_TEARDOWN_FAILED'
  | 'TEST_CRASHED'
  | 'TEST_HUNG'
  | 'TEST_OUT_OF_MEMORY'
  | 'UNKNOWN_NAME'
  | 'UNKNOWN_NODE'
  | 'USAGE';

export class CrucibleMemoryError extends Error {
  override readonly name = 'CrucibleMemoryError';
  readonly code: ErrorCode;
  readonly what: string;
  readonly why: string;
  readonly fix: string;
  readonly byteOffset?: number;

  constructor(code: ErrorCode, parts: ErrorParts) {
    super(
      `${parts.what}:${parts.why.startsWith('\n') ? '' : ' '}${parts.why}\n  fix: ${parts.fix}`,
      parts.cause === undefined ? undefined : { cause: parts.cause },
    );
    this.code = code;
    this.what = parts.what;
    this.why = parts.why;
    this.fix = parts.fix;
    if (parts.byteOffset !== undefined) this.byteOffset = parts.byteOffset;
  }
}

/** The sentence of anything that was thrown, for use inside a longer one. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof CrucibleMemoryError) return `${thrown.what}: ${thrown.why}`;
  if (thrown instanceof Error) return thrown.message || thrown.name;
  return String(thrown);
}
