import type { Grower, HeapDiff } from '../snapshot/index.js';
import { formatBytesChange, formatCountChange } from '../units.js';
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
import { plain } from './plain-text.js';

/**
 * A heap diff for a pull request or an issue: GitHub's Markdown. Names stand in
 * it as text only, whatever they contain. Ends without a newline.
 */
export function renderHeapDiffMarkdown(diff: HeapDiff, options: HeapTextOptions = {}): string {
  // Markdown breaks lines by itself.
  const page = new HeapPage({ ...options, colour: false, width: 160 });
  const sections = [verdict, missing, balance, growers, growth, paths, classes];
  return page.render(sections.map((section) => section(diff, page)));
}

function verdict(diff: HeapDiff, page: HeapPage): string[] {
  const { word, parts } = verdictOf(diff, (text) => code(page.path(text, 40)));
  return [`### Heap: ${word.toLowerCase()} ${parts.join('; ')}`];
}

function missing({ snapshots }: HeapDiff, page: HeapPage): string[] {
  const lines = snapshots.flatMap(({ path, missing: sentences }) =>
    sentences.map((sentence) => `> ${code(page.file(path))}: ${escaped(sentence)}`),
  );
  return lines.length === 0 ? [] : ['> [!WARNING]', '> Parts of the snapshots are missing:', ...lines];
}

function balance(diff: HeapDiff, page: HeapPage): string[] {
  return [
    `- **Balance**: ${balanceEquation(diff)}; ${residualOf(diff)}`,
    `- **Objects**: ${countsOf(diff)}`,
    ...diff.snapshots.map(
      (snapshot, index) =>
        `- **Snapshot ${index + 1}**: ${code(page.file(snapshot.path))}, ${sizeOf(snapshot)}`,
    ),
    ...(diff.isOneProcess
      ? []
      : ['- The snapshots come from different processes: matched by class and path alone']),
  ];
}

function growers({ growers: found }: HeapDiff, page: HeapPage): string[] {
  return tableOf(
    'Growers',
    ['what', 'gained', 'written at', 'id'],
    found
      .slice(0, page.top)
      .map((grower: Grower) => [
        code(page.path(subjectOf(grower), 40)),
        growerFacts(grower),
        code(placeOf(grower, (place) => page.place(place, 40)) ?? ''),
        `${grower.id}`,
      ]),
  );
}

function growth({ growth: groups }: HeapDiff, page: HeapPage): string[] {
  return tableOf(
    'Growing in every step',
    ['path', 'gains', 'objects', 'worth', 'fingerprint'],
    (groups ?? [])
      .slice(0, page.top)
      .map((group) => [
        code(page.path(group.path, 40)),
        code(page.name(group.className)),
        group.deltaCounts.map(formatCountChange).join(', '),
        groupFacts(group),
        `\`${group.fingerprint}\``,
      ]),
  );
}

function paths({ paths: found }: HeapDiff, page: HeapPage): string[] {
  return tableOf(
    'Where',
    ['path', 'objects', 'bytes'],
    found
      .slice(0, page.top)
      .map((row) => [
        code(page.path(row.path, 40)),
        formatCountChange(row.deltaCount),
        formatBytesChange(row.deltaBytes),
      ]),
  );
}

function classes(diff: HeapDiff, page: HeapPage): string[] {
  const { rows, rest } = largestClasses(diff, page.top);
  const table = tableOf(
    'Classes',
    ['class', 'objects', 'bytes', 'retained', 'written at'],
    rows.map((row) => [
      code(page.name(row.name)),
      formatCountChange(row.deltaCount),
      formatBytesChange(row.deltaBytes),
      formatBytesChange(row.retainedDeltaBytes),
      row.location === null ? '' : code(page.place(row.location, 40)),
    ]),
  );
  const remarks = [rest, noiseSentence(diff)].flatMap((line) => (line === undefined ? [] : ['', line]));
  return [...table, ...remarks];
}

function tableOf(title: string, titles: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [`#### ${title}`, '', line(titles), line(titles.map(() => '---')), ...rows.map(line)];
}

/** As code: no mention, no emoji, no link. HTML's own element, because it can hold backticks and pipes. */
function code(text: string): string {
  return text === '' ? '' : `<code>${escaped(text)}</code>`;
}

/** Every character that Markdown or HTML could take for markup, as a character reference. */
function escaped(text: string): string {
  return plain(text).replace(/[&<>`|*_~[\]\\$]/g, (character) => `&#${character.charCodeAt(0)};`);
}
