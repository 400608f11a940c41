import { isRecord } from './layer.js';
import type { MemoryTestConfig } from './schema.js';

/** What must not reach a report, a log or an error message. */

const SECRET_SETTINGS: ReadonlySet<string> = new Set(['services.inferenceEngine.apiKey']);
/** Settings that may carry a password inside. */
const CONNECTION_SETTINGS: ReadonlySet<string> = new Set([
  'services.dataStore.postgresUrl',
  'services.inferenceEngine.baseURL',
]);

const HIDDEN = '***';

/** Whether a value of this setting may not be shown. */
export function isSecret(name: string): boolean {
  return SECRET_SETTINGS.has(name) || CONNECTION_SETTINGS.has(name);
}

/** The configuration as it may be published: keys and passwords replaced by `***`. */
export function publicConfig(config: MemoryTestConfig): Record<string, unknown> {
  return withoutSecrets(config, '') as Record<string, unknown>;
}

function withoutSecrets(value: unknown, name: string): unknown {
  if (isRecord(value)) {
    const entries = Object.entries(value).map(([key, child]) => [
      key,
      withoutSecrets(child, name === '' ? key : `${name}.${key}`),
    ]);
    return Object.fromEntries(entries);
  }
  if (typeof value !== 'string') return value;
  if (SECRET_SETTINGS.has(name)) return HIDDEN;
  return CONNECTION_SETTINGS.has(name) ? withoutPassword(value) : value;
}

/** @example withoutPassword('postgres://app:s3cret@db/crucible') // "postgres://app:***@db/crucible" */
export function withoutPassword(address: string): string {
  // A password with an unescaped slash makes an invalid URL; then everything up to the last @ is hidden.
  const userPart = URL.canParse(address)
    ? /^([a-z][a-z0-9+.-]*:\/\/[^/?#:@]*):[^/?#]*@/i
    : /^([a-z][a-z0-9+.-]*:\/\/[^/?#:@]*):.*@/i;
  return address
    .replace(userPart, `$1:${HIDDEN}@`)
    .replace(/\b(password|passwd|pwd|sslpassword|api[-_]?key|key|token|secret)=[^&\s]+/gi, `$1=${HIDDEN}`);
}
