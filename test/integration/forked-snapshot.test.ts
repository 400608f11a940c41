import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as after } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { type ForkedSnapshotResult, forkHeapSnapshot } from '../../src/capture/forked-snapshot.js';
import { loadIsolate } from '../../src/native.js';
import { MIB } from '../../src/units.js';
import { folderWith } from '../fixtures/folder.js';

const PROGRAM = resolve(import.meta.dirname, '../../../test/fixtures/programs/forking-snapshots.mjs');
const run = promisify(execFile);
const whereItWorks = loadIsolate().canForkSnapshot ? {} : { skip: 'Linux on x64 and arm64 only' };

describe('a snapshot by fork', whereItWorks, () => {
  test('is whole and shows the program at the fork, which allocates on meanwhile', async (t) => {
    const folder = folderWith(t);
    const { stdout } = await run(process.execPath, [PROGRAM, folder, '2', '20000']);
    const results = JSON.parse(stdout) as (ForkedSnapshotResult & { code?: string })[];
    assert.equal(results.length, 2);
    for (const [i, result] of results.entries()) {
      assert.equal(result.code, undefined, JSON.stringify(result));
      assert.ok(result.pauseMs > 0 && result.childCpuMs > 0 && result.childRssMaxBytes > 16 * MIB);
      const path = join(folder, `${i}.heapsnapshot`);
      assert.equal(statSync(path).size, result.sizeBytes);
      assert.equal(statSync(path).mode & 0o777, 0o600);
      const { snapshot, nodes, strings } = JSON.parse(readFileSync(path, 'utf8'));
      assert.equal(nodes.length, snapshot.node_count * snapshot.meta.node_fields.length);
      assert.ok(strings.includes('object 19999'));
    }
    assert.deepEqual(readdirSync(folder).length, 2, 'nothing else is left');
  });

  test('either comes or says that it failed when worker threads are busy, and leaves no child behind', async (t) => {
    const folder = folderWith(t);
    const workers = [1, 2].map(
      () =>
        new Worker(
          `require('node:worker_threads').parentPort.postMessage('busy');
           for (let i = 0, kept = []; ; i++) kept[i % 50000] = { i };`,
          { eval: true },
        ),
    );
    await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
    const failures: string[] = [];
    try {
      await forkHeapSnapshot({
        path: join(folder, 'busy.heapsnapshot'),
        attemptsMax: 2,
        onFailedAttempt: (why) => failures.push(why),
      });
      assert.deepEqual(readdirSync(folder), ['busy.heapsnapshot']);
    } catch (error) {
      assert.equal((error as { code: string }).code, 'SNAPSHOT_FORK_FAILED');
      assert.equal(failures.length, 2);
      assert.deepEqual(readdirSync(folder), []);
    }
    await Promise.all(workers.map((worker) => worker.terminate()));
    assert.deepEqual(childrenOf(process.pid), []);
  });

  test('that would be too large, or is not wanted any more, ends without a file', async (t) => {
    const folder = folderWith(t);
    const path = join(folder, 'own.heapsnapshot');
    await assert.rejects(forkHeapSnapshot({ path, bytesMax: 1000 }), { code: 'SNAPSHOT_TOO_LARGE' });
    await assert.rejects(forkHeapSnapshot({ path, signal: AbortSignal.abort() }), { code: 'INTERRUPTED' });
    await assert.rejects(forkHeapSnapshot({ path: join(folder, 'missing', 'own') }), {
      code: 'OUTPUT_UNWRITABLE',
    });
    assert.deepEqual(readdirSync(folder), []);
    assert.deepEqual(childrenOf(process.pid), []);
  });

  test('is written by a child that holds nothing of its parent open, and goes first when memory ends', async (t) => {
    const path = join(folderWith(t), 'own.heapsnapshot');
    const fd = openSync(path, 'w', 0o600);
    const child = loadIsolate().forkSnapshot({ fd, bytesMax: 1e12, includesNumbers: false, secondsMax: 120 });
    closeSync(fd);
    try {
      // It says `taking` when it is done with itself.
      while (child.poll().isRunning && child.poll().phase === 0) await after(1);
      if (!child.poll().isRunning) return; // too quick to be looked at
      const files = readdirSync(`/proc/${child.pid}/fd`).map((name) =>
        readlinkSync(`/proc/${child.pid}/fd/${name}`),
      );
      assert.deepEqual([...new Set(files)].sort(), ['/dev/null', path].sort());
      assert.equal(readFileSync(`/proc/${child.pid}/oom_score_adj`, 'utf8').trim(), '1000');
    } finally {
      child.kill();
      while (child.poll().isRunning) await after(1);
    }
  });
});

function childrenOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`)
    .flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' '))
    .filter((child) => child !== '');
}
