import type { HeapField, HeapNodeDetail, Retained } from '../snapshot/index.js';
import { formatBytes, formatCount } from '../units.js';
import { HeapPage, type HeapTextOptions } from './heap-page.js';

/**
 * One object: how large it is, who holds it, what it holds, and what would be
 * freed without it. Lines without a newline at the end.
 */
export function renderHeapNode(detail: HeapNodeDetail, options: HeapTextOptions = {}): string {
  const page = new HeapPage(options);
  const sections = [facts, heldBy, ways, holders, fields, allocation];
  return page.render(sections.map((section) => section(detail, page)));
}

function facts({ node, dominator, collection, ifRemoved }: HeapNodeDetail, page: HeapPage): string[] {
  const { name, id, type, className, selfBytes, ownedBytes, retainedBytes, distance } = node;
  const what = className === name ? type : `${type}, ${page.name(className)}`;
  const isUnreachable = distance === null;
  const { freedObjects, freedBytes } = ifRemoved;
  return [
    ...page.verdict(`@${id}`, `${page.name(name, 60)} (${what})`, page.paint.bold),
    '',
    ...page.labelled(
      'sizes',
      `${formatBytes(selfBytes)} by itself, ${formatBytes(ownedBytes)} with its own arrays, ${formatBytes(retainedBytes)} with all that only it holds`,
    ),
    ...(collection ? page.labelled('entries', entriesOf(collection)) : []),
    ...(node.location === null ? [] : page.labelled('written', page.place(node.location, 12))),
    ...page.labelled(
      'without it',
      `${formatBytes(freedBytes)} in ${formatCount(freedObjects)} objects would be freed`,
    ),
    ...(dominator
      ? page.labelled('goes with', `${page.name(dominator.name)} @${dominator.id}, its dominator`)
      : []),
    ...page.labelled('distance', isUnreachable ? 'nothing reaches it' : distanceOf(distance)),
  ];
}

function entriesOf({ kind, entries, capacity }: NonNullable<HeapNodeDetail['collection']>): string {
  const room = capacity === null ? '' : `, room for ${formatCount(capacity)}`;
  return `${formatCount(entries)} in this ${kind}${room}`;
}

/** From here on V8's own objects are counted, which no root of the program reaches. */
const SYSTEM_DISTANCE = 100_000_000;

function distanceOf(distance: number): string {
  if (distance < SYSTEM_DISTANCE) return `${distance} from the roots`;
  return `${distance - SYSTEM_DISTANCE} from V8's own roots`;
}

function heldBy({ path, retainingPath, weakMapEntries }: HeapNodeDetail, page: HeapPage): string[] {
  // Two names, an arrow and an id share the line.
  const length = Math.min(40, Math.floor((page.width - 24) / 2));
  const steps = retainingPath.map(
    ({ edge, name, id }) =>
      `${page.name(edge, length)} ${page.paint.dim('→')} ${page.name(name, length)} @${id}`,
  );
  const weak = weakMapEntries.flatMap(({ tableId, keyId }) =>
    page.block(
      `also by the WeakMap with the table @${tableId}${keyId === null ? '' : `, as long as its key @${keyId} lives`}`,
      '  ',
    ),
  );
  if (steps.length === 0 && weak.length === 0) return [];
  return [page.heading('Held by', page.path(path, 12)), ...steps.map((step) => `  ${step}`), ...weak];
}

function ways({ distinctPaths }: HeapNodeDetail, page: HeapPage): string[] {
  if (distinctPaths.length < 2) return [];
  const remark = `${distinctPaths.length} that share no object: each must go before it is free`;
  return [page.heading('Ways to it', remark), ...distinctPaths.map((way) => `  ${wayText(way, page)}`)];
}

/** The text alone may be the same for two ways; their last holders never are. */
function wayText({ path, retainingPath }: Retained, page: HeapPage): string {
  const holder = retainingPath.at(-2);
  return `${page.path(path, 24)}${holder === undefined ? '' : page.paint.dim(`  by @${holder.id}`)}`;
}

function holders({ holders: rows, holderCount }: HeapNodeDetail, page: HeapPage): string[] {
  return references('References to it', rows, holderCount, page);
}

function fields({ fields: rows, fieldCount }: HeapNodeDetail, page: HeapPage): string[] {
  return references('Its references', rows, fieldCount, page);
}

function references(title: string, rows: readonly HeapField[], count: number, page: HeapPage): string[] {
  if (rows.length === 0) return [];
  const remark = rows.length < count ? `${rows.length} of ${formatCount(count)}` : '';
  return [
    page.heading(title, remark),
    ...page.table(rows, [
      { title: 'retained', align: 'right', givesWay: 0, text: (row) => formatBytes(row.retainedBytes) },
      { title: 'own', align: 'right', givesWay: 2, text: (row) => formatBytes(row.selfBytes) },
      { title: 'by', align: 'left', givesWay: 0, text: ({ edge }) => page.name(edge, 30) },
      { title: 'object', align: 'left', givesWay: 0, text: ({ name }) => page.name(name, 30) },
      { title: 'id', align: 'left', givesWay: 1, text: ({ id }) => `@${id}` },
    ]),
  ];
}

function allocation({ allocationStack }: HeapNodeDetail, page: HeapPage): string[] {
  if (allocationStack.length === 0) return [];
  return [
    page.heading('Allocated in', 'innermost first'),
    ...allocationStack.map(({ functionName, location }) => {
      const name = functionName === '' ? '(anonymous)' : `${page.name(functionName)}()`;
      return `  ${name}${location === null ? '' : page.paint.dim(`  ${page.place(location, 50)}`)}`;
    }),
  ];
}
