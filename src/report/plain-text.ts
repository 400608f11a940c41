/**
 * Text that comes from a heap or a file, made harmless for a screen.
 *
 * Names of objects are whatever the program put there, an attacker's input
 * included: they may hold escape codes that rewrite the terminal, and marks
 * that turn the direction of the text. Each such character is shown as its code.
 */

/** C0 and C1 controls, and characters that take no room or turn the text around. */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;

/** @example plain('a\u001b[2J') // "a\\u001b[2J" */
export function plain(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/** Several lines stay several lines. */
export function plainLines(text: string): string {
  return text.split('\n').map(plain).join('\n');
}

/** JSON that is as safe to print, and means the same. */
export function plainJson(json: string): string {
  return json.replace(UNSAFE, (found) => (found === '\n' ? found : utf16(found)));
}

function escaped(found: string): string {
  return found === '\n' ? '\\n' : found === '\t' ? '\\t' : utf16(found);
}

function utf16(found: string): string {
  return Array.from({ length: found.length }, (_, at) => {
    return `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`;
  }).join('');
}

/** At most so many characters, the end left out. Never cuts a character in two. */
export function shortened(text: string, lengthMax: number): string {
  const characters = [...text];
  return characters.length <= lengthMax ? text : `${characters.slice(0, lengthMax - 1).join('')}…`;
}

/** The same with the middle left out: of a path both ends tell something. */
export function shortenedInside(text: string, lengthMax: number): string {
  const characters = [...text];
  if (characters.length <= lengthMax) return text;
  const head = Math.floor((lengthMax - 1) / 3);
  const tail = lengthMax - 1 - head;
  return `${characters.slice(0, head).join('')}…${characters.slice(characters.length - tail).join('')}`;
}
