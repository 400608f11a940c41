import { messageOf } from '../errors.js';
import { type HeapDiff, type HeapNodeDetail, openHeapSnapshot } from '../snapshot/index.js';
import { type EntryDetail, isProgramsGrower } from './heap-causes.js';
import { isProgramsOwn } from './source-place.js';

/** Groups, and containers, whose entries are looked at one by one. */
const LOOKED_AT = 6;
/** Of a container's entries the largest, among which the newest is looked for. */
const ENTRIES_READ = 64;

type Heap = Awaited<ReturnType<typeof openHeapSnapshot>>;

/**
 * Looks at what grows, in the last snapshot: of each growing group a recent entry, and of each container that grew
 * the newest; on what way they are reached, and which function they carry. What cannot be read is named in `lacks`.
 * @returns by the id of the group's sample, and by that of the container
 */
export async function entryDetails(
  lastSnapshot: string | undefined,
  diff: HeapDiff | null,
  lacks: string[],
): Promise<Map<number, EntryDetail>> {
  const details = new Map<number, EntryDetail>();
  const samples = (diff?.growth ?? [])
    .filter(({ noise }) => noise === null)
    .flatMap(({ sampleId }) => sampleId ?? []);
  const containers = (diff?.growers ?? []).filter(
    (grower) => grower.deltaEntries > 0 && isProgramsGrower(grower),
  );
  if (lastSnapshot === undefined || samples.length + containers.length === 0) return details;
  try {
    using heap = await openHeapSnapshot(lastSnapshot);
    for (const id of samples.slice(0, LOOKED_AT)) details.set(id, await detailOf(id, heap));
    for (const { id } of containers.slice(0, LOOKED_AT)) {
      const newest = await newestEntry(id, heap);
      if (newest !== undefined) details.set(id, await detailOf(newest, heap));
    }
  } catch (error) {
    lacks.push(`the entries of what grows could not be looked at: ${messageOf(error)}`);
  }
  return details;
}

async function detailOf(id: number, heap: Heap): Promise<EntryDetail> {
  const entry = await heap.node(id, { paths: 1, fields: 32 });
  return { entry, callback: await callbackOf(entry, (other) => heap.node(other, { paths: 1, fields: 0 })) };
}

/** V8 numbers objects as they come. The table of a Map and the elements of an array are objects of their own. */
async function newestEntry(container: number, heap: Heap): Promise<number | undefined> {
  const { fields } = await heap.node(container, { paths: 1, fields: ENTRIES_READ });
  const store = fields.find(({ edge }) => /^\{(table|elements|properties)\}$/.test(edge));
  const inside =
    store === undefined ? fields : (await heap.node(store.id, { paths: 1, fields: ENTRIES_READ })).fields;
  const entries = inside.filter(
    ({ type, edgeType, edge }) =>
      /^(object|closure|native|regexp)$/.test(type) &&
      edgeType !== 'weak' &&
      !/^\.(__proto__|constructor)$/.test(edge),
  );
  return entries.reduce<number | undefined>(
    (newest, { id }) => (newest === undefined || id > newest ? id : newest),
    undefined,
  );
}

/** What is called first, by the names that Node and most programs give it. */
const CALLBACK = /callback|listener|handler|_?on[A-Z]\w+|^\.fn$/;

/** The entry itself if it is a function of the program, or the first function that it holds. */
async function callbackOf(
  entry: HeapNodeDetail,
  nodeOf: (id: number) => Promise<HeapNodeDetail>,
): Promise<EntryDetail['callback']> {
  const own = placeOfFunction(entry);
  if (own) return own;
  const functions = entry.fields.filter(({ type, edge }) => type === 'closure' && edge !== '.constructor');
  for (const field of functions.sort(
    (a, b) => Number(CALLBACK.test(b.edge)) - Number(CALLBACK.test(a.edge)),
  )) {
    const place = placeOfFunction(await nodeOf(field.id));
    if (place) return place;
  }
  return null;
}

function placeOfFunction({ node }: HeapNodeDetail): EntryDetail['callback'] {
  const { type, location, generatedLocation } = node;
  if (type !== 'closure' || location === null || !isProgramsOwn(location)) return null;
  return { location, wasMapped: generatedLocation !== undefined };
}
