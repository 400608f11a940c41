import { isAbsolute, relative } from 'node:path';
import { createColors } from 'picocolors';
import { formatBytes, formatCount } from '../units.js';
import { type Column, table, wrap } from './layout.js';
import { plain, shortened, shortenedInside } from './plain-text.js';
import type { TextOptions } from './text.js';

export interface HeapTextOptions extends TextOptions {
  /** Places in files below it are shown relative to it. */
  directory?: string;
  /** Rows a list, at most. Default: 10. */
  top?: number;
}

/** What the texts about heaps have in common: how they are laid out, and how names are shown. */
export class HeapPage {
  readonly width: number;
  readonly top: number;
  readonly paint: ReturnType<typeof createColors>;
  readonly #directory: string | undefined;

  constructor({ colour = false, width = 100, directory, top = 10 }: HeapTextOptions) {
    this.paint = createColors(colour);
    this.width = width;
    this.top = top;
    this.#directory = directory;
  }

  /** Sections with an empty line between them; those without lines are left out. */
  render(sections: readonly (readonly string[])[]): string {
    return sections
      .filter((lines) => lines.length > 0)
      .map((lines) => lines.join('\n'))
      .join('\n\n');
  }

  /** The first line: a word that stands out, and the sentence behind it. */
  verdict(word: string, sentence: string, style: (text: string) => string): string[] {
    const lines = wrap(sentence, this.width, '  ', `${word}  `);
    return lines.map((line, index) => (index === 0 ? line.replace(word, () => style(word)) : line));
  }

  heading(title: string, remark = ''): string {
    return this.paint.bold(title) + (remark === '' ? '' : this.paint.dim(`  ${remark}`));
  }

  /** Sentences below a heading, each broken and indented. */
  block(sentence: string, indent: string): string[] {
    return wrap(sentence, this.width, indent);
  }

  /** A line that says what it is about in front. */
  labelled(label: string, sentence: string): string[] {
    const start = label.padEnd(LABEL_LENGTH);
    const [first = '', ...rest] = wrap(sentence, this.width, ' '.repeat(LABEL_LENGTH), start);
    return [this.paint.dim(start) + first.slice(start.length), ...rest];
  }

  /** A table with its titles dimmed, indented under a heading. */
  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string[] {
    const lines = table(rows, columns, this.width - 2).map((line) => `  ${line}`);
    return lines.map((line, index) => (index === 0 ? this.paint.dim(line) : line));
  }

  /** A name out of a heap, with a place for something else beside it. */
  name(text: string, lengthMax = NAME_LENGTH): string {
    return shortened(plain(text), lengthMax);
  }

  /** A path out of a heap, at most as long as a line with this much on it already. */
  path(text: string, takenLength = 4): string {
    return shortenedInside(plain(text), Math.max(20, this.width - takenLength));
  }

  /** `src/server.ts:12:3`. */
  place(location: string, takenLength = 4): string {
    return this.path(this.file(location), takenLength);
  }

  /** As it is shown to somebody who is in the directory. */
  file(path: string): string {
    if (this.#directory === undefined || !isAbsolute(path)) return path;
    const fromHere = relative(this.#directory, path);
    return fromHere.startsWith('..') || fromHere === '' ? path : fromHere;
  }

  /** What a salvaged file lacks: to be read before anything that was concluded from it. */
  missing(snapshots: readonly { path: string; missing: readonly string[] }[]): string[] {
    const lines = snapshots.flatMap(({ path, missing }) =>
      missing.flatMap((sentence) => this.block(`${plain(this.file(path))}: ${plain(sentence)}`, '  ')),
    );
    return lines.length === 0 ? [] : [this.paint.bold(this.paint.yellow('Missing')), ...lines];
  }
}

const NAME_LENGTH = 40;
const LABEL_LENGTH = 12;

/** @example sizeOf({ totalSelfBytes: 4096, nodeCount: 12 }) // "4.0 KiB in 12 objects" */
export function sizeOf({ totalSelfBytes, nodeCount }: { totalSelfBytes: number; nodeCount: number }): string {
  return `${formatBytes(totalSelfBytes)} in ${formatCount(nodeCount)} objects`;
}
