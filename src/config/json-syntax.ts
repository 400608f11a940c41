/**
 * Where a JSON text stops being JSON. `JSON.parse` says so only sometimes and
 * differently on every Node version; a person needs line and column always.
 */

export interface SyntaxProblem {
  /** Index of the character in the text; its length when the text ends too early. */
  offset: number;
  message: string;
}

const WHITESPACE = /[ \t\n\r]*/y;
const LITERAL = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these inside a string
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;

/** The first place where `text` is not JSON; undefined when all of it is. */
export function findJsonSyntaxProblem(text: string): SyntaxProblem | undefined {
  let offset = 0;

  function take(pattern: RegExp): boolean {
    pattern.lastIndex = offset;
    if (!pattern.test(text)) return false;
    offset = pattern.lastIndex;
    return true;
  }
  function takeCharacter(character: string): boolean {
    take(WHITESPACE);
    if (text[offset] !== character) return false;
    offset++;
    return true;
  }
  function problem(expected: string): SyntaxProblem {
    take(WHITESPACE);
    const found = text[offset];
    return {
      offset,
      message: `expected ${expected}, found ${found === undefined ? 'the end of the file' : `"${found}"`}`,
    };
  }
  function value(): SyntaxProblem | undefined {
    if (takeCharacter('{')) return members('}', property);
    if (takeCharacter('[')) return members(']', value);
    if (take(STRING) || take(LITERAL)) return undefined;
    return problem(text[offset] === '"' ? 'a string that ends on its line' : 'a value');
  }
  function property(): SyntaxProblem | undefined {
    take(WHITESPACE);
    if (!take(STRING)) return problem('a name in double quotes');
    return takeCharacter(':') ? value() : problem('":"');
  }
  function members(end: '}' | ']', member: () => SyntaxProblem | undefined): SyntaxProblem | undefined {
    if (takeCharacter(end)) return undefined;
    do {
      const found = member();
      if (found) return found;
    } while (takeCharacter(','));
    return takeCharacter(end) ? undefined : problem(`"," or "${end}"`);
  }

  const found = value();
  if (found) return found;
  take(WHITESPACE);
  return offset === text.length ? undefined : problem('the end of the file');
}
