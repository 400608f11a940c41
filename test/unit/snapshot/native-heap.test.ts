import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  write,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { writeHeapSnapshot } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { CrucibleMemoryError } from '../../../src/errors.js';
import { loadCore, type NativeHeapOptions, type NativeHeapSnapshot } from '../../../src/native.js';
import type { DiffAnswer, NodeDetailAnswer, OverviewAnswer } from '../../../src/snapshot/answers.js';
import { folderWith } from '../../fixtures/folder.js';

const core = loadCore();
const NATIVE = pathToFileURL(join(import.meta.dirname, '../../../src/native.js')).href;
const LIMITS = { growersMax: 20, growthMax: 20, pathsMax: 20 };
const SECRET = 'no identifier: a secret';

/** What these tests' program holds, and lets grow between its two snapshots. */
const held = { cache: new Map<string, { at: number }>(), text: `${SECRET} ${process.pid}` };
const grow = () => {
  for (let at = 0; at < 1000; at++) held.cache.set(`key ${held.cache.size}`, { at });
};

const folder = mkdtempSync(join(tmpdir(), 'crucible-memory-test-'));
const snapshots: [string, string] = [join(folder, 'first.heapsnapshot'), join(folder, 'second.heapsnapshot')];
after(() => rmSync(folder, { recursive: true, force: true }));
before(() => {
  Object.assign(globalThis, { held });
  grow();
  writeHeapSnapshot(snapshots[0]);
  grow();
  writeHeapSnapshot(snapshots[1]);
});

const read = (path: string, options: NativeHeapOptions = {}): Promise<NativeHeapSnapshot> =>
  core.readHeap({ path }, options).result;

const overviewOf = async (heap: NativeHeapSnapshot): Promise<OverviewAnswer> =>
  JSON.parse(await heap.overview({ top: 20, entriesMin: 500 }).result);

const detailOf = async (heap: NativeHeapSnapshot, id: number): Promise<NodeDetailAnswer> =>
  JSON.parse(await heap.node({ id, paths: 5, fields: 50 }).result);

async function diffOf(paths: string[], options: NativeHeapOptions = {}): Promise<DiffAnswer> {
  const sources = paths.map((path) => ({ path }));
  return JSON.parse(await core.diffHeaps(sources, { ...LIMITS, ...options }).result);
}

async function errorOf(work: Promise<unknown>): Promise<CrucibleMemoryError> {
  const error = await work.then(
    () => assert.fail('it went through'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof CrucibleMemoryError, String(error));
  return error;
}

const writeSome = promisify<number, Buffer, number>(write as never);

async function writeAll(fd: number, content: Buffer): Promise<void> {
  for (let at = 0; at < content.length; ) at += await writeSome(fd, content.subarray(at));
  closeSync(fd);
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Runs a program in a process of its own; `core` and `paths` are there. */
function runProgram(body: string): { status: number | null; signal: NodeJS.Signals | null; stdout: string } {
  const program = `
    import { loadCore } from ${JSON.stringify(NATIVE)};
    const core = loadCore();
    const paths = ${JSON.stringify(snapshots)};
    ${body}`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return { status: child.status, signal: child.signal, stdout: child.stdout };
}

describe('a heap that was read', () => {
  test('has as many nodes, edges and bytes as its file', async () => {
    const file = JSON.parse(readFileSync(snapshots[0], 'utf8'));
    const fields: string[] = file.snapshot.meta.node_fields;
    let bytes = 0;
    for (let at = fields.indexOf('self_size'); at < file.nodes.length; at += fields.length)
      bytes += file.nodes[at];
    const { snapshot, types } = await overviewOf(await read(snapshots[0]));
    assert.equal(snapshot.path, snapshots[0]);
    assert.equal(snapshot.nodeCount, file.snapshot.node_count);
    assert.equal(snapshot.edgeCount, file.snapshot.edge_count);
    assert.equal(snapshot.stringCount, file.strings.length);
    assert.equal(snapshot.totalSelfBytes, bytes);
    assert.equal(
      types.reduce((sum, { selfBytes }) => sum + selfBytes, 0),
      bytes,
    );
    assert.deepEqual(snapshot.missing, []);
  });

  test('shows the collection of the program with its entries and the way to it', async () => {
    const heap = await read(snapshots[0]);
    const { collections } = await overviewOf(heap);
    const cache = collections.find(({ path }) => path.at(-1)?.edge === '.cache');
    assert.equal(cache?.kind, 'map');
    assert.equal(cache.entries, 1000);
    const { node, collection, holders, ifRemoved } = await detailOf(heap, cache.id);
    assert.equal(collection?.entries, 1000);
    assert.ok(holders.some(({ edge }) => edge === '.cache'));
    assert.ok(ifRemoved.freedBytes >= 1000 * 28 && ifRemoved.freedBytes <= node.retainedBytes);
  });

  test('is written as a CSV that only its owner can read, one row for each node', async (t) => {
    const path = join(folderWith(t), 'nodes.csv');
    const heap = await read(snapshots[0]);
    await heap.writeNodes({ path }).result;
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    assert.equal(lines[0], 'id,type,name,self_bytes,retained_bytes,dominator_id,distance');
    assert.equal(lines.length - 1, (await overviewOf(heap)).snapshot.nodeCount);
    if (process.platform !== 'win32') assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test('answers the same through a descriptor, which is closed then', async () => {
    const fd = openSync(snapshots[0], 'r');
    const heap = await core.readHeap({ path: snapshots[0], fd }, {}).result;
    assert.throws(() => closeSync(fd), { code: 'EBADF' });
    assert.deepEqual(await overviewOf(heap), await overviewOf(await read(snapshots[0])));
  });

  test('answers the same through a pipe', async () => {
    const { readFd, writeFd } = core.openPipe();
    const task = core.readHeap({ path: snapshots[0], fd: readFd }, {});
    const content = readFileSync(snapshots[0]);
    await writeAll(writeFd, content);
    assert.deepEqual(await overviewOf(await task.result), await overviewOf(await read(snapshots[0])));
  });

  test('answers several questions at once, and after it was forgotten', async () => {
    const heap = await read(snapshots[0]);
    const answers = await Promise.all(Array.from({ length: 6 }, () => overviewOf(heap)));
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
    const task = (await read(snapshots[0])).overview({ top: 5, entriesMin: 500 });
    globalThis.gc?.();
    assert.ok((await task.result).length > 0);
  });

  test('is closed at once for new questions, while those that run are answered', async () => {
    const heap = await read(snapshots[0]);
    const running = heap.overview({ top: 5, entriesMin: 500 });
    heap.close();
    heap.close();
    assert.throws(() => heap.overview({ top: 5, entriesMin: 500 }), { code: 'USAGE' });
    assert.ok((await running.result).length > 0);
  });
});

describe('a comparison', () => {
  test('balances, and its classes sum to the change', async () => {
    const { balance, classes, growers, isOneProcess, snapshots: facts } = await diffOf(snapshots);
    assert.ok(isOneProcess);
    assert.equal(balance.residualBytes, 0);
    assert.equal(balance.deltaBytes, (facts[1]?.totalSelfBytes ?? 0) - (facts[0]?.totalSelfBytes ?? 0));
    assert.equal(
      classes.reduce((sum, { deltaBytes }) => sum + deltaBytes, 0),
      balance.deltaBytes,
    );
    assert.equal(
      classes.reduce((sum, { deltaCount }) => sum + deltaCount, 0),
      balance.newCount - balance.deletedCount,
    );
    const cache = growers.find(({ path }) => path.at(-1)?.edge === '.cache');
    assert.equal(cache?.deltaEntries, 1000);
    assert.ok((cache.retainedDeltaBytes ?? 0) >= 1000 * 28);
  });

  test('of two processes is by class and path, and its classes sum to the change as well', async (t) => {
    const path = join(folderWith(t), 'other.heapsnapshot');
    const other = runProgram(`
      import { writeHeapSnapshot } from 'node:v8';
      globalThis.held = { cache: new Map(Array.from({ length: 5000 }, (_, at) => ['key ' + at, { at }])) };
      writeHeapSnapshot(${JSON.stringify(path)});`);
    assert.equal(other.status, 0);
    const { balance, classes, growers, isOneProcess, paths } = await diffOf([snapshots[0], path]);
    assert.equal(isOneProcess, false);
    assert.equal(balance.residualBytes, 0);
    assert.equal(
      classes.reduce((sum, { deltaBytes }) => sum + deltaBytes, 0),
      balance.deltaBytes,
    );
    assert.deepEqual(growers, []);
    assert.ok(paths.length > 0);
  });
});

describe('a task', () => {
  test('leaves the event loop free, tells its progress and settles after cancel()', async () => {
    const { readFd, writeFd } = core.openPipe();
    const task = core.readHeap({ path: 'a pipe', fd: readFd }, {});
    for (let turns = 0; turns < 1000 || task.progress().phase !== 'parsing'; turns++) await turn();
    await writeSome(writeFd, readFileSync(snapshots[0]).subarray(0, 20_000));
    for (let turns = 0; turns < 100; turns++) await turn();
    assert.equal(task.progress().phase, 'parsing');
    task.cancel();
    assert.equal((await errorOf(task.result)).code, 'INTERRUPTED');
    await assert.rejects(writeSome(writeFd, Buffer.from('more')), { code: 'EPIPE' });
    closeSync(writeFd);
  });

  test('lets the event loop turn while it analyses', async () => {
    const seen = new Set<string>();
    let turns = 0;
    const task = core.diffHeaps(
      [...snapshots, ...snapshots].map((path) => ({ path })),
      { ...LIMITS, threads: 1 },
    );
    let isDone = false;
    const done = task.result.finally(() => {
      isDone = true;
    });
    while (!isDone) {
      await turn();
      turns++;
      const { phase, percent } = task.progress();
      seen.add(phase);
      assert.ok(percent >= 0 && percent <= 100);
    }
    await done;
    assert.ok(turns > 20, `${turns} turns`);
    assert.ok(
      [...seen].some((phase) => /^parsing \(file [1-4] of 4\)$/.test(phase)),
      [...seen].join(),
    );
  });

  test('that is cancelled at any moment rejects and leaves the handle usable', async (t) => {
    const heap = await read(snapshots[0]);
    const path = join(folderWith(t), 'nodes.csv');
    const work = [
      () => core.readHeap({ path: snapshots[0] }, {}),
      () =>
        core.diffHeaps(
          snapshots.map((each) => ({ path: each })),
          LIMITS,
        ),
      () => heap.overview({ top: 10, entriesMin: 10 }),
      () => heap.writeNodes({ path }),
    ];
    for (let turns = 0; turns < 12; turns++) {
      const tasks = work.map((start) => start());
      for (let at = 0; at < turns; at++) await turn();
      for (const task of tasks) task.cancel();
      const outcomes = await Promise.allSettled(tasks.map(({ result }) => result));
      // Later some have ended before they were cancelled.
      const stopped = outcomes.filter((outcome) => outcome.status === 'rejected');
      if (turns === 0) assert.equal(stopped.length, work.length);
      for (const { reason } of stopped) assert.equal(reason.code, 'INTERRUPTED');
    }
    // Whole or not at all, and nothing beside it.
    assert.deepEqual(readdirSync(dirname(path)), existsSync(path) ? ['nodes.csv'] : []);
    assert.ok((await overviewOf(heap)).snapshot.nodeCount > 0);
  });

  test('keeps its process alive, which ends when it has settled', () => {
    const { status, stdout } = runProgram(`
      core.readHeap({ path: paths[0] }, {}).result.then(() => console.log('read'));`);
    assert.deepEqual({ status, stdout }, { status: 0, stdout: 'read\n' });
  });

  test('does not keep process.exit() from ending the process, nor crash it', () => {
    for (const wait of ['0', '5', '30']) {
      const { status, signal } = runProgram(`
        core.readHeap({ path: 'a pipe', fd: core.openPipe().readFd }, {});
        core.diffHeaps(paths.map((path) => ({ path })), ${JSON.stringify(LIMITS)});
        setTimeout(() => process.exit(7), ${wait});`);
      assert.deepEqual({ status, signal }, { status: 7, signal: null });
    }
  });

  test('ends with its worker thread, and the process goes on', async () => {
    const program = `
      const { parentPort, workerData } = require('node:worker_threads');
      import(workerData.native).then(async ({ loadCore }) => {
        const core = loadCore();
        core.readHeap({ path: 'a pipe', fd: core.openPipe().readFd }, {}).result.catch(() => {});
        const heap = await core.readHeap({ path: workerData.path }, {}).result;
        parentPort.postMessage('started');
        for (;;) {
          const tasks = [core.readHeap({ path: 'none' }, {}), heap.node({ id: 1, paths: 1, fields: 1 })];
          await Promise.allSettled(tasks.map(({ result }) => result));
        }
      });`;
    for (let round = 0; round < 6; round++) {
      const workerData = { native: NATIVE, path: snapshots[0] };
      const worker = new Worker(program, { eval: true, workerData });
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      for (let turns = 0; turns < round * 3; turns++) await turn();
      assert.equal(await worker.terminate(), 1);
    }
    assert.ok((await overviewOf(await read(snapshots[0]))).snapshot.nodeCount > 0);
  });

  test('is refused with a sentence when it is asked for wrongly', async () => {
    const heap = await read(snapshots[0]);
    const wrong = [
      () => core.readHeap({} as never, {}),
      () => core.readHeap({ path: snapshots[0], fd: -1 }, {}),
      () => core.readHeap({ path: snapshots[0] }, { threads: 0 }),
      () => core.diffHeaps([{ path: snapshots[0] }], LIMITS),
      () =>
        core.diffHeaps(
          snapshots.map((path) => ({ path })),
          {} as never,
        ),
      () => heap.overview({} as never),
      () => heap.node({ id: 1.5, paths: 1, fields: 1 }),
    ];
    for (const call of wrong) assert.throws(call, { name: 'CrucibleMemoryError', code: 'USAGE' });
    const error = await errorOf(heap.node({ id: 2 ** 52, paths: 1, fields: 1 }).result);
    assert.equal(error.code, 'UNKNOWN_NODE');
  });
});

describe('a file that is no whole heap snapshot', () => {
  const whole = () => readFileSync(snapshots[0]);
  const damaged: Record<string, { content: () => Buffer | string; code: string; byteOffset: () => number }> =
    {
      'is empty': { content: () => '', code: 'SNAPSHOT_EMPTY', byteOffset: () => 0 },
      'is something else': { content: () => 'Hello', code: 'SNAPSHOT_FOREIGN', byteOffset: () => 0 },
      'is a JSON document of another kind': {
        content: () => '{"name":"crucible","nodes":[]}',
        code: 'SNAPSHOT_FOREIGN',
        byteOffset: () => 0,
      },
      'is compressed': { content: () => gzipSync('{}'), code: 'SNAPSHOT_COMPRESSED', byteOffset: () => 0 },
      'was cut off': {
        content: () => whole().subarray(0, 1_000_000),
        code: 'SNAPSHOT_TRUNCATED',
        byteOffset: () => 1_000_000,
      },
      'has a broken number': {
        content: () => replaced(whole(), '"nodes":[', '"nodes":[x'),
        code: 'SNAPSHOT_NUMBER',
        byteOffset: () => whole().indexOf('"nodes":[') + '"nodes":['.length,
      },
    };

  for (const [title, { content, code, byteOffset }] of Object.entries(damaged)) {
    test(`because it ${title} is an error with the offset of the first wrong byte`, async (t) => {
      const path = join(folderWith(t), 'damaged.heapsnapshot');
      writeFileSync(path, content());
      for (const source of [{ path }, { path, fd: openSync(path, 'r') }]) {
        const error = await errorOf(core.readHeap(source, {}).result);
        assert.equal(error.code, code);
        assert.equal(error.byteOffset, byteOffset());
        assert.ok(error.what && error.why && error.fix);
      }
    });
  }

  test('because it is not there or is a folder is an error', async (t) => {
    const folder = folderWith(t);
    assert.equal((await errorOf(read(join(folder, 'none')))).code, 'SNAPSHOT_UNREADABLE');
    assert.equal((await errorOf(read(folder))).code, 'SNAPSHOT_UNREADABLE');
    assert.equal((await errorOf(diffOf([snapshots[0], folder]))).code, 'SNAPSHOT_UNREADABLE');
  });

  test('can be salvaged, and the answer says what is missing', async (t) => {
    const path = join(folderWith(t), 'damaged.heapsnapshot');
    writeFileSync(path, whole().subarray(0, whole().length - 100_000));
    const { snapshot } = await overviewOf(await read(path, { salvage: true }));
    assert.match(snapshot.missing.join(), /from byte \d+ on/);
    assert.ok(snapshot.nodeCount > 0);
  });
});

describe('a redacted answer', () => {
  test('shows equal texts as equal hashes, and no text', async (t) => {
    const redacted = await read(snapshots[0], { redact: true });
    const plain = await read(snapshots[0]);
    const { collections } = await overviewOf(plain);
    const cache = collections.find(({ path }) => path.at(-1)?.edge === '.cache');
    const holderId = cache?.path.at(-2)?.id ?? 0;
    const shownBy = async (heap: NativeHeapSnapshot) =>
      (await detailOf(heap, holderId)).fields.find(({ edge }) => edge === '.text')?.name ?? '';
    assert.ok((await shownBy(plain)).includes(SECRET));
    const shown = await shownBy(redacted);
    assert.match(shown, /^<\d+ characters, hash [0-9a-f]{12}>$/);
    assert.equal(await shownBy(await read(snapshots[1], { redact: true })), shown);

    const path = join(folderWith(t), 'nodes.csv');
    await redacted.writeNodes({ path }).result;
    assert.ok(!readFileSync(path, 'utf8').includes(SECRET));
    assert.ok(!JSON.stringify(await diffOf(snapshots, { redact: true })).includes('key 1'));
  });

  test('can be a snapshot that JSON.parse and we read like the original', async (t) => {
    const path = join(folderWith(t), 'redacted.heapsnapshot');
    const heap = await read(snapshots[0]);
    const from = { path: snapshots[0], fd: openSync(snapshots[0], 'r') };
    await heap.writeRedacted({ path, from }).result;
    assert.ok(readFileSync(snapshots[0]).includes(SECRET) && !readFileSync(path).includes(SECRET));
    if (process.platform !== 'win32') assert.equal(statSync(path).mode & 0o777, 0o600);
    const [original, copy] = [snapshots[0], path].map((each) => JSON.parse(readFileSync(each, 'utf8')));
    assert.equal(copy.strings.length, original.strings.length);
    for (const section of ['snapshot', 'nodes', 'edges', 'locations'])
      assert.deepEqual(copy[section], original[section]);
    const { balance, classes } = await diffOf([snapshots[0], path]);
    assert.deepEqual(
      [balance.newCount, balance.deletedCount, balance.survivorDeltaBytes, classes],
      [0, 0, 0, []],
    );
  });

  test('that cannot be written is an error and leaves nothing behind', async (t) => {
    const folder = folderWith(t);
    const heap = await read(snapshots[0]);
    const path = join(folder, 'no', 'folder', 'file');
    assert.equal((await errorOf(heap.writeNodes({ path }).result)).code, 'OUTPUT_UNWRITABLE');
    const from = { path: snapshots[1] };
    const error = await errorOf(heap.writeRedacted({ path: join(folder, 'other'), from }).result);
    assert.equal(error.code, 'SNAPSHOT_UNREADABLE');
    assert.deepEqual(readdirSync(folder), []);
  });
});

function replaced(content: Buffer, what: string, by: string): Buffer {
  const at = content.indexOf(what);
  return Buffer.concat([content.subarray(0, at), Buffer.from(by), content.subarray(at + what.length)]);
}
