import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { CrucibleMemoryError } from '../errors.js';
import { nearestName, suggestion } from '../nearest-name.js';
import { SERVICE_TYPES } from '../vocabulary.js';
import { serviceCalled } from './names.js';

/**
 * What `run [targets...]` was given: paths of modules, and services by name.
 * @returns service names and absolute paths
 * @throws UNKNOWN_NAME for what is neither, TARGET_INVALID for a file that is not there
 */
export function targetsNamed(given: readonly string[], directory: string): string[] {
  return [...new Set(given.map((target) => targetNamed(target, directory)))];
}

function targetNamed(given: string, directory: string): string {
  const path = resolve(directory, given);
  if (existsSync(path) && statSync(path).isFile()) return path;
  const service = serviceCalled(given);
  if (service !== undefined) return service;
  if (looksLikePath(given)) throw missingModule(given, path);
  throw new CrucibleMemoryError('UNKNOWN_NAME', {
    what: `"${given}" is neither a target module nor a service`,
    why: `there is no such file; ${suggestion(given, [...SERVICE_TYPES, ...modulesBeside(path)])}`,
    fix: 'give the path of a module that exports operation(), or the name of a service',
  });
}

function looksLikePath(given: string): boolean {
  return /[./\\]/.test(given);
}

function missingModule(given: string, path: string): CrucibleMemoryError {
  const isFolder = existsSync(path);
  const nearest = nearestName(basename(path), modulesBeside(path));
  const hint = nearest === undefined || isFolder ? '' : `; did you mean "${join(dirname(given), nearest)}"?`;
  return new CrucibleMemoryError('TARGET_INVALID', {
    what: `there is no target module ${given}`,
    why: `${path} ${isFolder ? 'is a folder' : 'does not exist'}${hint}`,
    fix: 'give the path of a module that exports operation(), relative to the working folder',
  });
}

const MODULE = /\.[cm]?[jt]sx?$/;

function modulesBeside(path: string): string[] {
  try {
    return readdirSync(dirname(path), { withFileTypes: true }).flatMap((entry) =>
      entry.isFile() && MODULE.test(entry.name) ? [entry.name] : [],
    );
  } catch {
    return [];
  }
}
