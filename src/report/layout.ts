/** Plain text that fits: tables whose columns give way, and lines that wrap. */

export interface Column<Row> {
  title: string;
  text: (row: Row) => string;
  align: 'left' | 'right';
  /** Columns with a higher number are left out first when the terminal is narrow; 0 never is. */
  givesWay: number;
  /** Applied to the padded text, so that colours do not disturb the alignment. */
  style?: (text: string, row: Row) => string;
}

const GAP = '  ';

/** One line for the titles and one for each row, without trailing spaces. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], width: number): string[] {
  const measured = columns.map((column) => ({
    ...column,
    width: Math.max(column.title.length, ...rows.map((row) => lengthOf(column.text(row)))),
  }));
  const shown = columnsThatFit(measured, width);
  const titles = shown.map((column) => pad(column.title, column.width, column.align));
  const body = rows.map((row) =>
    shown.map((column) => {
      const text = pad(column.text(row), column.width, column.align);
      return column.style ? column.style(text, row) : text;
    }),
  );
  return [titles, ...body].map((cells) => cells.join(GAP).trimEnd());
}

function columnsThatFit<Row>(columns: readonly (Column<Row> & { width: number })[], width: number) {
  let shown = [...columns];
  const total = () => shown.reduce((sum, column) => sum + column.width + GAP.length, -GAP.length);
  while (total() > width) {
    const least = Math.max(...shown.map((column) => column.givesWay));
    if (least === 0) break;
    shown = shown.filter((column) => column.givesWay !== least);
  }
  return shown;
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - lengthOf(text)));
  return align === 'left' ? text + space : space + text;
}

function lengthOf(text: string): number {
  return [...text].length;
}

/** Text broken between words; every line indented, the first one possibly otherwise. */
export function wrap(text: string, width: number, indent: string, firstIndent: string = indent): string[] {
  return text
    .split('\n')
    .flatMap((paragraph, index) => wrapLine(paragraph, width, indent, index === 0 ? firstIndent : indent));
}

function wrapLine(text: string, width: number, indent: string, firstIndent: string): string[] {
  const lines: string[] = [];
  let line = firstIndent;
  let empty = true;
  for (const word of text.split(' ')) {
    if (!empty && lengthOf(line) + 1 + lengthOf(word) > width) {
      lines.push(line);
      line = indent;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line.trimEnd()];
}
