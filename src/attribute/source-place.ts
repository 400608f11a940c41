import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Suspect } from '../diagnosis/index.js';

export type Place = NonNullable<Suspect['holder']>;
export type Owner = NonNullable<Suspect['package']>;

/** `script:line:column` as the snapshot engine writes places; null for what is none. */
export function placeOf(location: string | null | undefined, wasMapped = false): Place | null {
  const [, script, line, column] = location?.match(/^(.+):(\d+):(\d+)$/s) ?? [];
  if (script === undefined) return null;
  const path = pathOf(script) ?? script;
  const place: Place = { script: path, line: Number(line), column: Number(column) };
  return !wasMapped && saysItIsGenerated(path) ? { ...place, isGenerated: true } : place;
}

/** Node's own sources explain nothing: they are the same in every program. */
export function isNodesOwn(script: string): boolean {
  return script.startsWith('node:');
}

/** What drives, counts and watches a program from inside its process. The services are programs like any other. */
const MEASURING = ['runner', 'scenarios', 'capture', 'recording', 'refcount'].map((folder) =>
  join(dirname(dirname(fileURLToPath(import.meta.url))), folder, sep),
);
const PACKAGE_ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const MEASURING_SOURCES = MEASURING.map((folder) =>
  folder.replace(join(PACKAGE_ROOT, 'dist', sep), join(PACKAGE_ROOT, sep)),
);
/** Counts the latencies. Anywhere else it may be the program's. */
const HISTOGRAM = join(PACKAGE_ROOT, 'node_modules', 'hdr-histogram-js', sep);

/** Neither Node's nor ours: a script of what is looked at. */
export function isProgramsOwn(script: string): boolean {
  if (script === '' || isNodesOwn(script)) return false;
  const path = pathOf(script) ?? script;
  return ![...MEASURING, ...MEASURING_SOURCES, HISTOGRAM].some((folder) => path.startsWith(folder));
}

/** The file of a script; undefined for what is none. */
export function pathOf(script: string): string | undefined {
  if (!script.startsWith('file:')) return undefined;
  try {
    return fileURLToPath(script);
  } catch {
    return undefined;
  }
}

/**
 * The installed package that a script belongs to: the nearest package.json above it with a name, if it lies in
 * a folder node_modules. Null for the program itself.
 */
export function packageOf(script: string | undefined): Owner | null {
  const inside = script?.includes(`${sep}node_modules${sep}`);
  if (script === undefined || !inside) return null;
  for (let folder = dirname(script); folder.includes(`${sep}node_modules${sep}`); folder = dirname(folder)) {
    const manifest = manifestOf(folder);
    if (manifest) return manifest;
  }
  const name = script
    .split(`${sep}node_modules${sep}`)
    .at(-1)
    ?.match(/^(@[^/\\]+[/\\][^/\\]+|[^/\\]+)/)?.[1];
  return name === undefined ? null : { name, version: null };
}

const manifests = new Map<string, Owner | null>();

/** Folders of a package may have a package.json of their own that says only `type`. */
function manifestOf(folder: string): Owner | null {
  const known = manifests.get(folder);
  if (known !== undefined) return known;
  const found = readManifest(join(folder, 'package.json'));
  manifests.set(folder, found);
  return found;
}

function readManifest(path: string): Owner | null {
  try {
    const { name, version } = JSON.parse(readFileSync(path, 'utf8')) as { name?: unknown; version?: unknown };
    if (typeof name !== 'string') return null;
    return { name, version: typeof version === 'string' ? version : null };
  } catch {
    return null;
  }
}

/**
 * Where a file declares a variable or a private field, by its text: V8 says of a scope only where some function in it
 * begins, and of an object where its class does. Null unless there is one such declaration, in a file that is there.
 */
export function declarationOf(script: string, name: string): Place | null {
  if (!/^#?[\w$]+$/.test(name)) return null;
  const escaped = name.replaceAll('$', '\\$');
  const declares = name.startsWith('#')
    ? new RegExp(`^\\s*(?:static\\s+|readonly\\s+)*${escaped}\\s*(?:[=:;?!]|$)`)
    : new RegExp(`\\b(?:const|let|var)\\s+${escaped}(?![\\w$])`);
  const [found, ...others] = linesOf(script).flatMap((text, index) => {
    const at = text.search(declares);
    return at < 0 ? [] : [{ script, line: index + 1, column: text.indexOf(name, at) + 1 }];
  });
  return found !== undefined && others.length === 0 ? found : null;
}

function linesOf(script: string): string[] {
  try {
    return readFileSync(script, 'utf8').split('\n');
  } catch {
    // Not a file that can be read: nothing is known.
    return [];
  }
}

const generated = new Map<string, boolean>();
const SOURCE_MAP_COMMENT = /^\/[/*][#@] sourceMappingURL=/m;

/** A script that names a source map which led nowhere: its positions are those of generated code. */
function saysItIsGenerated(path: string): boolean {
  const known = generated.get(path);
  if (known !== undefined) return known;
  let answer = false;
  try {
    answer = existsSync(path) && SOURCE_MAP_COMMENT.test(readFileSync(path, 'utf8').slice(-4096));
  } catch {
    // Not a file that can be read: nothing is known.
  }
  generated.set(path, answer);
  return answer;
}
