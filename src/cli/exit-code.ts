import type { RunReport } from '../diagnosis/index.js';
import { CrucibleMemoryError, type ErrorCode } from '../errors.js';

/** What the process tells the shell. */
export const ExitCode = {
  NothingFound: 0,
  /** A leak or a threshold violation; also when other tests could not be carried out. */
  Found: 1,
  /** Wrong usage, configuration or input. */
  Usage: 2,
  /** A test could not be carried out, and nothing was found in the others. */
  NotCarriedOut: 3,
  Interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** A found leak comes first: a failure of another test must not hide it. */
export function exitCodeOf({ interrupted, summary }: RunReport): ExitCode {
  if (interrupted) return ExitCode.Interrupted;
  if (summary.violated > 0 || summary.leaks > 0) return ExitCode.Found;
  return summary.failed > 0 ? ExitCode.NotCarriedOut : ExitCode.NothingFound;
}

const USAGE_ERRORS: ReadonlySet<ErrorCode> = new Set([
  'CONFIG_INVALID',
  'CONFIG_UNREADABLE',
  'OUTPUT_UNWRITABLE',
  'PROCESS_GONE',
  'PROCESS_UNSUITABLE',
  'PROGRAM_NOT_FOUND',
  'PROMETHEUS_REFUSED',
  'RECORDING_FOREIGN',
  'RECORDING_TRUNCATED',
  'RECORDING_UNREADABLE',
  'RECORDING_VERSION',
  'SERIES_INVALID',
  'SERIES_UNREADABLE',
  'TARGET_INVALID',
  'UNKNOWN_NAME',
  'UNKNOWN_NODE',
  'USAGE',
]);

/** For an error that kept a command from doing its work. */
export function exitCodeOfError(error: unknown): ExitCode {
  if (!(error instanceof CrucibleMemoryError)) return ExitCode.NotCarriedOut;
  if (error.code === 'INTERRUPTED') return ExitCode.Interrupted;
  // A snapshot that cannot be read is wrong input, whatever is wrong with it.
  const isUsage = USAGE_ERRORS.has(error.code) || /^(SNAPSHOT|RECORDING)_/.test(error.code);
  return isUsage ? ExitCode.Usage : ExitCode.NotCarriedOut;
}
