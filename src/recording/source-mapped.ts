import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { dirname, isAbsolute, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type AllocationFrame, type AllocationProfile, withFrames } from './allocation-profile.js';

/**
 * The same profile with the places of the sources that were written, where compiled scripts say which those
 * are (`//# sourceMappingURL=`) and their maps can be read here. Frames without a map stay as they are.
 */
export function sourceMapped(profile: AllocationProfile): AllocationProfile {
  const maps = new Map<string, ScriptMap | undefined>();
  return withFrames(profile, (frame) => {
    const path = pathOf(frame.url);
    if (path === undefined || frame.line === undefined) return frame;
    if (!maps.has(path)) maps.set(path, readScriptMap(path));
    const map = maps.get(path);
    return map === undefined ? frame : mapped(frame, map);
  });
}

interface ScriptMap {
  map: SourceMap;
  /** What the sources' names are relative to. */
  folder: string;
}

function mapped(frame: AllocationFrame, { map, folder }: ScriptMap): AllocationFrame {
  const entry = map.findEntry((frame.line ?? 1) - 1, (frame.column ?? 1) - 1);
  if (!('originalSource' in entry)) return frame;
  const { originalSource, originalLine, originalColumn } = entry;
  const source = pathOf(originalSource) ?? originalSource;
  return {
    functionName: frame.functionName,
    url: /^[a-z][a-z0-9+.-]+:/i.test(source) ? source : resolve(folder, source),
    line: originalLine + 1,
    column: originalColumn + 1,
  };
}

/** Undefined for scripts that are no files: V8's, Node's, and what was evaluated. */
function pathOf(url: string): string | undefined {
  if (isAbsolute(url)) return url;
  if (!url.startsWith('file:')) return undefined;
  try {
    return fileURLToPath(url);
  } catch {
    return undefined;
  }
}

function readScriptMap(path: string): ScriptMap | undefined {
  try {
    const url = /\/\/[#@] sourceMappingURL=(\S+)\s*$/.exec(lastLines(readFileSync(path, 'utf8')))?.[1];
    if (url === undefined) return undefined;
    const inline = /^data:application\/json[^,]*?(;base64)?,(.*)$/s.exec(url);
    const mapPath = inline ? path : fileURLToPath(new URL(url, pathToFileURL(path)));
    const text = inline
      ? Buffer.from(decodeURIComponent(inline[2] ?? ''), inline[1] ? 'base64' : 'utf8').toString()
      : readFileSync(mapPath, 'utf8');
    const payload = JSON.parse(text) as SourceMapPayload;
    return { map: new SourceMap(payload), folder: resolve(dirname(mapPath), payload.sourceRoot ?? '') };
  } catch {
    return undefined; // gone, or no map: the compiled place is still true
  }
}

/** The comment is the last thing in the file; an inline map may be long, but is one line. */
function lastLines(text: string): string {
  const end = text.trimEnd();
  return end.slice(end.lastIndexOf('\n') + 1);
}
