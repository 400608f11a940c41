import { CrucibleMemoryError, messageOf } from '../errors.js';
import { formatBytes } from '../units.js';

/** What the services say when they cannot or will not do what they were asked. */

/**
 * @param what the thing that is too large, such as "a script"
 * @param option the option that sets the limit
 */
export function payloadTooLarge(what: string, bytes: number, limitBytes: number, option: string) {
  return new CrucibleMemoryError('PAYLOAD_TOO_LARGE', {
    what: `${what} of ${formatBytes(bytes)} was refused`,
    why: `${option} allows ${formatBytes(limitBytes)}`,
    fix: `send less at once, or raise ${option}`,
  });
}

export function unavailable(what: string, fix: string, cause: unknown) {
  return new CrucibleMemoryError('SERVICE_UNAVAILABLE', { what, why: reasonOf(cause), fix, cause });
}

/** A connection that was tried on several addresses fails with an error that has the reasons, but no message. */
function reasonOf(error: unknown): string {
  return messageOf(error instanceof AggregateError && !error.message ? error.errors[0] : error);
}
