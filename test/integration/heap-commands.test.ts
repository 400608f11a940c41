import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { gzipSync } from 'node:zlib';
import ts from 'typescript';
import type { HeapDiff, HeapNodeDetail, HeapOverview } from '../../src/snapshot/index.js';
import {
  cleanEnv,
  MAIN,
  outcomeOf,
  runCommand,
  type StartOptions,
  scriptMissing,
  startCommand,
} from '../fixtures/command-line.js';
import { folderWith } from '../fixtures/folder.js';
import { growingHeaps } from '../fixtures/growing-heaps.js';

/** `diff` and `inspect` as a user meets them, on snapshots of programs whose growth is known. */

const run = (args: readonly string[], options: StartOptions = {}) =>
  runCommand(args, { input: '', ...options });

async function json<Document>(args: readonly string[], options = {}): Promise<Document> {
  const { code, stdout, stderr } = await run([...args, '--format', 'json'], options);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

const ALL = [
  'map',
  'set',
  'array',
  'dictionary',
  'closures',
  'listeners',
  'weakMap',
  'strings',
  'buffers',
  'secrets',
];
/** What each container holds at first, and what it gains before each of the next snapshots. */
const STEPS = [100, 1000, 700] as const;
const GAINED = STEPS[1] + STEPS[2];

describe('a program that grows by known amounts', () => {
  let folder = '';
  let files: [string, string, string] = ['', '', ''];
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'crucible-memory-heaps-'));
    files = (await growingHeaps(folder, ALL, STEPS)) as typeof files;
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('every container is found by its path, and its gain is right to the entry', async () => {
    const { growers } = await json<HeapDiff>(['diff', files[0], files[2], '--top', '40']);
    const gains = Object.fromEntries(growers.map(({ path, deltaEntries }) => [path, deltaEntries]));
    for (const [path, gained] of Object.entries({
      'globalThis.app.map': GAINED,
      'globalThis.app.set': GAINED,
      'globalThis.app.array': GAINED,
      'globalThis.app.dictionary': GAINED,
      'globalThis.app.closures': GAINED,
      'globalThis.app.emitter._events.tick': GAINED,
      'globalThis.app.weakMap': GAINED,
      'globalThis.app.strings': GAINED,
      'globalThis.app.buffers': GAINED,
      'globalThis.app.secrets': GAINED,
    })) {
      assert.equal(gains[path], gained, path);
    }
  });

  test('the books balance to the byte, over the whole and over the classes', async () => {
    const { balance, classes, snapshots } = await json<HeapDiff>(['diff', files[0], files[1]]);
    const { deltaBytes, newBytes, deletedBytes, survivorDeltaBytes, residualBytes } = balance;
    assert.equal(residualBytes, 0);
    assert.equal(deltaBytes, newBytes - deletedBytes + survivorDeltaBytes);
    const [first, last] = snapshots;
    assert.equal(deltaBytes, (last?.totalSelfBytes ?? 0) - (first?.totalSelfBytes ?? 0));
    const sum = (of: (row: HeapDiff['classes'][number]) => number) =>
      classes.reduce((total, row) => total + of(row), 0);
    assert.equal(
      sum((row) => row.deltaBytes),
      deltaBytes,
    );
    assert.equal(
      sum((row) => row.addedBytes),
      newBytes,
    );
    assert.equal(
      sum((row) => row.removedBytes),
      deletedBytes,
    );
  });

  test('what buffers hold outside of the V8 heap is known to the byte', async () => {
    const { classes } = await json<HeapDiff>(['diff', files[0], files[2]]);
    const data = classes.find(({ name }) => name === 'system / JSArrayBufferData');
    // 10,000 bytes each; Node.js itself may have taken or given back a few of its own, which are small.
    const others = (data?.deltaCount ?? 0) - GAINED;
    assert.ok(Math.abs(others) <= 3, `${others} others`);
    assert.ok(Math.abs((data?.deltaBytes ?? 0) - GAINED * 10_000) <= 3 * 8192 && data);
    const session = classes.find(({ name, location }) => name === 'Session' && location !== null);
    assert.equal(session?.deltaCount, 2 * GAINED, 'one in the Map and one in the WeakMap');
    assert.match(session?.location ?? '', /growing-heap\.mjs:\d+:\d+$/);
  });

  test('the JSON has every field that is promised', async () => {
    const diff = await json<HeapDiff>(['diff', ...files, '--ops', '1000,700']);
    assert.deepEqual(Object.keys(diff), [
      'schemaVersion',
      'tool',
      'toolVersion',
      'snapshots',
      'isOneProcess',
      'operations',
      'balance',
      'summary',
      'classes',
      'growers',
      'growth',
      'paths',
    ]);
    const has = (row: object | undefined, fields: string) => {
      for (const field of fields.split(',')) assert.ok(row && field in row, field);
    };
    has(diff.snapshots[0], 'path,nodeCount,edgeCount,totalSelfBytes');
    has(diff.balance, 'deltaBytes,newBytes,deletedBytes,survivorDeltaBytes,residualBytes');
    has(
      diff.classes[0],
      'name,location,addedCount,removedCount,addedBytes,removedBytes,survivorDeltaBytes,deltaCount,deltaBytes,retainedDeltaBytes',
    );
    has(diff.growers[0], 'id,name,path,ownedDeltaBytes,deltaEntries,location');
    has(
      diff.growth?.[0],
      'fingerprint,path,className,deltaCounts,deltaBytes,shareBytes,exclusiveBytes,bytesPerOperation',
    );
    assert.deepEqual(
      diff.snapshots.map(({ path }) => path),
      files,
    );
  });

  test('gzip and standard input give the same answer as the plain files', async () => {
    const plain = await json<HeapDiff>(['diff', files[0], files[1]]);
    const compressed = join(folder, 'compressed-without-an-ending');
    const bytes = gzipSync(readFileSync(files[1]), { level: 1 });
    writeFileSync(compressed, bytes);
    const without = ({ balance, classes, growers }: HeapDiff) => ({ balance, classes, growers });
    assert.deepEqual(without(await json<HeapDiff>(['diff', files[0], compressed])), without(plain));
    for (const input of [bytes, readFileSync(files[1])]) {
      const piped = await json<HeapDiff>(['diff', files[0], '-'], { input });
      assert.deepEqual(without(piped), without(plain));
      assert.equal(piped.snapshots[1]?.path, '(stdin)');
    }
  });

  test('a shell may hand a snapshot over as a pipe with the name of a file', {
    skip: spawnSync('bash', ['-c', 'true']).status !== 0 && 'needs bash',
  }, async () => {
    const command = `'${process.execPath}' '${MAIN}' inspect <(cat '${files[0]}') --format json`;
    const { stdout, status, stderr } = spawnSync('bash', ['-c', command], {
      encoding: 'utf8',
      env: cleanEnv,
    });
    assert.equal(status, 0, stderr);
    const { snapshot } = JSON.parse(stdout) as HeapOverview;
    assert.equal(snapshot.nodeCount, (await json<HeapOverview>(['inspect', files[0]])).snapshot.nodeCount);
  });

  test('a truncated file is refused with its name and the byte, and analysed with --salvage', async () => {
    const torn = join(folder, 'torn.heapsnapshot');
    const size = Math.floor(statSync(files[1]).size * 0.8);
    writeFileSync(torn, readFileSync(files[1]).subarray(0, size));
    for (const command of [
      ['inspect', torn],
      ['diff', files[0], torn],
    ]) {
      const refused = await run(command);
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, /torn\.heapsnapshot/);
      assert.match(refused.stderr, new RegExp(`at byte ${size}\n$`));
      assert.equal(refused.stdout, '');
      const salvaged = await run([...command, '--salvage']);
      assert.equal(salvaged.code, 0, salvaged.stderr);
      assert.match(salvaged.stdout, /\n\nMissing\n {2}.*torn\.heapsnapshot: everything from byte \d+ on/);
    }
    const { snapshots } = await json<HeapDiff>(['diff', files[0], torn, '--salvage']);
    assert.deepEqual(
      snapshots.map(({ missing }) => missing.length > 0),
      [false, true],
    );
  });

  test('a truncated or damaged gzip file likewise', async () => {
    const whole = gzipSync(readFileSync(files[0]));
    // Everything inflates; only the checksum at the end says that a bit is wrong.
    const damaged = Buffer.from(whole);
    damaged.writeUInt32LE(0, damaged.length - 8);
    for (const [name, bytes, expected] of [
      [
        'torn.gz',
        whole.subarray(0, Math.floor(whole.length * 0.7)),
        /ends inside its gzip stream, after \d+ bytes/,
      ],
      ['damaged.gz', damaged, /damaged\.gz is a damaged gzip file/],
    ] as const) {
      const path = join(folder, name);
      writeFileSync(path, bytes);
      const refused = await run(['inspect', path]);
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, expected);
      assert.match(refused.stderr, /at byte \d+\n$/);
      const { snapshot } = await json<HeapOverview>(['inspect', path, '--salvage']);
      assert.ok(snapshot.nodeCount > 1000 && snapshot.missing.length > 0, name);
    }
  });

  test('--redact keeps the contents of strings out of every output', async () => {
    const secret = /sk-live|hunter2/;
    const id = (await json<HeapDiff>(['diff', files[0], files[2], '--top', '40'])).growers.find(
      ({ path }) => path === 'globalThis.app.secrets',
    )?.id;
    const commands = [
      ['diff', ...files, '--top', '100'],
      ['inspect', files[2], '--top', '100'],
      ['inspect', files[2], '--node', String(id), '--top', '100'],
    ];
    const nodes = join(folder, 'nodes.csv');
    for (const command of commands) {
      const formats = command[0] === 'diff' ? ['text', 'json', 'markdown'] : ['text', 'json'];
      for (const format of formats) {
        const { stdout, code } = await run(
          [...command, '--format', format, '--redact', '--nodes', nodes].slice(
            0,
            command[0] === 'diff' ? -2 : undefined,
          ),
        );
        assert.equal(code, 0);
        assert.doesNotMatch(stdout, secret, `${command[0]} ${format}`);
      }
    }
    assert.doesNotMatch(readFileSync(nodes, 'utf8'), secret);
    const open = await run(['inspect', files[2], '--top', '100']);
    assert.match(open.stdout, secret, 'it is there without --redact');
  });

  test('a redacted snapshot is for its owner only, has the same objects, and no contents', async () => {
    const output = join(folder, 'shareable.heapsnapshot');
    const compressed = join(folder, 'source.gz');
    writeFileSync(compressed, gzipSync(readFileSync(files[0]), { level: 1 }));
    const original = await json<HeapOverview>(['inspect', files[0]]);
    for (const source of [files[0], compressed]) {
      const { code, stderr } = await run(['inspect', source, '--redacted', output]);
      assert.equal(code, 0, stderr);
      assert.match(stderr, /shareable\.heapsnapshot\n$/);
      assert.equal(statSync(output).mode & 0o777, 0o600);
      assert.doesNotMatch(readFileSync(output, 'latin1'), /sk-live|hunter2/);
      const { snapshot, types } = await json<HeapOverview>(['inspect', output]);
      assert.equal(snapshot.totalSelfBytes, original.snapshot.totalSelfBytes);
      assert.deepEqual(types, original.types);
    }
  });

  test('--nodes writes a row for every node, for its owner only', async () => {
    const output = join(folder, 'all.csv');
    const { snapshot } = await json<HeapOverview>(['inspect', files[0], '--nodes', output]);
    const [titles, ...rows] = readFileSync(output, 'utf8').trimEnd().split('\n');
    assert.equal(titles, 'id,type,name,self_bytes,retained_bytes,dominator_id,distance');
    assert.equal(rows.length, snapshot.nodeCount);
    // Names may hold anything; the figures stand at the end.
    const selfBytes = rows.map((row) => Number(row.match(/,(\d+),\d+,\d*,-?\d*$/)?.[1]));
    assert.equal(
      selfBytes.reduce((total, bytes) => total + bytes, 0),
      snapshot.totalSelfBytes,
    );
    assert.equal(statSync(output).mode & 0o777, 0o600);
  });

  test('--output writes the report for its owner only, and nothing to stdout', async () => {
    const output = join(folder, 'diff.md');
    const { code, stdout } = await run([
      'diff',
      files[0],
      files[1],
      '--format',
      'markdown',
      '--output',
      output,
    ]);
    assert.equal(code, 0);
    assert.equal(stdout, '');
    assert.match(readFileSync(output, 'utf8'), /^### Heap: grew by /);
    assert.equal(statSync(output).mode & 0o777, 0o600);
  });

  test('the text says the verdict, the balance, and what to run next; running that works', async () => {
    const { stdout, stderr } = await run(['diff', basename(files[0]), basename(files[1])], { cwd: folder });
    assert.match(
      stdout,
      /^GREW {2}by \d+\.\d MiB \(\+\d+ %\); \d+ % of it is held by Array\s+globalThis\.app\.buffers, \+1,000\s+entries\n/,
    );
    assert.match(stdout, /\nbalance .* residual 0 B\n/);
    assert.equal(stderr, '', 'no progress where there is no terminal');
    const next = stdout.match(/\nnext +crucible-memory (inspect .*)\n/)?.[1];
    assert.ok(next, stdout);
    const inspected = await run(next.split(' '), { cwd: folder });
    assert.equal(inspected.code, 0, inspected.stderr);
    assert.match(inspected.stdout, /^@\d+ {2}Array \(object\)\n/);
    assert.match(inspected.stdout, /\nentries +1,100 in this array/);
    assert.match(inspected.stdout, /\nHeld by {2}globalThis\.app\.buffers\n/);
  });

  test('one object is shown with who holds it and what would be freed without it', async () => {
    const { retainers, collections } = await json<HeapOverview>(['inspect', files[2], '--top', '40']);
    assert.ok(retainers.length > 0);
    const buffers = collections.find(({ path }) => path === 'globalThis.app.buffers');
    assert.equal(buffers?.entries, STEPS[0] + GAINED);
    const detail = await json<HeapNodeDetail>(['inspect', files[2], '--node', `@${buffers?.id}`]);
    assert.equal(detail.path, 'globalThis.app.buffers');
    assert.equal(detail.node.retainedBytes, buffers?.retainedBytes);
    assert.ok(detail.ifRemoved.freedBytes >= (STEPS[0] + GAINED) * 10_000);
    // What the program was doing just then may hold it for that moment, through a handle of V8's.
    const lasting = detail.distinctPaths
      .map(({ path }) => path)
      .filter((path) => !path.startsWith('(Handle scope)'));
    assert.deepEqual(lasting, ['globalThis.app.buffers'], 'one reference holds it');
  });

  test('an id that is in no snapshot, and operation counts that do not fit, exit 2', async () => {
    const unknown = await run(['inspect', files[0], '--node', '999999999']);
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /no object (with|has) the id 999999999/);
    const counts = await run(['diff', ...files, '--ops', '1000']);
    assert.equal(counts.code, 2);
    assert.match(counts.stderr, /1 operation count for 3 snapshots: .*\n {2}fix: give 2 numbers above zero/);
  });

  test('on a terminal the phase is shown on one line, which gives way to the report', {
    skip: scriptMissing(),
  }, async () => {
    const command = [process.execPath, MAIN, 'diff', files[0], files[1]].map((word) => `'${word}'`).join(' ');
    const child = spawn('script', ['-qec', `stty rows 40 cols 100; ${command}`, '/dev/null'], {
      env: { ...cleanEnv, TERM: 'xterm' },
    });
    const { code, stdout } = await outcomeOf(child);
    assert.equal(code, 0);
    const codes = stdout.replaceAll('\u001b', 'ESC');
    assert.match(codes, /\rESC\[2K[a-z]+ \(file 2 of 2\) 100 %\rESC\[2K/);
    assert.match(codes, /\rESC\[2KESC\[1mESC\[33mGREW/, 'in colours, on a line that was cleared');
    assert.match(stripVTControlCharacters(stdout), /\nbalance/);
  });

  test('Ctrl-C while a snapshot is read exits 130, and no file is left', {
    skip: process.platform === 'win32',
  }, async (t) => {
    const output = folderWith(t);
    const child = startCommand(
      ['inspect', '-', '--nodes', join(output, 'nodes.csv'), '--output', join(output, 'out.txt')],
      { inputIsOpen: true },
    );
    const ended = outcomeOf(child);
    // More than pipes hold: when all but the end is taken, the snapshot is being read, and goes on being read.
    const bytes = readFileSync(files[0]).subarray(0, 2_000_000);
    await new Promise<void>((resolve) => child.stdin?.write(bytes, () => resolve()));
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    assert.equal(code, 130, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, /^crucible-memory: interrupted/);
    assert.deepEqual(readdirSync(output), []);
  });
});

test('the container is the first of the growers, whatever its kind', async (t) => {
  for (const [kind, path] of [
    ['map', 'globalThis.app.map'],
    ['array', 'globalThis.app.array'],
    ['dictionary', 'globalThis.app.dictionary'],
    ['closures', 'globalThis.app.closures'],
    ['listeners', 'globalThis.app.emitter._events.tick'],
    ['buffers', 'globalThis.app.buffers'],
  ] as const) {
    const files = await growingHeaps(folderWith(t), [kind], [5, 2000]);
    const { growers, summary } = await json<HeapDiff>(['diff', ...files]);
    assert.equal(growers[0]?.path, path);
    assert.equal(growers[0]?.deltaEntries, 2000, kind);
    assert.equal(summary.holder?.id, growers[0]?.id);
    // Compiled code and the like are the rest: tens of kilobytes, next to at least 100.
    assert.ok((summary.holder?.shareOfGrowth ?? 0) > 0.6, `${kind}: ${summary.holder?.shareOfGrowth}`);
  }
});

test('the same leak has the same fingerprint in another run, and costs per operation what it costs', async (t) => {
  const runs = [];
  for (let round = 0; round < 2; round++) {
    const files = await growingHeaps(folderWith(t), ['buffers', 'map'], [50, 1000, 1000]);
    runs.push(await json<HeapDiff>(['diff', ...files, '--ops', '1000,1000']));
  }
  const groups = runs.map(({ growth }) => growth?.find(({ path }) => path === 'globalThis.app.buffers'));
  assert.match(groups[0]?.fingerprint ?? '', /^[0-9a-f]{16}$/);
  assert.equal(groups[0]?.fingerprint, groups[1]?.fingerprint);
  for (const group of groups) {
    assert.deepEqual(group?.deltaCounts, [1000, 1000]);
    assert.equal(group?.objectsPerOperation, 1);
    // 10,000 bytes of memory, a Buffer, its ArrayBuffer and what V8 keeps for them: some hundred bytes.
    assert.ok((group?.bytesPerOperation ?? 0) >= 10_000 && (group?.bytesPerOperation ?? 0) <= 10_500);
  }
});

test('a class that was compiled from TypeScript is located in its source', async (t) => {
  const source = `
interface Entry {
  id: number;
}

/** The compiler drops both, so the lines differ. */
export class Leaky implements Entry {
  constructor(readonly id: number) {}
}

const kept: Leaky[] = [];
(globalThis as { kept?: Leaky[] }).kept = kept;
for (const [step, count] of [10, 500].entries()) {
  for (let id = 0; id < count; id++) kept.push(new Leaky(id));
  (process.getBuiltinModule('node:v8') as typeof import('node:v8')).writeHeapSnapshot(\`\${step}.heapsnapshot\`);
}
`;
  const { outputText, sourceMapText } = ts.transpileModule(source, {
    fileName: 'leaky.ts',
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2022,
      sourceMap: true,
      removeComments: true,
    },
  });
  const folder = folderWith(t, {
    'leaky.ts': source,
    'leaky.js.map': sourceMapText ?? '',
    'package.json': '{"type":"module"}',
  });
  writeFileSync(join(folder, 'leaky.js'), outputText);
  const child = spawnSync(process.execPath, ['leaky.js'], { cwd: folder, encoding: 'utf8' });
  assert.equal(child.status, 0, child.stderr);
  const files = ['0.heapsnapshot', '1.heapsnapshot'];
  const line = source.split('\n').findIndex((text) => text.includes('constructor(readonly')) + 1;
  const { classes } = await json<HeapDiff>(['diff', ...files], { cwd: folder });
  const leaky = classes.find(({ name }) => name === 'Leaky');
  assert.equal(leaky?.deltaCount, 500);
  const [, sourceLine] = leaky?.location?.match(/leaky\.ts:(\d+):\d+$/) ?? [];
  // V8 places a class at its constructor, which the compiler writes for the line before or this one.
  assert.ok(
    Number(sourceLine) === line || Number(sourceLine) === line - 1,
    `${leaky?.location}, not line ${line}`,
  );
  assert.match(leaky?.generatedLocation ?? '', /leaky\.js:\d+:\d+$/);
  assert.match((await run(['diff', ...files], { cwd: folder })).stdout, /Leaky .* leaky\.ts:\d+:\d+\n/);
});

test('snapshots of two processes are compared by class and path, and that is said', async (t) => {
  const [first] = await growingHeaps(folderWith(t), ['map'], [10]);
  const [second] = await growingHeaps(folderWith(t), ['map', 'buffers'], [1000]);
  const diff = await json<HeapDiff>(['diff', first ?? '', second ?? '']);
  assert.equal(diff.isOneProcess, false);
  assert.equal(diff.balance.residualBytes, 0);
  assert.deepEqual(diff.growers, []);
  assert.ok(diff.paths.length > 0);
  assert.equal(diff.classes.find(({ name }) => name === 'Session')?.deltaCount, 990);
  assert.match(
    (await run(['diff', first ?? '', second ?? ''])).stdout,
    /note +the snapshots come from different processes/,
  );
});

test('wrong usage exits 2 with one sentence and what to do', async (t) => {
  const folder = folderWith(t, {
    'before.heapsnapshot': '{"snapshot":',
    'app.cpuprofile': '{"nodes":[{"id":1,"callFrame":{"functionName":"(root)"}}]}',
    'app.heapprofile': '{"head":{"callFrame":{"functionName":"(root)"}}}',
    'empty.heapsnapshot': '',
    'text.heapsnapshot': 'hello',
    'empty.gz': gzipSync('').toString('latin1'),
  });
  writeFileSync(join(folder, 'empty.gz'), gzipSync(''));
  writeFileSync(join(folder, 'profile.gz'), gzipSync('{"head":{"callFrame":{}}}'));
  for (const [args, expected] of [
    [['diff'], /diff needs heap snapshots: .*\n {2}fix: crucible-memory diff before/],
    [['diff', 'before.heapsnapshot'], /diff needs something to compare before\.heapsnapshot with/],
    [['inspect'], /inspect needs a heap snapshot/],
    [['inspect', 'a', 'b'], /inspect looks at one snapshot, not at 2: .*\n {2}fix: crucible-memory diff a b/],
    [['diff', '-', '-'], /- was given more than once/],
    [
      ['diff', 'before.heapsnapshot', 'x', '--op', '1'],
      /unknown option '--op'\s+\(Did you mean one of --ops, --top\?\)/,
    ],
    [['diff', 'a', 'b', '--format', 'markdwn'], /'markdwn' is invalid\. Did you mean "markdown"\?/],
    [['inspect', 'a', '--format', 'markdown'], /'markdown' is invalid\. Choose from text, json/],
    [['inspect', 'a', '--node', 'Map'], /'Map' is invalid\. Expected the id of an object/],
    [['inspect', 'a', '--top', '0'], /'0' is invalid\. Expected a whole number from 1 to 1000/],
    [
      ['inspect', 'befor.heapsnapshot'],
      /no file befor\.heapsnapshot.*\n {2}fix: did you mean "before\.heapsnapshot"\?/,
    ],
    [['diff', 'before.heapsnapshot', 'gone/x.heapsnapshot'], /no file gone\/x\.heapsnapshot/],
    [['inspect', '.'], /\. is no heap snapshot: it is a folder/],
    [['inspect', 'app.cpuprofile'], /app\.cpuprofile is no heap snapshot: it seems to be a CPU profile/],
    [['inspect', 'app.heapprofile'], /seems to be a sampling heap profile/],
    [['inspect', 'profile.gz'], /profile\.gz is no heap snapshot: it seems to be a sampling heap profile/],
    [['inspect', 'empty.heapsnapshot'], /empty/],
    [['inspect', 'empty.gz'], /empty/],
    [['inspect', 'text.heapsnapshot'], /text\.heapsnapshot/],
    [
      ['inspect', 'before.heapsnapshot', '--nodes', 'before.heapsnapshot'],
      /would overwrite the snapshot that is read/,
    ],
    [['inspect', '-', '--redacted', 'x.heapsnapshot'], /--redacted needs the snapshot as a file/],
  ] as const) {
    const { code, stdout, stderr } = await run(args, { cwd: folder });
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, expected);
    assert.equal(stdout, '', 'stdout is for results');
  }
  assert.equal(existsSync(join(folder, 'x.heapsnapshot')), false);
});

test('an output that cannot be written exits 2, and says which', async (t) => {
  const folder = folderWith(t, { file: '' });
  const [snapshot = ''] = await growingHeaps(folder, ['map'], [10]);
  for (const option of ['--output', '--nodes', '--redacted']) {
    for (const path of ['gone/below', 'file/below', '.']) {
      const { code, stderr, stdout } = await run(['inspect', snapshot, option, path, '--quiet'], {
        cwd: folder,
      });
      assert.equal(code, 2, `${option} ${path}: ${stderr}`);
      assert.match(stderr, /\n {2}fix: /);
      assert.equal(stdout, '');
    }
  }
  assert.deepEqual(readdirSync(folder).sort(), ['0.heapsnapshot', 'file'], 'nothing is left behind');
});

test('--help of both commands shows examples and exit codes', async () => {
  for (const command of ['diff', 'inspect']) {
    const { code, stdout } = await run([command, '--help']);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`Examples:\n {2}crucible-memory ${command} [\\s\\S]*Exit codes:`));
  }
});
