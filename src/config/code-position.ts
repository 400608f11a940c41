import type { SettingPath } from './layer.js';

/**
 * Finds where a setting stands in the source text of a TypeScript or
 * JavaScript configuration. The program was run to get its values, so there is
 * no tree to ask: keys are looked for in the text, level by level, with
 * comments and the contents of strings blanked out.
 *
 * Given up: keys that are computed, spread in or written in another file. The
 * deepest key that can be found then stands for them.
 */
export function findKeyInCode(code: string, path: SettingPath, part: 'key' | 'value'): number | undefined {
  const text = blankOutCommentsAndStrings(code);
  let from = 0;
  let to = text.length;
  let found: { key: number; value: number } | undefined;
  for (const key of path) {
    const next = findKey(text, code, String(key), from, to);
    if (!next) return found?.key;
    found = next;
    from = next.value;
    to = endOfValue(text, next.value);
  }
  return found?.[part];
}

/** The first `key:` between two offsets at the outermost level that has one. */
function findKey(text: string, code: string, key: string, from: number, to: number) {
  const name = key.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  // Quotes stay in `text`, what is between them does not: the name is compared in `code`.
  const pattern = new RegExp(`(?:(?<![\\w$.])${name}|(['"])${' '.repeat(key.length)}\\1)\\s*:\\s*`, 'g');
  pattern.lastIndex = from;
  let best: { key: number; value: number; depth: number } | undefined;
  for (let match = pattern.exec(text); match && match.index < to; match = pattern.exec(text)) {
    const nameAt = match.index + (match[1] ? 1 : 0);
    if (code.slice(nameAt, nameAt + key.length) !== key) continue;
    const depth = depthBetween(text, from, match.index);
    if (!best || depth < best.depth) best = { key: match.index, value: match.index + match[0].length, depth };
  }
  return best;
}

function depthBetween(text: string, from: number, to: number): number {
  let depth = 0;
  for (const character of text.slice(from, to)) {
    if ('{[('.includes(character)) depth++;
    else if ('}])'.includes(character)) depth--;
  }
  return depth;
}

/** Where the value that begins at `start` ends: at the comma or bracket that closes it. */
function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let offset = start; offset < text.length; offset++) {
    const character = text[offset] ?? '';
    if ('{[('.includes(character)) depth++;
    else if ('}])'.includes(character) && --depth < 0) return offset;
    else if (character === ',' && depth === 0) return offset;
  }
  return text.length;
}

/** The same length and lines, with spaces where comments and the insides of strings were. */
function blankOutCommentsAndStrings(code: string): string {
  const spaces = (text: string) => text.replace(/[^\n]/g, ' ');
  return code.replace(
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|(['"`])((?:\\[\s\S]|(?!\1)[^\\])*)\1/g,
    (token, quote: string | undefined, inside: string | undefined) =>
      quote === undefined ? spaces(token) : `${quote}${spaces(inside ?? '')}${quote}`,
  );
}

/** Line and column, both from 1, as editors count them. */
export function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}
