import assert from 'node:assert/strict';
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { before, describe, test } from 'node:test';
import v8 from 'node:v8';
import { gzipSync } from 'node:zlib';
import { diffHeapSnapshots, type HeapProgress, openHeapSnapshot } from '../../../src/snapshot/index.js';
import { folderWith } from '../../fixtures/folder.js';

/** On the heap of the test itself, which is as real as any. */
let bytes = Buffer.alloc(0);
before(async () => {
  const chunks: Buffer[] = [];
  for await (const chunk of v8.getHeapSnapshot()) chunks.push(Buffer.from(chunk));
  bytes = Buffer.concat(chunks);
});

/** A stream in pieces of this many bytes. */
function inPieces(data: Buffer, size: number): Readable {
  const pieces = Array.from({ length: Math.ceil(data.length / size) }, (_, at) =>
    data.subarray(at * size, (at + 1) * size),
  );
  return Readable.from(pieces);
}

describe('openHeapSnapshot', () => {
  test('takes a path, a stream in any pieces, text, and either compressed: the answer is the same', async (t) => {
    const folder = folderWith(t);
    const path = join(folder, 'a.heapsnapshot');
    writeFileSync(path, bytes);
    using plain = await openHeapSnapshot(path);
    const expected = (await plain.overview()).snapshot;
    assert.ok(expected.nodeCount > 10_000);
    assert.equal(expected.path, path);
    const compressed = gzipSync(bytes, { level: 1 });
    for (const stream of [
      createReadStream(path),
      createReadStream(path, { encoding: 'utf8' }),
      inPieces(bytes, 100_003),
      inPieces(compressed, 65_537),
      // The first pieces are shorter than what tells one kind of file from another.
      Readable.from([compressed.subarray(0, 1), compressed.subarray(1, 2), compressed.subarray(2)]),
    ]) {
      using heap = await openHeapSnapshot(stream);
      const { path: name, ...rest } = (await heap.overview()).snapshot;
      assert.deepEqual({ ...rest, path: expected.path }, expected);
      assert.equal(name, 'path' in stream ? path : '(stream)');
    }
  });

  test('a stream that fails is told with its own reason', async () => {
    const failing = new PassThrough();
    const opened = openHeapSnapshot(failing);
    failing.write(bytes.subarray(0, 10_000));
    failing.destroy(new Error('the socket was closed'));
    await assert.rejects(opened, { code: 'SNAPSHOT_UNREADABLE', message: /the socket was closed/ });
  });

  test('an abort ends it, also while it waits for a stream that says nothing', async () => {
    const aborted = AbortSignal.abort();
    await assert.rejects(openHeapSnapshot(Readable.from([bytes]), { signal: aborted }), {
      code: 'INTERRUPTED',
    });
    for (const written of [Buffer.alloc(0), bytes.subarray(0, 1_000_000)]) {
      const silent = new PassThrough();
      silent.write(written);
      const controller = new AbortController();
      const opened = openHeapSnapshot(silent, { signal: controller.signal });
      setImmediate(() => controller.abort());
      await assert.rejects(opened, { code: 'INTERRUPTED' });
    }
  });

  test('progress goes on to the end, in words', async () => {
    const seen: HeapProgress[] = [];
    using heap = await openHeapSnapshot(Readable.from([bytes]), {
      onProgress: (progress) => seen.push(progress),
    });
    assert.equal(heap.constructor.name, 'HeapSnapshot');
    const last = seen.at(-1);
    assert.match(last?.phase ?? '', /^[a-z]/);
    assert.equal(last?.percent, 100);
    for (const { percent } of seen) assert.ok(percent >= 0 && percent <= 100, String(percent));
  });

  test('what is no snapshot is refused by what it seems to be, also compressed and through a stream', async () => {
    const profile = Buffer.from('{"head":{"callFrame":{"functionName":"(root)"}}}');
    for (const source of [Readable.from([profile]), Readable.from([gzipSync(profile)])]) {
      await assert.rejects(openHeapSnapshot(source), {
        code: 'SNAPSHOT_FOREIGN',
        message: /seems to be a sampling heap profile/,
      });
    }
  });

  test('a few kilobytes that inflate to gigabytes are refused before they do', async () => {
    // About a thousand times smaller than what it stands for: one string that does not end.
    const start = bytes.subarray(0, bytes.indexOf('"strings":["') + 12);
    const letters = gzipSync(Buffer.alloc(16 << 20, 'a'));
    const bomb = Buffer.concat([gzipSync(start), ...Array<Buffer>(100).fill(letters)]);
    await assert.rejects(openHeapSnapshot(Readable.from([bomb])), { code: 'SNAPSHOT_TOO_LARGE' });
  });

  test('questions after close() are refused, and a stream cannot be written again', async (t) => {
    const heap = await openHeapSnapshot(Readable.from([bytes]));
    await assert.rejects(heap.writeRedacted(join(folderWith(t), 'x')), { code: 'USAGE' });
    heap.close();
    heap.close();
    await assert.rejects(heap.overview(), { code: 'USAGE' });
  });

  test('a redacted copy opens like the original', async (t) => {
    const folder = folderWith(t);
    const path = join(folder, 'a.gz');
    writeFileSync(path, gzipSync(bytes, { level: 1 }));
    using heap = await openHeapSnapshot(path);
    const copy = join(folder, 'copy.heapsnapshot');
    await heap.writeRedacted(copy);
    using again = await openHeapSnapshot(copy);
    const [before, after] = [await heap.overview(), await again.overview()];
    assert.deepEqual(after.types, before.types);
    assert.ok(readFileSync(copy).length > 1_000_000);
  });
});

test('two streams of one process are compared, each read only once', async () => {
  const diff = await diffHeapSnapshots([
    Readable.from([bytes]),
    Readable.from([gzipSync(bytes, { level: 1 })]),
  ]);
  assert.equal(diff.balance.deltaBytes, 0);
  assert.equal(diff.balance.residualBytes, 0);
  assert.equal(diff.isOneProcess, true);
  assert.equal(diff.balance.survivorCount, diff.snapshots[0]?.nodeCount);
});

test('a source that cannot be opened does not leave the others hanging', async () => {
  const endless = new PassThrough();
  endless.write(bytes.subarray(0, 100_000));
  await assert.rejects(diffHeapSnapshots([endless, '/nowhere/b.heapsnapshot']), {
    code: 'SNAPSHOT_UNREADABLE',
  });
  assert.equal(endless.destroyed, true);
});
