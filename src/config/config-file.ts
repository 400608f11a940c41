import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, extname, isAbsolute, join, relative } from 'node:path';
import { createJiti } from 'jiti';
import { type Document, isMap, LineCounter, type Node, parseDocument } from 'yaml';
import { CrucibleMemoryError, messageOf } from '../errors.js';
import { nearestName } from '../nearest-name.js';
import { ServiceType, TestScenario } from '../vocabulary.js';
import { findKeyInCode, lineAndColumn } from './code-position.js';
import { defineConfig } from './define-config.js';
import { findJsonSyntaxProblem } from './json-syntax.js';
import { type ConfigLayer, isRecord, type SettingPath } from './layer.js';
import { ConfigError } from './problem.js';
import { PROFILES } from './profiles.js';

/** Reading a configuration file in any of its formats, with the place of everything in it. */

const BASE_NAME = 'crucible-memory.config';
/** Extensions that are looked for when no file is named. */
const DISCOVERED = ['ts', 'mts', 'js', 'mjs', 'json', 'yaml', 'yml'];
const CODE = new Set(['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs']);
const YAML = new Set(['.yaml', '.yml']);

/**
 * The configuration file of a folder, if it has one.
 * @throws CONFIG_INVALID when there are several, because one would silently lose
 */
export function discoverConfigFile(directory: string): string | undefined {
  const found = DISCOVERED.map((extension) => join(directory, `${BASE_NAME}.${extension}`)).filter((path) =>
    existsSync(path),
  );
  if (found.length > 1) {
    throw new CrucibleMemoryError('CONFIG_INVALID', {
      what: `${directory} has ${found.length} configuration files`,
      why: `${found.map((path) => basename(path)).join(' and ')} could both be meant`,
      fix: 'keep one of them, or name the one to use with --config FILE',
    });
  }
  return found[0];
}

/**
 * A file's settings. Takes TypeScript and JavaScript (the default export), JSON and YAML.
 * @throws CONFIG_UNREADABLE, CONFIG_INVALID
 */
export async function readConfigFile(path: string, directory: string): Promise<ConfigLayer> {
  const shown = shownPath(path, directory);
  const text = readText(path, shown);
  const extension = extname(path).toLowerCase();
  if (CODE.has(extension)) return readCode(path, shown, text);
  if (extension === '.json') return readJson(shown, text);
  if (YAML.has(extension)) return readYaml(shown, text);
  throw new CrucibleMemoryError('CONFIG_UNREADABLE', {
    what: `cannot read the configuration ${shown}`,
    why: `${extension === '' ? 'a file without an extension' : `"${extension}"`} is no format that is known`,
    fix: 'use .ts, .mts, .js, .mjs, .json, .yaml or .yml',
  });
}

function readText(path: string, shown: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    throw new CrucibleMemoryError('CONFIG_UNREADABLE', {
      what: `cannot read the configuration ${shown}`,
      why: messageOf(error),
      fix: nearbyFile(path) ?? 'give the path of a file that exists and that this user may read',
      cause: error,
    });
  }
}

function nearbyFile(path: string): string | undefined {
  try {
    const nearest = nearestName(basename(path), readdirSync(dirname(path)));
    return nearest === undefined ? undefined : `did you mean ${join(dirname(path), nearest)}?`;
  } catch {
    return undefined;
  }
}

function readJson(shown: string, text: string): ConfigLayer {
  const problem = findJsonSyntaxProblem(text);
  if (problem) throw syntaxError(shown, text, problem.offset, problem.message);
  // Valid JSON is valid YAML, and the yaml package knows where everything stands.
  return readYaml(shown, text);
}

function readYaml(shown: string, text: string): ConfigLayer {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const first = document.errors[0];
  if (first) throw syntaxError(shown, text, first.pos[0], first.message);
  return {
    label: shown,
    value: document.toJS(),
    where: (path, part) => {
      const { line, col } = lines.linePos(offsetInDocument(document, path, part));
      return `${shown}:${line}:${col}`;
    },
    textOnly: false,
  };
}

/** Offset of a key or its value; of the deepest part of the path that stands in the document itself. */
function offsetInDocument(document: Document, path: SettingPath, part: 'key' | 'value'): number {
  let node: unknown = document.contents;
  let keyOffset = 0;
  for (const key of path) {
    const pair = isMap(node)
      ? node.items.find((item) => String((item.key as Node).toJSON()) === String(key))
      : undefined;
    if (!pair) return keyOffset;
    keyOffset = (pair.key as Node).range?.[0] ?? keyOffset;
    node = pair.value;
  }
  const valueOffset = (node as Node | null)?.range?.[0];
  return part === 'key' ? keyOffset : (valueOffset ?? keyOffset);
}

async function readCode(path: string, shown: string, code: string): Promise<ConfigLayer> {
  const value = await importDefault(path, shown, code);
  return {
    label: shown,
    value,
    where: (settingPath, part) => {
      const offset = findKeyInCode(code, settingPath, part);
      if (offset === undefined) return shown;
      const { line, column } = lineAndColumn(code, offset);
      return `${shown}:${line}:${column}`;
    },
    textOnly: false,
  };
}

async function importDefault(path: string, shown: string, code: string): Promise<unknown> {
  const jiti = createJiti(import.meta.url, {
    // A configuration is read once; a cache could only be stale.
    fsCache: false,
    moduleCache: false,
    interopDefault: false,
    // What a configuration can need of this package, also where it is run through npx and
    // not installed; the rest of it would take longer to load than a short test.
    virtualModules: { 'crucible-memory': { defineConfig, PROFILES, ServiceType, TestScenario } },
  });
  let module: Record<string, unknown>;
  try {
    module = await jiti.import<Record<string, unknown>>(path);
  } catch (error) {
    throw codeError(path, shown, error);
  }
  const exported = await (module.default ?? module);
  if (isRecord(exported) && (module.default !== undefined || isCommonJs(code))) return exported;
  throw new ConfigError(
    [
      {
        where: shown,
        setting: '',
        message: `expected "export default { ... }", received ${describeExports(module)}`,
      },
    ],
    'export the configuration as the default export of the file',
  );
}

function isCommonJs(code: string): boolean {
  return /\bmodule\.exports\b/.test(code);
}

function describeExports(module: Record<string, unknown>): string {
  if (module.default !== undefined) return `a ${typeof module.default} as the default export`;
  const names = Object.keys(module);
  return names.length === 0 ? 'no exports' : `only the named exports ${names.join(', ')}`;
}

/** A configuration that does not parse or that throws, with the line of the file in which it does. */
function codeError(path: string, shown: string, error: unknown): ConfigError {
  const trace = error instanceof Error ? `${error.message}\n${error.stack ?? ''}` : '';
  const position = new RegExp(`${basename(path).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}:(\\d+):(\\d+)`).exec(
    trace,
  );
  // The parser counts columns from 0, stack traces from 1.
  const column = Number(position?.[2]) + (messageOf(error).startsWith('ParseError') ? 1 : 0);
  const where = position ? `${shown}:${position[1]}:${column}` : shown;
  const message =
    messageOf(error)
      .split('\n')[0]
      ?.replace(/^ParseError: /, '')
      .trim() ?? '';
  return new ConfigError(
    [{ where, setting: '', message: `the file cannot be run: ${message}` }],
    'correct the file; it is run like any module, and its default export is the configuration',
  );
}

function syntaxError(shown: string, text: string, offset: number, message: string): ConfigError {
  const { line, column } = lineAndColumn(text, offset);
  return new ConfigError(
    [{ where: `${shown}:${line}:${column}`, setting: '', message }],
    'correct the syntax of the file; nothing in it was used',
  );
}

/** As short as it is clear: relative inside the working folder, absolute outside. */
function shownPath(path: string, directory: string): string {
  const fromHere = relative(directory, path);
  return fromHere.startsWith('..') || isAbsolute(fromHere) ? path : fromHere;
}
