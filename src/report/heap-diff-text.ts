import type { ClassDelta, Grower, GrowingGroup, HeapDiff } from '../snapshot/index.js';
import { formatBytes, formatBytesChange, formatCountChange, KIB } from '../units.js';
import {
  balanceEquation,
  countsOf,
  groupFacts,
  growerFacts,
  largestClasses,
  noiseSentence,
  placeOf,
  residualOf,
  subjectOf,
  verdictOf,
} from './heap-diff-words.js';
import { HeapPage, type HeapTextOptions, sizeOf } from './heap-page.js';
import type { Column } from './layout.js';
import { plain } from './plain-text.js';

/**
 * A heap diff as a person wants it first: the verdict, the balance, the
 * containers that grew with the way to them, then the classes.
 * Lines without a newline at the end.
 */
export function renderHeapDiff(diff: HeapDiff, options: HeapTextOptions = {}): string {
  const page = new HeapPage(options);
  const sections = [verdict, missing, balance, growers, growth, paths, classes];
  return page.render(sections.map((section) => section(diff, page)));
}

function verdict(diff: HeapDiff, page: HeapPage): string[] {
  const { paint } = page;
  const { word, parts } = verdictOf(diff, (text) => page.path(text, 40));
  const grown = (diff.growth?.length ?? 0) > 0 ? paint.red : paint.yellow;
  const colour = word === 'GREW' ? grown : paint.green;
  return page.verdict(word, parts.join('; '), (text) => paint.bold(colour(text)));
}

function missing({ snapshots }: HeapDiff, page: HeapPage): string[] {
  return page.missing(snapshots);
}

function balance(diff: HeapDiff, page: HeapPage): string[] {
  const { snapshots, isOneProcess, balance: books } = diff;
  const doubt =
    books.residualBytes === 0 ? '' : ': the books do not balance, which is a bug of crucible-memory';
  return [
    ...page.labelled('balance', `${balanceEquation(diff)}; ${residualOf(diff)}${doubt}`),
    ...page.labelled('objects', countsOf(diff)),
    ...snapshots.flatMap((snapshot, index) =>
      page.labelled(
        index === 0 ? 'from' : index === snapshots.length - 1 ? 'to' : 'over',
        `${page.path(page.file(snapshot.path), 50)}  ${sizeOf(snapshot)}`,
      ),
    ),
    ...(isOneProcess
      ? []
      : page.labelled(
          'note',
          'the snapshots come from different processes: matched by class and path alone',
        )),
  ];
}

/** What gained less than this share of the whole is told in one line, and so is V8's own. */
const SMALL_SHARE = 0.001;

function growers({ growers: found, balance: { deltaBytes } }: HeapDiff, page: HeapPage): string[] {
  const least = Math.max(KIB, Math.abs(deltaBytes) * SMALL_SHARE);
  const isSmall = ({ noise, retainedDeltaBytes, ownedDeltaBytes }: Grower) =>
    noise !== null || Math.max(retainedDeltaBytes, ownedDeltaBytes) < least;
  const shown = found.filter((grower) => !isSmall(grower)).slice(0, page.top);
  const small = found.filter(isSmall);
  if (shown.length === 0) return [];
  const lines = shown.flatMap((grower) => [
    `  ${page.paint.bold(page.path(subjectOf(grower)))}`,
    ...page.block(growerFacts(grower), '    '),
    ...page
      .block(
        placeAndId(
          placeOf(grower, (place) => page.place(place, 20)),
          grower.id,
        ),
        '    ',
      )
      .map(page.paint.dim),
  ]);
  const bytes = small.reduce((sum, { ownedDeltaBytes }) => sum + ownedDeltaBytes, 0);
  const rest =
    small.length === 0
      ? []
      : [`  and ${small.length} that are small or V8's own: ${formatBytesChange(bytes)}`];
  return [page.heading('Growers', 'there before, and larger now'), ...lines, ...rest];
}

function placeAndId(place: string | undefined, id: number | null): string {
  return [...(place === undefined ? [] : [place]), ...(id === null ? [] : [`@${id}`])].join('  ');
}

function growth({ growth: groups, snapshots }: HeapDiff, page: HeapPage): string[] {
  if (!groups || groups.length === 0) return [];
  const noise = groups.filter((group) => group.noise !== null);
  const shown = groups.filter((group) => group.noise === null).slice(0, page.top);
  const bytes = noise.reduce((sum, group) => sum + group.shareBytes, 0);
  return [
    page.heading('Growing', `in each of ${snapshots.length - 1} steps`),
    ...shown.flatMap((group) => groupLines(group, page)),
    ...(noise.length === 0 ? [] : [`  and ${noise.length} of V8's own, which hold ${formatBytes(bytes)}`]),
  ];
}

function groupLines(group: GrowingGroup, page: HeapPage): string[] {
  const { fingerprint, path, className, deltaCounts, deltaBytes, location, sampleId } = group;
  const steps = deltaCounts.map(
    (count, index) => `${formatCountChange(count)} (${formatBytesChange(deltaBytes[index] ?? 0)})`,
  );
  const place = placeAndId(location === null ? undefined : page.place(location, 45), sampleId);
  return [
    `  ${page.paint.bold(page.path(path))}`,
    ...page.block(`${page.name(className)}: ${steps.join(', ')}`, '    '),
    ...page.block(groupFacts(group), '    '),
    ...page
      .block(`fingerprint ${fingerprint}${place === '' ? '' : `  ${place}`}`, '    ')
      .map(page.paint.dim),
  ];
}

function paths({ paths: found }: HeapDiff, page: HeapPage): string[] {
  if (found.length === 0) return [];
  const columns: Column<HeapDiff['paths'][number]>[] = [
    { title: 'objects', align: 'right', givesWay: 1, text: (row) => formatCountChange(row.deltaCount) },
    { title: 'bytes', align: 'right', givesWay: 0, text: (row) => formatBytesChange(row.deltaBytes) },
    { title: 'path', align: 'left', givesWay: 0, text: (row) => page.path(row.path, 30) },
  ];
  return [page.heading('Where', 'by path'), ...page.table(found.slice(0, page.top), columns)];
}

function classes(diff: HeapDiff, page: HeapPage): string[] {
  const { rows, rest } = largestClasses(diff, page.top);
  const noise = noiseSentence(diff);
  if (rows.length === 0 && noise === undefined) return [];
  return [
    page.heading('Classes'),
    ...(rows.length === 0 ? [] : page.table(rows, classColumns(diff, page))),
    ...[rest, noise].flatMap((line) =>
      line === undefined ? [] : page.block(line, '  ').map(page.paint.dim),
    ),
  ];
}

function classColumns({ operations }: HeapDiff, page: HeapPage): Column<ClassDelta>[] {
  const each: Column<ClassDelta> = {
    title: 'per op',
    align: 'right',
    givesWay: 2,
    text: ({ bytesPerOperation }) => formatBytes(bytesPerOperation ?? 0),
  };
  return [
    { title: 'class', align: 'left', givesWay: 0, text: ({ name }) => page.name(name, 30) },
    { title: 'new', align: 'right', givesWay: 3, text: (row) => formatCountChange(row.addedCount) },
    { title: 'gone', align: 'right', givesWay: 3, text: (row) => formatCountChange(-row.removedCount) },
    { title: 'objects', align: 'right', givesWay: 1, text: (row) => formatCountChange(row.deltaCount) },
    { title: 'bytes', align: 'right', givesWay: 0, text: (row) => formatBytesChange(row.deltaBytes) },
    {
      title: 'retained',
      align: 'right',
      givesWay: 2,
      text: (row) => formatBytesChange(row.retainedDeltaBytes),
    },
    ...(operations === null ? [] : [each]),
    {
      title: 'written at',
      align: 'left',
      givesWay: 4,
      text: ({ location }) => (location === null ? '' : plain(page.place(location, page.width - 30))),
    },
  ];
}
