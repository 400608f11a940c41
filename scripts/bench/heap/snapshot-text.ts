/**
 * The text of a heap snapshot as arrays of numbers and back: just enough of the
 * format to make a large snapshot from a smaller one. Trusts its input, which was
 * written by Node.js a moment ago, and holds all of it.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

export interface SnapshotText {
  header: { meta: Meta; node_count: number; edge_count: number; [more: string]: unknown };
  /** Rows of meta.node_fields. */
  nodes: Uint32Array;
  /** Rows of meta.edge_fields. */
  edges: Uint32Array;
  /** Rows of meta.location_fields. */
  locations: Uint32Array;
  strings: string[];
}

interface Meta {
  node_fields: string[];
  node_types: [string[], ...unknown[]];
  edge_fields: string[];
  edge_types: [string[], ...unknown[]];
  location_fields: string[];
}

const ZERO = 0x30;
const COMMA = 0x2c;
const CLOSING = 0x5d;

export function readSnapshotText(path: string): SnapshotText {
  const bytes = readFileSync(path);
  const startOf = (section: string) => bytes.indexOf(`"${section}":[`) + section.length + 4;
  const nodesAt = startOf('nodes');
  const headerText = bytes.subarray(0, bytes.lastIndexOf(COMMA, nodesAt - '"nodes":['.length)).toString();
  const header = (JSON.parse(`${headerText}}`) as { snapshot: SnapshotText['header'] }).snapshot;
  const { node_fields, edge_fields } = header.meta;
  return {
    header,
    nodes: readNumbers(bytes, nodesAt, header.node_count * node_fields.length),
    edges: readNumbers(bytes, startOf('edges'), header.edge_count * edge_fields.length),
    locations: readNumbers(bytes, startOf('locations'), bytes.length >> 4),
    strings: JSON.parse(bytes.subarray(startOf('strings') - 1, bytes.lastIndexOf(CLOSING) + 1).toString()),
  };
}

/** Unsigned numbers from `at` to the closing bracket, at most `countMax`. */
function readNumbers(bytes: Buffer, at: number, countMax: number): Uint32Array {
  const numbers = new Uint32Array(countMax);
  let count = 0;
  let number = -1;
  for (let i = at; ; i++) {
    const digit = (bytes[i] ?? CLOSING) - ZERO;
    if (digit >= 0 && digit <= 9) number = (number < 0 ? 0 : number * 10) + digit;
    else {
      if (number >= 0) numbers[count++] = number;
      number = -1;
      if (digit + ZERO === CLOSING) return numbers.slice(0, count);
    }
  }
}

/** Writes a file through a buffer of its own. */
export class TextWriter {
  readonly #file: number;
  readonly #buffer = Buffer.allocUnsafe(1 << 22);
  #length = 0;

  constructor(path: string) {
    this.#file = openSync(path, 'w', 0o600);
  }

  text(text: string): void {
    const bytes = Buffer.from(text);
    this.#reserve(bytes.length);
    if (bytes.length > this.#buffer.length) writeSync(this.#file, bytes);
    else this.#length += bytes.copy(this.#buffer, this.#length);
  }

  number(value: number): void {
    this.#reserve(16);
    let digits = 1;
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++;
    let rest = value;
    for (let at = this.#length + digits - 1; at >= this.#length; at--) {
      const tens = Math.floor(rest / 10);
      this.#buffer[at] = ZERO + rest - 10 * tens;
      rest = tens;
    }
    this.#length += digits;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  close(): void {
    this.#flush();
    closeSync(this.#file);
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes > this.#buffer.length) this.#flush();
  }

  #flush(): void {
    writeSync(this.#file, this.#buffer, 0, this.#length);
    this.#length = 0;
  }
}
