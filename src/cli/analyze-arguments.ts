import { parseQuantity } from '../config/index.js';
import { CrucibleMemoryError } from '../errors.js';

/** The options of `analyze` as commander hands them over. */
export interface AnalyzeArguments {
  format: 'text' | 'json';
  threshold: string;
  minBytesPerOperation?: string;
  minSamples: string;
  significance?: string;
  falseDiscoveryRate: string;
  prometheus?: string;
  query?: string;
  range: string;
  step?: string;
  color?: boolean;
}

/** What of the judge's settings the command line says. @throws USAGE */
export function judgeSettings(given: AnalyzeArguments) {
  return {
    leakThresholdBytes: size('--threshold', given.threshold),
    ...(given.minBytesPerOperation !== undefined && {
      minBytesPerOperation: size('--min-bytes-per-operation', given.minBytesPerOperation),
    }),
    minSamples: number('--min-samples', given.minSamples, 3, 1e9),
    ...(given.significance !== undefined && {
      significanceThreshold: number('--significance', given.significance, 0.5, 0.999),
    }),
  };
}

/** @throws USAGE */
export function falseDiscoveryRate(given: AnalyzeArguments): number {
  return number('--false-discovery-rate', given.falseDiscoveryRate, 0.0001, 0.5);
}

/** Milliseconds; a bare number is seconds. */
export function milliseconds(text: string): number {
  return parseQuantity(text, 'milliseconds') ?? Number(text) * 1000;
}

/** Bytes. @throws USAGE */
export function size(option: string, text: string): number {
  const bytes = /^\d+$/.test(text) ? Number(text) : parseQuantity(text, 'bytes');
  if (bytes !== undefined) return bytes;
  throw wrong(option, text, 'a number of bytes or a size such as 5MiB');
}

/** @throws USAGE */
export function number(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= least && value <= most) return value;
  throw wrong(option, text, `a number from ${least} to ${most}`);
}

function wrong(option: string, text: string, expected: string): CrucibleMemoryError {
  return new CrucibleMemoryError('USAGE', {
    what: `${option} ${text} is not understood`,
    why: `it takes ${expected}`,
    fix: `give ${expected}`,
  });
}
