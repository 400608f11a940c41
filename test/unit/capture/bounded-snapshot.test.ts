import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { writeBoundedSnapshot } from '../../../src/capture/bounded-snapshot.js';
import { loadIsolate, SNAPSHOT_CONTROL_WORDS } from '../../../src/native.js';
import { KIB, MIB } from '../../../src/units.js';
import { folderWith } from '../../fixtures/folder.js';

const sharedControl = () => new Int32Array(new SharedArrayBuffer(4 * SNAPSHOT_CONTROL_WORDS));

describe('a bounded snapshot', () => {
  test('is a whole heap snapshot, for its owner only, and says what it took', (t) => {
    const path = join(folderWith(t), 'own.heapsnapshot');
    class Marker {}
    const kept = Array.from({ length: 321 }, () => new Marker());
    const control = sharedControl();
    const figures = writeBoundedSnapshot({ path, control });
    const { snapshot, nodes, strings } = JSON.parse(readFileSync(path, 'utf8'));
    const fields: string[] = snapshot.meta.node_fields;
    const name = strings.indexOf('Marker');
    const objects = nodes.filter(
      (value: number, i: number) =>
        i % fields.length === 1 && value === name && snapshot.meta.node_types[0][nodes[i - 1]] === 'object',
    );
    assert.ok(objects.length >= kept.length, `${objects.length}`);
    assert.equal(figures.nodes, snapshot.node_count);
    assert.equal(figures.sizeBytes, statSync(path).size);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.ok(figures.takeMs > 0 && figures.writeMs > 0);
    assert.deepEqual(Array.from(control.slice(0, 4)), [3, 10_000, 0, Math.floor(figures.sizeBytes / KIB)]);
  });

  test('shows numbers if told to', (t) => {
    const folder = folderWith(t);
    const kept = { theAnswer: 42.424242 };
    const has = (includesNumbers: boolean) => {
      const path = join(folder, `${includesNumbers}.heapsnapshot`);
      writeBoundedSnapshot({ path, includesNumbers });
      return readFileSync(path, 'utf8').includes('42.424242"');
    };
    // The source of this very test holds the number too, but not at the end of a string.
    assert.deepEqual([has(false), has(true)], [false, true]);
    assert.equal(kept.theAnswer, 42.424242);
  });

  test('that would be larger than allowed is given up, and nothing is left of it', (t) => {
    const folder = folderWith(t);
    assert.throws(() => writeBoundedSnapshot({ path: join(folder, 'own.heapsnapshot'), bytesMax: MIB }), {
      code: 'SNAPSHOT_TOO_LARGE',
      what: /larger than 1\.0 MiB/,
    });
    assert.deepEqual(readdirSync(folder), []);
  });

  test('is given up when another thread says so while it is being taken', async (t) => {
    const folder = folderWith(t);
    const control = sharedControl();
    const worker = new Worker(
      `const { workerData: control, parentPort } = require('node:worker_threads');
       parentPort.postMessage('waiting');
       while (Atomics.load(control, 0) === 0);
       Atomics.store(control, 2, 1);`,
      { eval: true, workerData: control },
    );
    await new Promise((resolve) => worker.once('message', resolve));
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    assert.throws(() => writeBoundedSnapshot({ path: join(folder, 'own.heapsnapshot'), control }), {
      code: 'INTERRUPTED',
    });
    await ended;
    assert.deepEqual(readdirSync(folder), []);
    // V8 is none the worse for it.
    writeBoundedSnapshot({ path: join(folder, 'again.heapsnapshot') });
    assert.ok(existsSync(join(folder, 'again.heapsnapshot')));
  });

  test('that cannot be written says why', { skip: !existsSync('/dev/full') }, (t) => {
    const path = join(folderWith(t), 'missing', 'own.heapsnapshot');
    assert.throws(() => writeBoundedSnapshot({ path }), { code: 'OUTPUT_UNWRITABLE', why: /ENOENT/ });
    const fd = openSync('/dev/full', 'w');
    try {
      const bounds = { bytesMax: Number.POSITIVE_INFINITY, includesNumbers: false };
      const outcome = loadIsolate().writeSnapshot({ fd, ...bounds, control: sharedControl() });
      assert.equal(outcome.outcome, 'unwritable');
      assert.equal(outcome.errno, -28);
    } finally {
      closeSync(fd);
    }
  });

  test('needs a control of the right kind', () => {
    for (const control of [new Int32Array(2), new Float64Array(8), {}])
      assert.throws(
        () =>
          loadIsolate().writeSnapshot({
            fd: 1,
            bytesMax: 1,
            includesNumbers: false,
            control: control as Int32Array,
          }),
        { code: 'USAGE' },
      );
  });
});
