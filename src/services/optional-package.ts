import { CrucibleMemoryError, messageOf } from '../errors.js';

/**
 * Loads a package that only one service needs, when that service starts.
 * Rejects with DEPENDENCY_MISSING, which names the package, the service and the
 * command that installs it.
 */
export async function loadPackage<T>(service: string, name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const isInstalled = !isNotFound(error);
    throw new CrucibleMemoryError('DEPENDENCY_MISSING', {
      what: `${service} needs the package "${name}"`,
      why: isInstalled
        ? `it is there, but does not load: ${firstLine(messageOf(error))}`
        : 'it is not installed',
      fix: isInstalled ? `npm rebuild ${name}` : `npm install ${name}`,
      cause: error,
    });
  }
}

function isNotFound(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
