import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { renderHeapDiff, renderHeapDiffMarkdown } from '../../../src/report/index.js';
import type { DiffAnswer } from '../../../src/snapshot/answers.js';
import { heapDiffOf } from '../../../src/snapshot/heapdump-diff.js';
import { aClassDelta, aDiff, aGrower, aGrowth, aSnapshot, steps } from '../../fixtures/heap-answers.js';

const three = [
  aSnapshot({ path: '/srv/app/1.heapsnapshot', totalSelfBytes: 1_000_000, nodeCount: 200 }),
  aSnapshot({ path: '/srv/app/2.heapsnapshot', totalSelfBytes: 1_250_000, nodeCount: 700 }),
  aSnapshot({ path: '/srv/app/3.heapsnapshot' }),
];
const place = { script: '/srv/app/server.mjs', line: 3, column: 7 };
const everything = aDiff({
  snapshots: three,
  classes: [aClassDelta({ place }), ...aDiff().classes.slice(1)],
  growers: [
    aGrower({
      path: steps('.2=global .on=on() {context}=variables (sessions) ->sessions=Map', {
        'variables (sessions)': place,
      }),
    }),
    aGrower({
      id: 7,
      name: 'system / Map',
      path: [],
      ownedDeltaBytes: 96,
      deltaEntries: 0,
      noise: 'compiler',
    }),
    aGrower({
      id: 9,
      name: 'global',
      path: steps('.2=global'),
      ownedDeltaBytes: 56,
      deltaEntries: 0,
      retainedDeltaBytes: 56,
    }),
  ],
  growth: [aGrowth({ place })],
});

const text = async (answer: DiffAnswer, operations: number[] | null = null, options = {}) =>
  renderHeapDiff(await heapDiffOf(answer, operations), { directory: '/srv/app', ...options });
const firstLine = async (...given: Parameters<typeof text>) =>
  (await text(given[0], given[1], { width: 200 })).split('\n')[0];

test('three snapshots and their operations: the verdict, the balance, who grew, and which classes', async () => {
  assert.equal(
    `\n${await text(everything, [1000, 1000])}\n`,
    `
GREW  by 488 KiB (+50 %) over 3 snapshots, 250 B per operation; 98 % of it is held by Map
  globalThis.on -> sessions, +1,000 entries

balance     +500,000 B = 510,000 new - 12,000 deleted + 2,000 in survivors; residual 0 B
objects     1,010 objects new, 10 deleted, 190 survived
from        1.heapsnapshot  977 KiB in 200 objects
over        2.heapsnapshot  1.2 MiB in 700 objects
to          3.heapsnapshot  1.4 MiB in 1,200 objects

Growers  there before, and larger now
  Map globalThis.on -> sessions
    +1,000 entries (1,200 now), +479 KiB retained, +19.5 KiB of its own, 245 B per operation
    near server.mjs:3:7  @101
  and 2 that are small or V8's own: +152 B

Growing  in each of 2 steps
  globalThis.sessions
    Session: +1,000 (+239 KiB), +1,000 (+239 KiB)
    holds 586 KiB of what grows, 576 KiB alone, 245 B per operation
    fingerprint 0123456789abcdef  server.mjs:3:7  @4711

Classes
  class       new  gone  objects      bytes   retained  per op  written at
  Session  +1,000     0   +1,000   +469 KiB   +479 KiB   240 B  server.mjs:3:7
  (array)      +1     0       +1  +19.5 KiB        0 B    10 B
  Gone          0   -10      -10  -11.0 KiB  -11.0 KiB    -6 B
  compiler and embedder noise: +11.0 KiB in 1 class, included in every sum
`,
  );
});

test('the first line says which way it went, and what most of it is', async () => {
  const { balance } = aDiff();
  assert.equal(
    await firstLine(aDiff()),
    'GREW  by 488 KiB (+50 %); 98 % of it is held by Map globalThis.sessions, +1,000 entries',
  );
  assert.equal(
    await firstLine(aDiff({ balance: { ...balance, deltaBytes: -50_000 } })),
    'SHRANK  by 48.8 KiB (-5 %)',
  );
  assert.equal(
    await firstLine(aDiff({ balance: { ...balance, deltaBytes: 0 } })),
    'SAME SIZE  1.4 MiB in the first snapshot and in the last',
  );
  assert.match(
    (await firstLine(aDiff({ balance: { ...balance, deltaBytes: 12_000 } }))) ?? '',
    /^GREW {2}by 11\.7 KiB \(\+1\.2 %\); 94 % of it is compiler and embedder noise$/,
  );
  assert.match(
    (await firstLine(aDiff({ growers: [] }))) ?? '',
    /; no container that was there before took it$/,
  );
  assert.match(
    (await firstLine(aDiff({ growers: [aGrower({ retainedDeltaBytes: 100_000 })] }))) ?? '',
    /; no single container holds most of it; the largest share, 20 %, is in Map globalThis\.sessions, /,
  );
  assert.match(
    (await firstLine(aDiff({ growers: [aGrower({ retainedDeltaBytes: 510_000 })] }))) ?? '',
    /; all of it is held by /,
  );
});

test('what a salvaged file lacks stands before everything that was concluded', async () => {
  const [before, after] = aDiff().snapshots;
  assert.ok(before && after);
  const torn = { ...after, missing: ['everything from byte 300 on: the file ends there'] };
  assert.match(
    await text(aDiff({ snapshots: [before, torn] })),
    /^GREW .*\n(.*\n)?\nMissing\n {2}after\.heapsnapshot: everything from byte 300 on: the file ends there\n\nbalance/,
  );
});

test('books that do not balance are not passed over', async () => {
  const { balance } = aDiff();
  assert.match(
    await text(aDiff({ balance: { ...balance, residualBytes: 8 } }), null, { width: 200 }),
    /residual 8 B: the books do not balance, which is a bug of crucible-memory/,
  );
});

test('of different processes only classes and paths are compared, and that is said', async () => {
  const path = {
    fingerprint: 'f',
    path: 'global.cache[x]',
    className: 'Item',
    deltaCount: 5,
    deltaBytes: 4096,
  };
  const output = await text(aDiff({ isOneProcess: false, growers: [], paths: [path] }));
  assert.match(output, /different processes: matched by class and path alone/);
  assert.match(output, / +\+5 +\+4\.0 KiB {2}globalThis\.cache\[x\]$/m);
});

test('--top limits every list, and what is left out is counted', async () => {
  const output = await text(aDiff(), null, { top: 1 });
  assert.match(output, /^ {2}2 other classes: \+8\.5 KiB$/m);
  assert.doesNotMatch(output, /Gone/);
});

/** Names that a hostile program could give its objects. */
const HOSTILE = 'a\u001b[2J\u202egnp.exe`|<img src=x>*b*\u0007\r\nx';
const hostile = aDiff({
  snapshots: [aSnapshot({ path: `${HOSTILE}.heapsnapshot` }), aSnapshot({ missing: [HOSTILE] })],
  classes: [aClassDelta({ name: HOSTILE, place: { script: HOSTILE, line: 1, column: 1 } })],
  growers: [aGrower({ name: HOSTILE, path: steps(`.2=global .${HOSTILE}=Map`) })],
  paths: [{ fingerprint: 'f', path: HOSTILE, className: HOSTILE, deltaCount: 1, deltaBytes: 1 }],
});

test('no name of a heap reaches the terminal as a control character or turns the text around', async () => {
  for (const output of [
    await text(hostile),
    renderHeapDiffMarkdown(await heapDiffOf(hostile, null)),
    await text({ ...hostile, growth: [aGrowth({ path: HOSTILE, className: HOSTILE })], snapshots: three }),
  ]) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    assert.doesNotMatch(output, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    assert.match(output, /a\\u001b\[2J\\u202e|a\\?&#92;u001b/);
  }
});

test('in Markdown a name is text: no tag, no table cell, no code, no emphasis', async () => {
  const output = renderHeapDiffMarkdown(await heapDiffOf(hostile, null));
  assert.doesNotMatch(output, /<img/);
  const rows = output.split('\n').filter((line) => line.startsWith('|'));
  const cells = (line: string) => line.split('|').length;
  const titles = rows.filter((_, index) => rows[index + 1]?.startsWith('| ---'));
  assert.equal(titles.length, 3, 'growers, paths and classes');
  for (const row of rows)
    assert.ok(
      titles.some((title) => cells(title) === cells(row)),
      row,
    );
  assert.doesNotMatch(output.replaceAll('**', ''), /[*`]/);
});

test('the Markdown says what the text says', async () => {
  const output = renderHeapDiffMarkdown(await heapDiffOf(everything, [1000, 1000]), {
    directory: '/srv/app',
  });
  assert.match(
    output,
    /^### Heap: grew by 488 KiB \(\+50 %\) over 3 snapshots, 250 B per operation; 98 % of it is held by <code>Map globalThis\.on -&#62; sessions<\/code>, \+1,000 entries\n/,
  );
  assert.match(
    output,
    /^- \*\*Balance\*\*: \+500,000 B = 510,000 new - 12,000 deleted \+ 2,000 in survivors; residual 0 B$/m,
  );
  assert.match(
    output,
    /^\| <code>Map globalThis\.on -&#62; sessions<\/code> \| \+1,000 entries .* \| <code>near server\.mjs:3:7<\/code> \| 101 \|$/m,
  );
  assert.match(output, /\| `0123456789abcdef` \|$/m);
  assert.match(output, /^compiler and embedder noise: \+11\.0 KiB in 1 class, included in every sum$/m);
});

test('no line is wider than the terminal, down to 70 characters', async () => {
  const long = 'x'.repeat(300);
  const wide = aDiff({
    ...everything,
    classes: [aClassDelta({ name: long, place: { script: `/srv/${long}.js`, line: 1, column: 1 } })],
    growers: [
      aGrower({
        name: long,
        path: steps(`.2=global .${long}=Map`),
        place: { script: long, line: 1, column: 1 },
      }),
    ],
    growth: [aGrowth({ path: long, className: long, place: { script: long, line: 1, column: 1 } })],
    paths: [{ fingerprint: 'f', path: long, className: 'X', deltaCount: 1, deltaBytes: 1 }],
  });
  const diff = await heapDiffOf(wide, [1, 1]);
  for (let width = 70; width <= 140; width++) {
    for (const line of renderHeapDiff(diff, { width }).split('\n')) {
      assert.ok([...line].length <= width, `${width}: ${line}`);
    }
  }
});

test('colours change nothing but colours', async () => {
  const coloured = await text(everything, null, { colour: true });
  assert.notEqual(coloured, await text(everything));
  assert.equal(stripVTControlCharacters(coloured), await text(everything));
});
