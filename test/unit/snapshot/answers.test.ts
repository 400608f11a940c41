import assert from 'node:assert/strict';
import { mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { writeHeapSnapshot } from 'node:v8';
import { loadCore, type NativeHeapSnapshot } from '../../../src/native.js';
import type {
  CollectionAnswer,
  DiffAnswer,
  NodeDetailAnswer,
  OverviewAnswer,
} from '../../../src/snapshot/answers.js';

const core = loadCore();
const ROOT = resolve(import.meta.dirname, '../../../..');
const LIMITS = { growersMax: 5, growthMax: 5, pathsMax: 5 };

const folder = mkdtempSync(join(tmpdir(), 'crucible-memory-test-'));
const file = (name: string) => join(folder, `${name}.heapsnapshot`);
after(() => rmSync(folder, { recursive: true, force: true }));

class Session1 {
  constructor(readonly at: number) {}
}

/** What lets every list of every answer have rows. */
const held = {
  growing: [] as object[],
  twins: [] as string[],
  weak: new WeakMap<object, object>(),
  key: {},
};
const grow = () => {
  for (let at = 0; at < 200; at++) held.growing.push(new Session1(at));
};

before(async () => {
  Object.assign(globalThis, { held });
  held.weak.set(held.key, new Session1(0));
  for (let at = 0; at < 5; at++) held.twins.push(Buffer.from('one text, several strings').toString());
  for (const name of ['first', 'second', 'third']) {
    grow();
    writeHeapSnapshot(file(name));
  }
  await writeTimeline(file('timeline'));
});

/** The same program's heap with the stacks that allocated, as DevTools records a timeline. */
async function writeTimeline(path: string): Promise<void> {
  const session = new Session();
  session.connect();
  const fd = openSync(path, 'w');
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ params }) => writeSync(fd, params.chunk));
  await session.post('HeapProfiler.startTrackingHeapObjects', { trackAllocations: true });
  grow();
  await session.post('HeapProfiler.stopTrackingHeapObjects');
  session.disconnect();
}

const read = (name: string): Promise<NativeHeapSnapshot> => core.readHeap({ path: file(name) }, {}).result;

async function overviewOf(heap: NativeHeapSnapshot): Promise<string> {
  return heap.overview({ top: 60, entriesMin: 100 }).result;
}

async function diffOf(...names: string[]): Promise<string> {
  return core.diffHeaps(
    names.map((name) => ({ path: file(name) })),
    LIMITS,
  ).result;
}

/** What the compiler says of answers as values of their types: nothing may lack, differ or be too much. */
async function mismatches(answers: { type: string; json: string }[]): Promise<string[]> {
  // Only now: it would be most of the heap that the snapshots show.
  const { default: ts } = await import('typescript');
  const path = join(ROOT, 'test/unit/snapshot/answers-as-they-are.ts');
  const types = answers.map(({ type }) => type);
  const source = [
    `import type { ${[...new Set(types)].join(', ')} } from '../../../src/snapshot/answers.js';`,
    ...answers.map(({ type, json }, at) => `export const answer${at}: ${type} = ${json};`),
  ].join('\n');
  const options = {
    strict: true,
    noEmit: true,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts'],
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.getSourceFile = (name, ...rest) =>
    name === path ? ts.createSourceFile(name, source, ts.ScriptTarget.ES2022) : getSourceFile(name, ...rest);
  host.fileExists = (name) => name === path || fileExists(name);
  host.readFile = (name) => (name === path ? source : readFile(name));
  const program = ts.createProgram([path], options, host);
  return ts
    .getPreEmitDiagnostics(program, program.getSourceFile(path))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

describe('what the native engine answers', () => {
  test('has exactly the shapes that TypeScript knows', async () => {
    const heap = await read('third');
    const overview = await overviewOf(heap);
    const { collections, duplicateStrings, retainers, objects }: OverviewAnswer = JSON.parse(overview);
    const growing = collections.find(({ path }) => path.at(-1)?.edge === '.growing') as CollectionAnswer;
    assert.ok(retainers.length && objects.length && duplicateStrings.length);
    assert.equal(growing.entries, 600);

    const detail = await heap.node({ id: growing.id, paths: 2, fields: 3 }).result;
    const sameProcess = await diffOf('first', 'second', 'third');
    const { growers, growth, classes }: DiffAnswer = JSON.parse(sameProcess);
    assert.ok(growers.length && growth.length && classes.length);

    const timeline = await read('timeline');
    const made: OverviewAnswer = JSON.parse(await overviewOf(timeline));
    const list = made.collections.find(({ path }) => path.at(-1)?.edge === '.growing') as CollectionAnswer;
    const { fields }: NodeDetailAnswer = JSON.parse(
      await timeline.node({ id: list.id, paths: 1, fields: 1000 }).result,
    );
    const stacks = [];
    for (const { id } of fields.slice(-50)) {
      const json = await timeline.node({ id, paths: 1, fields: 3 }).result;
      if ((JSON.parse(json) as NodeDetailAnswer).allocationStack.length > 0) stacks.push(json);
    }
    assert.ok(stacks[0]);
    assert.ok(
      (JSON.parse(stacks[0]) as NodeDetailAnswer).allocationStack.some(
        ({ functionName }) => functionName === 'grow',
      ),
    );

    const types = [
      { type: 'OverviewAnswer', json: overview },
      { type: 'NodeDetailAnswer', json: detail },
      { type: 'NodeDetailAnswer', json: stacks[0] },
      { type: 'DiffAnswer', json: sameProcess },
    ];
    // One that is wrong, so that it is seen that the check can fail.
    const wrong = { type: 'OverviewAnswer', json: overview.replace('"stringCount"', '"stringsCount"') };
    const [mismatch = '', ...others] = await mismatches([...types, wrong]);
    assert.deepEqual(others, []);
    assert.match(mismatch, /stringsCount/);
  });

  test('names the table and the key of what a WeakMap holds', async () => {
    const heap = await read('first');
    const { collections }: OverviewAnswer = JSON.parse(await overviewOf(heap));
    const detailOf = async (id = 0): Promise<NodeDetailAnswer> =>
      JSON.parse(await heap.node({ id, paths: 1, fields: 50 }).result);
    const growing = collections.find(({ path }) => path.at(-1)?.edge === '.growing');
    const holder = await detailOf(growing?.path.at(-2)?.id);
    const key = await detailOf(holder.fields.find(({ edge }) => edge === '.key')?.id);
    const value = await detailOf(key.fields.find(({ edge }) => edge.includes('part of key'))?.id);
    assert.equal(value.node.className, 'Session1');
    assert.deepEqual(
      value.weakMapEntries.map(({ keyId }) => keyId),
      [key.node.id],
    );
    const table = await detailOf(value.weakMapEntries[0]?.tableId);
    assert.equal(table.node.type, 'array');
  });
});
