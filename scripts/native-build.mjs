/**
 * Builds C++ without Node, for tests, sanitizers and fuzzing. A source is
 * compiled again only when it, or a header that it includes, changed.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @param {string | undefined} sanitizers as for -fsanitize; every finding ends the program */
export function sanitizerFlags(sanitizers) {
  return sanitizers
    ? [`-fsanitize=${sanitizers}`, '-fno-sanitize-recover=all', '-fno-omit-frame-pointer']
    : [];
}

/** C++ sources below a folder of the repository, for this system, as paths from its root. */
export function sourcesUnder(folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((path) => path.endsWith('.cc') && isForThisSystem(path))
    .sort();
}

/**
 * @param {{ folder: string, compiler?: string, flags: string[] }} options `folder` is where objects go
 * @returns link(program, sources, flags): builds what is stale and gives the program's path
 */
export function nativeBuild({ folder, compiler = process.env.CXX ?? 'g++', flags }) {
  mkdirSync(folder, { recursive: true });
  const compile = async (source) => {
    const object = join(folder, `${source.replaceAll(/[/\\]/g, '-')}.o`);
    if (!isFresh(object)) await call([...flags, '-MMD', '-c', join(root, source), '-o', object]);
    return object;
  };
  const call = async (words) => {
    const { stderr } = await run(compiler, words, { maxBuffer: 64 * 1024 * 1024 });
    if (stderr) process.stderr.write(stderr);
  };
  return async function link(program, sources, linkFlags = []) {
    const objects = await inParallel(sources, compile);
    const target = join(folder, program);
    const newest = Math.max(...objects.map((path) => statSync(path).mtimeMs));
    if (!existsSync(target) || statSync(target).mtimeMs < newest)
      await call([...flags, ...linkFlags, ...objects, '-ldl', '-o', target]);
    return target;
  };
}

/** True if nothing that the compiler listed for this object is newer than it. */
function isFresh(object) {
  const list = object.replace(/\.o$/, '.d');
  if (!existsSync(object) || !existsSync(list)) return false;
  const builtAt = statSync(object).mtimeMs;
  const files = readFileSync(list, 'utf8').replaceAll('\\\n', ' ').split(/\s+/).slice(1).filter(Boolean);
  return files.every((path) => existsSync(path) && statSync(path).mtimeMs <= builtAt);
}

function isForThisSystem(path) {
  const own =
    { linux: ['linux', 'posix'], darwin: ['mac', 'posix'], win32: ['windows'] }[process.platform] ?? [];
  const system = /_(linux|mac|windows|posix)\.cc$/.exec(path)?.[1];
  return system === undefined || own.includes(system);
}

async function inParallel(items, work) {
  const results = new Array(items.length);
  let next = 0;
  const hand = async () => {
    for (let at = next++; at < items.length; at = next++) results[at] = await work(items[at]);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, hand));
  return results;
}
