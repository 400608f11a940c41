import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heapToJson, renderHeapNode, renderHeapOverview } from '../../../src/report/index.js';
import type { NodeDetailAnswer, OverviewAnswer } from '../../../src/snapshot/answers.js';
import { detailOf, overviewOf } from '../../../src/snapshot/heap-snapshot.js';
import { aNode, aNodeDetail, anOverview, aSnapshot, steps } from '../../fixtures/heap-answers.js';

const overview = async (answer: OverviewAnswer, options = {}) =>
  renderHeapOverview(await overviewOf(answer), options);
const detail = async (answer: NodeDetailAnswer, options = {}) =>
  renderHeapNode(await detailOf(answer), options);

test('an overview: the size, who holds most, and what looks as if nobody ever empties it', async () => {
  assert.equal(
    `\n${await overview(anOverview())}\n`,
    `
HEAP  1.4 MiB in 1,200 objects, 5,000 references, 300 strings

file        after.heapsnapshot
most        object 879 KiB, string 586 KiB
loose       640 B in 8 objects that nothing reaches

Objects  by what goes with them
  retained     %  object  id    path
   586 KiB  40.0  Map     @101  globalThis.sessions

Classes  by what goes with their objects
  retained     %  class    objects      own  written at
   576 KiB  39.3  Session    1,200  469 KiB

Collections  by entries
  entries  room for  retained  kind  id    path
    1,200     2,048   586 KiB  map   @101  globalThis.sessions

Repeated strings  by what one copy would save
     saved  copies  id   text
  15.6 KiB     500  @77  "GET /"
`,
  );
});

test('what is missing comes first, and strings of which only the beginning is known are marked', async () => {
  const [string] = anOverview().duplicateStrings;
  assert.ok(string);
  const output = await overview(
    anOverview({
      snapshot: aSnapshot({ missing: ['the strings'] }),
      duplicateStrings: [{ ...string, isGuess: true }],
    }),
  );
  assert.ok(output.indexOf('Missing') < output.indexOf('Objects'));
  assert.match(output, /^ +15\.6 KiB +500 {2}@77 {2}~ "GET \/"$/m);
  assert.match(output, /~ only their first thousand characters are known to be equal/);
});

test('one object: its sizes, who holds it, what it holds, and what goes with it', async () => {
  assert.equal(
    `\n${await detail(aNodeDetail())}\n`,
    `
@101  Map (object)

sizes       32 B by itself, 19.6 KiB with its own arrays, 586 KiB with all that only it holds
entries     1,200 in this map, room for 2,048
without it  586 KiB in 2,401 objects would be freed
goes with   global @3, its dominator
distance    2 from the roots

Held by  globalThis.sessions
  .2 → global @1
  .sessions → Map @2

References to it
  retained       own  by         object  id
   586 KiB  19.5 KiB  .sessions  global  @3

Its references  1 of 3
  retained       own  by       object   id
   586 KiB  19.5 KiB  {table}  (array)  @102
`,
  );
});

test('several ways to it, WeakMaps that hold it and the stack that made it are told', async () => {
  const output = await detail(
    aNodeDetail({
      distinctPaths: [
        steps('.2=global .a=Map'),
        steps('[1]=(GC roots) [2]=(Global handles) [3]=Socket .b=Map'),
      ],
      weakMapEntries: [{ tableId: 9, keyId: 5 }],
      allocationStack: [
        { functionName: 'add', place: { script: '/srv/a.js', line: 2, column: 3 } },
        { functionName: '', place: null },
      ],
    }),
    { directory: '/srv' },
  );
  assert.match(output, /Ways to it {2}2 that share no object/);
  assert.match(output, /^ {2}globalThis\.a {2}by @1\n {2}\(Global handles\) Socket\.b {2}by @3$/m);
  assert.match(output, /also by the WeakMap with the table @9, as long as its key @5 lives/);
  assert.match(output, /Allocated in {2}innermost first\n {2}add\(\) {2}a\.js:2:3\n {2}\(anonymous\)$/);
});

test('what nothing reaches, and what only V8 reaches, is not given a distance that means something else', async () => {
  const alone = aNodeDetail({ node: aNode({ distance: null }), shortestPath: [], distinctPaths: [] });
  assert.match(await detail(alone), /^distance +nothing reaches it$/m);
  const internal = aNodeDetail({ node: aNode({ distance: 100_000_003 }) });
  assert.match(await detail(internal), /^distance +3 from V8's own roots$/m);
});

test('JSON begins with its version and the tool, and holds no control characters', async () => {
  const name = 'a\u001b[2J\u009b31m\u202eb"\n';
  const json = heapToJson(await detailOf(aNodeDetail({ node: aNode({ name }) })), '1.2.3');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  assert.doesNotMatch(json, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  const document = JSON.parse(json);
  assert.deepEqual(Object.keys(document).slice(0, 3), ['schemaVersion', 'tool', 'toolVersion']);
  assert.equal(document.toolVersion, '1.2.3');
  assert.equal(document.node.name, name, 'escaped, not changed');
});

test('hostile names do not reach the terminal', async () => {
  const name = '\u001b]0;title\u0007\u202e';
  for (const output of [
    await overview(
      anOverview({ retainers: [{ ...aNode({ name }), path: steps(`.2=global .${name}=Map`) }] }),
    ),
    await detail(aNodeDetail({ node: aNode({ name }), shortestPath: steps(`.2=${name} .${name}=Map`) })),
  ]) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    assert.doesNotMatch(output, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    assert.match(output, /\\u001b\]0;title\\u0007\\u202e/);
  }
});

test('no line is wider than the terminal, down to 70 characters', async () => {
  const long = 'long'.repeat(60);
  const path = steps(`.2=global .${long}=${long}`);
  const wide = anOverview({
    retainers: [{ ...aNode({ name: long }), path }],
    snapshot: aSnapshot({ path: long }),
  });
  const deep = aNodeDetail({ node: aNode({ name: long }), shortestPath: path });
  for (let width = 70; width <= 140; width++) {
    for (const output of [await overview(wide, { width }), await detail(deep, { width })]) {
      for (const line of output.split('\n')) assert.ok([...line].length <= width, `${width}: ${line}`);
    }
  }
});
