import { hash } from 'node:crypto';
import vm from 'node:vm';

/**
 * A script as the cache keeps it: its text and the machine-independent code V8
 * made of it. Both are plain bytes, so what the cache holds is what its books
 * say; the V8 script object itself is made anew for each execution, from the
 * cached code, and nothing of it stays behind.
 */
export interface CompiledScript {
  readonly key: string;
  readonly program: string;
  readonly codeCache: Buffer;
  readonly bytes: number;
}

/** Scripts with equal text share a key. */
export function keyOf(source: string): string {
  return hash('sha1', source, 'base64');
}

/** Throws the SyntaxError of V8 when the source is not JavaScript. */
export function compile(key: string, source: string): CompiledScript {
  const program = programOf(source);
  const codeCache = instantiate(program).createCachedData();
  return { key, program, codeCache, bytes: textBytes(program) + codeCache.byteLength };
}

/** @param codeCache from an earlier compilation of the same program; V8 may reject it and compile again */
export function instantiate(program: string, codeCache?: Buffer): vm.Script {
  return new vm.Script(program, {
    filename: 'script.js',
    lineOffset: -1,
    ...(codeCache && { cachedData: codeCache }),
  });
}

/**
 * A script is the body of an async function of `input` and `lookup`. Its input
 * and its result cross the border of the context as text: an object of the
 * context that is held outside would keep the whole context alive.
 *
 * The outcome goes to `succeed` and `fail` from within: a time-out that strikes
 * just when the script has ended takes its promise away, and the rejection of a
 * promise that nobody has ends the process.
 */
export function programOf(source: string): string {
  return `(async (input, lookup) => {'use strict';
${source}
})(JSON.parse(inputText), lookup).then((result) => JSON.stringify(result) ?? 'null').then(succeed, fail);`;
}

/** V8 keeps text that is Latin-1 in one byte a character, and any other in two. */
export function textBytes(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the whole of Latin-1 is meant
  return /^[\u0000-\u00ff]*$/.test(text) ? text.length : 2 * text.length;
}
