/**
 * Makes a snapshot of any size out of a real one, so that sizes can be measured
 * which no program reaches here: the process that writes a snapshot of 4 GB takes
 * some 15 GB itself.
 *
 * What more than SHARED_REFERENCES_MIN references lead to (maps, oddballs,
 * prototypes, scripts), the roots and the root exist once. Everything else exists
 * `copies` times, and each shared object refers to all copies of what it refers
 * to. So the ratio of edges to nodes, the shape of the graph and how its objects
 * lie in the file are those of a program which has `copies` times as much of
 * everything; ids are unique, and the strings of each copy are its own.
 *
 * Cost: a minute for 4 GB; memory for the source only.
 */
import { renameSync } from 'node:fs';
import { readSnapshotText, type SnapshotText, TextWriter } from './snapshot-text.js';

const SHARED_REFERENCES_MIN = 1000;
const COMMA = 0x2c;
const NEWLINE = 0x0a;

export function repeatHeap(source: string, target: string, copies: number): void {
  const unfinished = `${target}.unfinished`;
  const heap = new RepeatedHeap(readSnapshotText(source), copies);
  const out = new TextWriter(unfinished);
  heap.write(out);
  out.close();
  renameSync(unfinished, target);
}

class RepeatedHeap {
  readonly #source: SnapshotText;
  readonly #copies: number;
  readonly #nodeFieldCount: number;
  readonly #edgeFieldCount: number;
  readonly #type: number;
  readonly #name: number;
  readonly #id: number;
  readonly #edgeCount: number;
  readonly #edgeType: number;
  readonly #edgeName: number;
  readonly #toNode: number;
  readonly #internal: number;
  /** By node: where its edges start, in edges. */
  readonly #firstEdge: Uint32Array;
  readonly #isShared: Uint8Array;
  /** By node: how many before it are not shared. */
  readonly #rank: Uint32Array;
  readonly #copiedCount: number;
  /** By node type: 1 if its nodes are named by their text. */
  readonly #isText: Uint8Array;
  /** Strings that each copy has of its own: texts, and the names of WeakMap entries, which hold ids. */
  readonly #ownStrings: number[] = [];
  /** By string: its place among them, or -1. */
  readonly #ownString: Int32Array;
  /** By string: 1 if it is the name of a WeakMap entry. */
  readonly #isEntryName: Uint8Array;

  constructor(source: SnapshotText, copies: number) {
    const { meta } = source.header;
    this.#source = source;
    this.#copies = copies;
    this.#nodeFieldCount = meta.node_fields.length;
    this.#edgeFieldCount = meta.edge_fields.length;
    this.#type = meta.node_fields.indexOf('type');
    this.#name = meta.node_fields.indexOf('name');
    this.#id = meta.node_fields.indexOf('id');
    this.#edgeCount = meta.node_fields.indexOf('edge_count');
    this.#edgeType = meta.edge_fields.indexOf('type');
    this.#edgeName = meta.edge_fields.indexOf('name_or_index');
    this.#toNode = meta.edge_fields.indexOf('to_node');
    this.#internal = meta.edge_types[0].indexOf('internal');
    this.#isText = Uint8Array.from(meta.node_types[0], (name) => (name.endsWith('string') ? 1 : 0));
    this.#firstEdge = this.#findFirstEdges();
    this.#isShared = this.#findShared();
    this.#rank = new Uint32Array(this.#nodes);
    let rank = 0;
    for (let node = 0; node < this.#nodes; node++) {
      this.#rank[node] = rank;
      if (this.#isShared[node] === 0) rank++;
    }
    this.#copiedCount = rank;
    this.#isEntryName = Uint8Array.from(source.strings, (text) => (isEntryName(text) ? 1 : 0));
    this.#ownString = new Int32Array(source.strings.length).fill(-1);
    this.#findOwnStrings();
  }

  get #nodes(): number {
    return this.#source.header.node_count;
  }

  #findFirstEdges(): Uint32Array {
    const { nodes } = this.#source;
    const first = new Uint32Array(this.#nodes + 1);
    for (let node = 0; node < this.#nodes; node++)
      first[node + 1] = at(first, node) + at(nodes, node * this.#nodeFieldCount + this.#edgeCount);
    return first;
  }

  #target(edge: number): number {
    return at(this.#source.edges, edge * this.#edgeFieldCount + this.#toNode) / this.#nodeFieldCount;
  }

  #typeOf(node: number): number {
    return at(this.#source.nodes, node * this.#nodeFieldCount + this.#type);
  }

  #findShared(): Uint8Array {
    const references = new Uint32Array(this.#nodes);
    for (let edge = 0; edge < this.#source.header.edge_count; edge++) {
      const target = this.#target(edge);
      references[target] = at(references, target) + 1;
    }
    const isShared = new Uint8Array(this.#nodes);
    const root = this.#source.header.meta.node_types[0].indexOf('synthetic');
    for (let node = 0; node < this.#nodes; node++)
      if (at(references, node) >= SHARED_REFERENCES_MIN || this.#typeOf(node) === root) isShared[node] = 1;
    return isShared;
  }

  #findOwnStrings(): void {
    const { nodes } = this.#source;
    const add = (string: number) => {
      if (at(this.#ownString, string) >= 0) return;
      this.#ownString[string] = this.#ownStrings.length;
      this.#ownStrings.push(string);
    };
    for (let node = 0; node < this.#nodes; node++)
      if (this.#hasOwnText(node)) add(at(nodes, node * this.#nodeFieldCount + this.#name));
    for (let string = 0; string < this.#isEntryName.length; string++)
      if (this.#isEntryName[string] === 1) add(string);
  }

  /** The new ordinal of a node in a copy, the first of which is 0. */
  #ordinal(node: number, copy: number): number {
    if (copy === 0 || this.#isShared[node] === 1) return node;
    return this.#nodes + (copy - 1) * this.#copiedCount + at(this.#rank, node);
  }

  #newId(node: number, copy: number): number {
    const isJavaScripts = at(this.#source.nodes, node * this.#nodeFieldCount + this.#id) % 2;
    return 2 * this.#ordinal(node, copy) + isJavaScripts;
  }

  #string(string: number, copy: number): number {
    const own = at(this.#ownString, string);
    if (copy === 0) return string;
    return this.#source.strings.length + (copy - 1) * this.#ownStrings.length + own;
  }

  #hasOwnText(node: number): boolean {
    return this.#isShared[node] === 0 && this.#isText[this.#typeOf(node)] === 1;
  }

  write(out: TextWriter): void {
    const { header } = this.#source;
    const nodeCount = this.#nodes + (this.#copies - 1) * this.#copiedCount;
    const snapshot = {
      ...header,
      node_count: nodeCount,
      edge_count: this.#countEdges(),
      trace_function_count: 0,
    };
    out.text(`{"snapshot":${JSON.stringify(snapshot)},\n"nodes":[`);
    this.#eachNode((node, copy, isFirst) => this.#writeNode(out, node, copy, isFirst));
    out.text('],\n"edges":[');
    let isFirst = true;
    this.#eachNode((node, copy) => {
      for (const [edge, targetCopy] of this.#edgesOf(node, copy)) {
        this.#writeEdge(out, edge, targetCopy, isFirst);
        isFirst = false;
      }
    });
    out.text('],\n"trace_function_infos":[],\n"trace_tree":[],\n"samples":[],\n"locations":[');
    this.#writeLocations(out);
    out.text('],\n"strings":[');
    this.#writeStrings(out);
    out.text(']}');
  }

  #eachNode(visit: (node: number, copy: number, isFirst: boolean) => void): void {
    for (let copy = 0; copy < this.#copies; copy++)
      for (let node = 0; node < this.#nodes; node++)
        if (copy === 0 || this.#isShared[node] === 0) visit(node, copy, copy + node === 0);
  }

  /** Edges of the source with the copy that they lead into. */
  *#edgesOf(node: number, copy: number): Generator<[edge: number, targetCopy: number]> {
    const end = at(this.#firstEdge, node + 1);
    const lastCopy = this.#isShared[node] === 1 ? this.#copies - 1 : copy;
    for (let into = copy; into <= lastCopy; into++)
      for (let edge = at(this.#firstEdge, node); edge < end; edge++)
        if (into === copy || this.#isShared[this.#target(edge)] === 0) yield [edge, into];
  }

  #edgesOfCount(node: number): number {
    const end = at(this.#firstEdge, node + 1);
    const count = end - at(this.#firstEdge, node);
    if (this.#isShared[node] === 0) return count;
    let copied = 0;
    for (let edge = at(this.#firstEdge, node); edge < end; edge++)
      if (this.#isShared[this.#target(edge)] === 0) copied++;
    return count + (this.#copies - 1) * copied;
  }

  #countEdges(): number {
    let count = 0;
    for (let node = 0; node < this.#nodes; node++)
      count += this.#edgesOfCount(node) * (this.#isShared[node] === 1 ? 1 : this.#copies);
    return count;
  }

  #writeNode(out: TextWriter, node: number, copy: number, isFirst: boolean): void {
    for (let field = 0; field < this.#nodeFieldCount; field++) {
      if (field > 0 || !isFirst) out.byte(COMMA);
      const value = at(this.#source.nodes, node * this.#nodeFieldCount + field);
      if (field === this.#name && this.#hasOwnText(node)) out.number(this.#string(value, copy));
      else if (field === this.#id) out.number(this.#newId(node, copy));
      else if (field === this.#edgeCount) out.number(this.#edgesOfCount(node));
      else out.number(value);
    }
    out.byte(NEWLINE);
  }

  #writeEdge(out: TextWriter, edge: number, targetCopy: number, isFirst: boolean): void {
    const { edges } = this.#source;
    const type = at(edges, edge * this.#edgeFieldCount + this.#edgeType);
    for (let field = 0; field < this.#edgeFieldCount; field++) {
      if (field > 0 || !isFirst) out.byte(COMMA);
      const value = at(edges, edge * this.#edgeFieldCount + field);
      if (field === this.#toNode)
        out.number(this.#ordinal(value / this.#nodeFieldCount, targetCopy) * this.#nodeFieldCount);
      else if (field === this.#edgeName && type === this.#internal && this.#isEntryName[value] === 1)
        out.number(this.#string(value, targetCopy));
      else out.number(value);
    }
    out.byte(NEWLINE);
  }

  #writeLocations(out: TextWriter): void {
    const { header, locations } = this.#source;
    const fieldCount = header.meta.location_fields.length;
    const objectIndex = header.meta.location_fields.indexOf('object_index');
    for (let copy = 0; copy < this.#copies; copy++)
      for (let row = 0; row < locations.length; row += fieldCount) {
        const node = at(locations, row + objectIndex) / this.#nodeFieldCount;
        if (copy > 0 && this.#isShared[node] === 1) continue;
        for (let field = 0; field < fieldCount; field++) {
          if (copy + row + field > 0) out.byte(COMMA);
          out.number(
            field === objectIndex
              ? this.#ordinal(node, copy) * this.#nodeFieldCount
              : at(locations, row + field),
          );
        }
        out.byte(NEWLINE);
      }
  }

  #writeStrings(out: TextWriter): void {
    const { strings } = this.#source;
    const nodeOfId = new Map<number, number>();
    for (let node = 0; node < this.#nodes; node++)
      nodeOfId.set(at(this.#source.nodes, node * this.#nodeFieldCount + this.#id), node);
    const renumber = (text: string, copy: number) =>
      text.replace(/@(\d+)/g, (all, id) => {
        const node = nodeOfId.get(Number(id));
        return node === undefined ? all : `@${this.#newId(node, copy)}`;
      });
    strings.forEach((text, string) => {
      if (string > 0) out.text(',\n');
      out.text(JSON.stringify(isEntryName(text) ? renumber(text, 0) : text));
    });
    for (let copy = 1; copy < this.#copies; copy++)
      for (const string of this.#ownStrings) {
        const text = strings[string] ?? '';
        out.text(`,\n${JSON.stringify(isEntryName(text) ? renumber(text, copy) : `${text} ${copy}`)}`);
      }
  }
}

function isEntryName(text: string): boolean {
  return /pair in WeakMap \(table @\d+\)$/.test(text);
}

function at(numbers: ArrayLike<number>, index: number): number {
  const number = numbers[index];
  if (number === undefined) throw new RangeError(`there is no element ${index} among ${numbers.length}`);
  return number;
}
