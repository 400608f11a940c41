import type { HeapClass, HeapOverview } from '../snapshot/index.js';
import { formatBytes, formatCount } from '../units.js';
import { HeapPage, type HeapTextOptions, sizeOf } from './heap-page.js';
import type { Column } from './layout.js';

/**
 * What is in one heap: its size, what holds most of it, and what looks as if
 * nobody ever empties it. Lines without a newline at the end.
 */
export function renderHeapOverview(overview: HeapOverview, options: HeapTextOptions = {}): string {
  const page = new HeapPage(options);
  const sections = [totals, missing, retainers, classes, collections, duplicates];
  return page.render(sections.map((section) => section(overview, page)));
}

function totals({ snapshot, unreachable, types }: HeapOverview, page: HeapPage): string[] {
  const kinds = types
    .toSorted((a, b) => b.selfBytes - a.selfBytes)
    .slice(0, KINDS_SHOWN)
    .map(({ type, selfBytes }) => `${page.name(type)} ${formatBytes(selfBytes)}`);
  const references = `${formatCount(snapshot.edgeCount)} references, ${formatCount(snapshot.stringCount)} strings`;
  return [
    ...page.verdict('HEAP', `${sizeOf(snapshot)}, ${references}`, page.paint.bold),
    '',
    ...page.labelled('file', page.path(page.file(snapshot.path), 12)),
    ...page.labelled('most', kinds.join(', ')),
    ...(snapshot.extraNativeBytes > 0
      ? page.labelled(
          'beside',
          `${formatBytes(snapshot.extraNativeBytes)} of native memory outside of objects`,
        )
      : []),
    ...(unreachable.count > 0
      ? page.labelled(
          'loose',
          `${formatBytes(unreachable.selfBytes)} in ${formatCount(unreachable.count)} objects that nothing reaches`,
        )
      : []),
  ];
}

const KINDS_SHOWN = 5;

function missing({ snapshot }: HeapOverview, page: HeapPage): string[] {
  return page.missing([snapshot]);
}

function retainers({ retainers: rows, snapshot }: HeapOverview, page: HeapPage): string[] {
  if (rows.length === 0) return [];
  return [
    page.heading('Objects', 'by what goes with them'),
    ...page.table(rows, [
      { title: 'retained', align: 'right', givesWay: 0, text: (row) => formatBytes(row.retainedBytes) },
      shareColumn((row) => row.retainedBytes, snapshot.totalSelfBytes),
      { title: 'object', align: 'left', givesWay: 0, text: (row) => page.name(row.name, 24) },
      idColumn(),
      { title: 'path', align: 'left', givesWay: 2, text: (row) => page.path(row.path, 58) },
    ]),
  ];
}

function classes({ classes: rows, snapshot }: HeapOverview, page: HeapPage): string[] {
  if (rows.length === 0) return [];
  const columns: Column<HeapClass>[] = [
    { title: 'retained', align: 'right', givesWay: 0, text: (row) => formatBytes(row.retainedBytes) },
    shareColumn((row) => row.retainedBytes, snapshot.totalSelfBytes),
    { title: 'class', align: 'left', givesWay: 0, text: ({ name }) => page.name(name, 30) },
    { title: 'objects', align: 'right', givesWay: 1, text: ({ count }) => formatCount(count) },
    { title: 'own', align: 'right', givesWay: 2, text: ({ ownedBytes }) => formatBytes(ownedBytes) },
    {
      title: 'written at',
      align: 'left',
      givesWay: 3,
      text: ({ location }) => (location === null ? '' : page.place(location, 70)),
    },
  ];
  return [page.heading('Classes', 'by what goes with their objects'), ...page.table(rows, columns)];
}

function collections({ collections: rows }: HeapOverview, page: HeapPage): string[] {
  if (rows.length === 0) return [];
  return [
    page.heading('Collections', 'by entries'),
    ...page.table(rows, [
      { title: 'entries', align: 'right', givesWay: 0, text: ({ entries }) => formatCount(entries) },
      {
        title: 'room for',
        align: 'right',
        givesWay: 3,
        text: ({ capacity }) => (capacity === null ? '–' : formatCount(capacity)),
      },
      { title: 'retained', align: 'right', givesWay: 1, text: (row) => formatBytes(row.retainedBytes) },
      { title: 'kind', align: 'left', givesWay: 0, text: ({ kind }) => kind },
      idColumn(),
      { title: 'path', align: 'left', givesWay: 2, text: (row) => page.path(row.path, 60) },
    ]),
  ];
}

function duplicates({ duplicateStrings: rows }: HeapOverview, page: HeapPage): string[] {
  if (rows.length === 0) return [];
  const guesses = rows.some(({ isGuess }) => isGuess);
  return [
    page.heading('Repeated strings', 'by what one copy would save'),
    ...page.table(rows, [
      { title: 'saved', align: 'right', givesWay: 0, text: (row) => formatBytes(row.wastedBytes) },
      { title: 'copies', align: 'right', givesWay: 0, text: ({ count }) => formatCount(count) },
      idColumn(),
      {
        title: 'text',
        align: 'left',
        givesWay: 0,
        text: ({ text, isGuess }) => `${isGuess ? '~ ' : ''}${page.name(text, 60)}`,
      },
    ]),
    ...(guesses ? page.block('~ only their first thousand characters are known to be equal', '  ') : []),
  ];
}

function shareColumn<Row>(bytesOf: (row: Row) => number, totalBytes: number): Column<Row> {
  const share = (row: Row) => (totalBytes === 0 ? 0 : (bytesOf(row) / totalBytes) * 100);
  return { title: '%', align: 'right', givesWay: 4, text: (row) => share(row).toFixed(1) };
}

function idColumn<Row extends { id: number }>(): Column<Row> {
  return { title: 'id', align: 'left', givesWay: 1, text: ({ id }) => `@${id}` };
}
