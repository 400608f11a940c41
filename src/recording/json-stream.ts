/**
 * The elements of one array within a large JSON document, parsed one by one as
 * the text arrives. Only the array is understood: its elements have to be
 * objects, and its name must not occur as a key before it.
 *
 * Cost: linear; holds the text of one element.
 *
 * @param name of the key whose value is the array
 */
export async function* arrayElements(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<unknown> {
  const decoder = new TextDecoder();
  const scanner = new ElementScanner(`"${name}":`);
  for await (const chunk of chunks) {
    for (const text of scanner.take(decoder.decode(chunk, { stream: true }))) yield JSON.parse(text);
  }
  scanner.finish();
}

class ElementScanner {
  readonly #key: string;
  /** What was not given out yet. */
  #text = '';
  #at = 0;
  #isInArray = false;
  #isDone = false;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  #start = -1;

  constructor(key: string) {
    this.#key = key;
  }

  take(more: string): string[] {
    if (this.#isDone) return [];
    this.#text += more;
    if (!this.#isInArray && !this.#enterArray()) return [];
    const elements: string[] = [];
    for (; this.#at < this.#text.length && !this.#isDone; this.#at++) this.#step(elements);
    const keptFrom = this.#start >= 0 ? this.#start : this.#at;
    this.#text = this.#text.slice(keptFrom);
    this.#at -= keptFrom;
    if (this.#start >= 0) this.#start = 0;
    return elements;
  }

  /** @throws Error when the document ends within the array */
  finish(): void {
    if (this.#isInArray && !this.#isDone) throw new Error('the answer ends in the middle');
  }

  #enterArray(): boolean {
    const found = this.#text.indexOf(this.#key);
    const bracket = found < 0 ? -1 : this.#text.indexOf('[', found);
    if (bracket < 0) return false;
    this.#isInArray = true;
    this.#at = bracket + 1;
    return true;
  }

  #step(elements: string[]): void {
    const character = this.#text[this.#at];
    if (this.#isInString) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (character === '\\') this.#isEscaped = true;
      else if (character === '"') this.#isInString = false;
    } else if (character === '"') this.#isInString = true;
    else if (character === '{' || character === '[') {
      if (this.#depth++ === 0) this.#start = this.#at;
    } else if (character === '}' || (character === ']' && this.#depth > 0)) {
      if (--this.#depth > 0) return;
      elements.push(this.#text.slice(this.#start, this.#at + 1));
      this.#start = -1;
    } else if (character === ']') this.#isDone = true;
  }
}
