import { readFile, stat } from 'node:fs/promises';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { dirname, isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MIB } from '../units.js';
import type { PlaceAnswer } from './answers.js';

/** A place in a source file, as `script:line:column`, counted from one. */
export interface Located {
  /** In the source that a person wrote, where a source map leads there; null where V8 does not say. */
  location: string | null;
  /** In the script that ran, if that is another place. */
  generatedLocation?: string;
}

/**
 * Says where in the source a place of a script is: through the script's source
 * map when that lies on this machine, else the script's own line and column.
 *
 * A snapshot names scripts only; the files are looked for where it says. They
 * may have changed since, or belong to another machine: whatever is missing or
 * broken, the script's own place stays, and nothing fails. Only plain files are
 * read, none from a network, and none beyond the sizes below.
 * Cost: a script and its map are read and parsed once.
 */
export class SourceLocations {
  readonly #maps = new Map<string, Promise<ScriptMap | null>>();

  async locate(place: PlaceAnswer | null | undefined): Promise<Located> {
    if (!place) return { location: null };
    const path = pathOf(place.script);
    const generated = text(path ?? place.script, place.line, place.column);
    const map = path === undefined ? null : await this.#mapOf(path);
    const original = map?.originalOf(place);
    return original === undefined
      ? { location: generated }
      : { location: original, generatedLocation: generated };
  }

  #mapOf(path: string): Promise<ScriptMap | null> {
    const known = this.#maps.get(path);
    if (known) return known;
    // A snapshot may name any number of scripts, and may come from anybody.
    if (this.#maps.size >= SCRIPTS_MAX) return Promise.resolve(null);
    const map = readScriptMap(path).catch(() => null);
    this.#maps.set(path, map);
    return map;
  }
}

const SCRIPTS_MAX = 1000;
const SCRIPT_BYTES_MAX = 64 * MIB;
const MAP_BYTES_MAX = 64 * MIB;

function text(script: string, line: number, column: number): string {
  return `${script}:${line}:${column}`;
}

/** The file of a script, if it is one: `file:` URLs and absolute paths. Not of another machine. */
function pathOf(script: string): string | undefined {
  try {
    if (/^file:/i.test(script)) {
      const url = new URL(script);
      url.search = '';
      url.hash = '';
      return url.host === '' ? fileURLToPath(url) : undefined;
    }
  } catch {
    return undefined;
  }
  const isNetworkPath = /^[/\\]{2}/.test(script);
  return isAbsolute(script) && !isNetworkPath && !script.includes('\0') ? script : undefined;
}

class ScriptMap {
  readonly #map: SourceMap;

  constructor(payload: SourceMapPayload) {
    this.#map = new SourceMap(payload);
  }

  originalOf({ line, column }: PlaceAnswer): string | undefined {
    const entry = this.#map.findEntry(line - 1, column - 1);
    // The nearest entry before the place may belong to another line, and then says nothing about this one.
    if (!('originalSource' in entry) || entry.generatedLine !== line - 1) return undefined;
    const { originalSource, originalLine, originalColumn } = entry;
    if (typeof originalSource !== 'string' || originalSource === '') return undefined;
    return text(originalSource, originalLine + 1, originalColumn + 1);
  }
}

async function readScriptMap(path: string): Promise<ScriptMap | null> {
  const script = await readPlainFile(path, SCRIPT_BYTES_MAX);
  const reference = script && mapReference(script);
  if (!reference) return null;
  if (/^data:/i.test(reference)) return scriptMap(decodeDataUrl(reference), dirname(path));
  const mapPath = resolveReference(reference, dirname(path));
  const map = mapPath === undefined ? null : await readPlainFile(mapPath, MAP_BYTES_MAX);
  return map && mapPath !== undefined ? scriptMap(map.toString('utf8'), dirname(mapPath)) : null;
}

/** Null for what is no plain file, is empty, or is too large: devices, pipes and /proc among them. */
async function readPlainFile(path: string, bytesMax: number): Promise<Buffer | null> {
  const facts = await stat(path);
  return facts.isFile() && facts.size > 0 && facts.size <= bytesMax ? readFile(path) : null;
}

/** Of the last `sourceMappingURL` comment, with nothing but comments and space behind it. */
function mapReference(script: Buffer): string | undefined {
  const at = script.lastIndexOf('sourceMappingURL=');
  if (at < 3) return undefined;
  const comment = script.subarray(at - 4, script.length).toString('utf8');
  const [, reference, rest = ''] = comment.match(/[/*][#@]\s+sourceMappingURL=(\S+)([\s\S]*)$/) ?? [];
  const isLast = rest.split('\n').every((line) => /^\s*($|\*\/|\/\/)/.test(line));
  return isLast ? reference : undefined;
}

/** A file beside the script, or anywhere on this machine. */
function resolveReference(reference: string, folder: string): string | undefined {
  if (/^[a-z][a-z\d+.-]+:/i.test(reference)) return pathOf(reference);
  const path = resolve(folder, decoded(reference.replace(/[?#].*$/, '')));
  return pathOf(path);
}

/** References are URLs, in which a space is `%20`; what is no URL is taken as it stands. */
function decoded(reference: string): string {
  try {
    return decodeURIComponent(reference);
  } catch {
    return reference;
  }
}

function decodeDataUrl(url: string): string {
  const comma = url.indexOf(',');
  const body = url.slice(comma + 1);
  return /;base64$/i.test(url.slice(0, comma))
    ? Buffer.from(body, 'base64').toString('utf8')
    : decodeURIComponent(body);
}

/** @throws when it is no source map */
function scriptMap(json: string, folder: string): ScriptMap {
  // Servers put this in front of JSON so that no page can load it as a script.
  const payload = JSON.parse(json.replace(/^\)\]\}'[^\n]*\n/, '')) as Partial<IndexMap>;
  if (!Array.isArray(payload.sections)) return new ScriptMap(withPaths(payload, folder));
  const sections = payload.sections.map((section) => ({ ...section, map: withPaths(section.map, folder) }));
  // Node.js reads maps in sections, but its types do not know them.
  return new ScriptMap({ ...payload, sections } as unknown as SourceMapPayload);
}

interface IndexMap extends SourceMapPayload {
  sections: { offset: { line: number; column: number }; map: Partial<SourceMapPayload> }[];
}

/** Sources as paths, because Node.js leaves `sourceRoot` out and resolves nothing. */
function withPaths(map: Partial<SourceMapPayload>, folder: string): SourceMapPayload {
  const isMap = Array.isArray(map.sources) && typeof map.mappings === 'string';
  // Node.js takes any character for a digit of a mapping.
  if (!isMap || !/^[A-Za-z\d+/,;]*$/.test(map.mappings ?? '')) throw new TypeError('no source map');
  const root = typeof map.sourceRoot === 'string' ? map.sourceRoot : '';
  const sources = (map.sources ?? []).map((source) =>
    typeof source === 'string' ? sourcePath(source, root, folder) : '',
  );
  return { ...(map as SourceMapPayload), sources, sourceRoot: '' };
}

/** A path where it is one; schemes of bundlers (`webpack://app/src/a.ts`) stay as they are. */
function sourcePath(source: string, root: string, folder: string): string {
  const joined = root === '' || isRooted(source) ? source : `${root.replace(/\/$/, '')}/${source}`;
  if (/^file:/i.test(joined)) return pathOf(joined) ?? joined;
  return isRooted(joined) ? joined : resolve(folder, decoded(joined));
}

function isRooted(source: string): boolean {
  return isAbsolute(source) || /^[a-z][a-z\d+.-]+:/i.test(source);
}
