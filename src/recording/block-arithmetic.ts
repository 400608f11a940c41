import { CrucibleMemoryError } from '../errors.js';
import { loadCore } from '../native.js';
import { crc32c } from './checksum.js';
import { decodeSampleRun, type IntegerGroups } from './sample-run.js';

/** What reading spends its time on, in C++ or in TypeScript; the results are the same to the bit. */
export interface BlockArithmetic {
  /** CRC-32C. */
  checksum: (bytes: Uint8Array) => number;
  /** See sample-run.ts. */
  decodeSampleRun: (payload: Uint8Array, place: Float64Array, groups: IntegerGroups) => number;
}

export const TYPESCRIPT_ARITHMETIC: BlockArithmetic = {
  checksum: (bytes) => crc32c(bytes),
  decodeSampleRun,
};

/** The addon's; or TypeScript's, so that a recording can be read where the addon is missing. */
export function fastestArithmetic(): BlockArithmetic {
  try {
    const { checksum, decodeSampleRun } = loadCore();
    return { checksum, decodeSampleRun };
  } catch (error) {
    if (error instanceof CrucibleMemoryError && error.code === 'ADDON_MISSING') return TYPESCRIPT_ARITHMETIC;
    throw error;
  }
}
