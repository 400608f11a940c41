import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { referenceCounts } from '../../../src/refcount/index.js';
import {
  createDataStore,
  type DataStore,
  type DataStoreOptions,
} from '../../../src/services/data-store/data-store.js';
import type { Row } from '../../../src/services/data-store/database.js';
import { KIB, MIB } from '../../../src/units.js';
import { CuttableProxy } from '../../fixtures/cuttable-proxy.js';

const postgresUrl = process.env.CRUCIBLE_MEMORY_TEST_POSTGRES_URL;
const withoutPostgres = postgresUrl === undefined && 'CRUCIBLE_MEMORY_TEST_POSTGRES_URL is not set';

let store: DataStore;
afterEach(() => store.stop());

async function started(options: Partial<DataStoreOptions>): Promise<DataStore> {
  store = createDataStore(options);
  await store.start();
  return store;
}

async function collected(rows: AsyncIterable<Row>): Promise<Row[]> {
  const all: Row[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

const json = (rows: Row[]) => Buffer.byteLength(JSON.stringify(rows));

for (const database of ['SQLite', 'PostgreSQL'] as const) {
  const skip = database === 'PostgreSQL' && withoutPostgres;
  const base: Partial<DataStoreOptions> = database === 'PostgreSQL' ? { postgresUrl } : {};

  describe(database, { skip }, () => {
    test('gives back what was put, and the cache never hides a write', async () => {
      await started(base);
      await store.put({ bucket: 9000, id: 2, body: 'second' });
      await store.put({ bucket: 9000, id: 1, body: 'first ✓' });
      assert.deepEqual(await store.find(9000), [
        { bucket: 9000, id: 1, body: 'first ✓' },
        { bucket: 9000, id: 2, body: 'second' },
      ]);
      await store.put({ bucket: 9000, id: 1, body: 'changed' });
      assert.equal((await store.find(9000))[0]?.body, 'changed');
      assert.deepEqual(await store.find(9001), []);
    });

    test('reads that overlap with writes leave nothing old in the cache', async () => {
      await started(base);
      for (let round = 0; round < 30; round++) {
        await Promise.all([
          store.find(5),
          store.put({ bucket: 5, id: 0, body: `round ${round}` }),
          store.find(5),
          store.find(5),
        ]);
        assert.equal((await store.find(5))[0]?.body, `round ${round}`);
      }
    });

    test('the second query of a bucket is a hit', async () => {
      await started(base);
      const first = await store.find(1);
      assert.deepEqual(await store.find(1), first);
      const { cacheHits, cacheMisses, cacheEntries, cacheMemoryBytes } = store.metrics();
      assert.deepEqual(
        { cacheHits, cacheMisses, cacheEntries },
        { cacheHits: 1, cacheMisses: 1, cacheEntries: 1 },
      );
      assert.equal(cacheMemoryBytes, json(first));
    });

    test('after evictions the books of the cache equal a recount', async () => {
      await started({ ...base, cacheBudgetBytes: 100 * KIB });
      const newestFirst: { bucket: number; bytes: number }[] = [];
      for (let i = 0; i < 60; i++) {
        const bucket = (i * i) % 23;
        const bytes = json(await store.find(bucket));
        const known = newestFirst.findIndex((entry) => entry.bucket === bucket);
        if (known >= 0) newestFirst.splice(known, 1);
        newestFirst.unshift({ bucket, bytes });
        const sum = () => newestFirst.reduce((total, entry) => total + entry.bytes, 0);
        while (sum() > 100 * KIB) newestFirst.pop();
        const { cacheEntries, cacheMemoryBytes } = store.metrics();
        assert.deepEqual(
          { cacheEntries, cacheMemoryBytes },
          { cacheEntries: newestFirst.length, cacheMemoryBytes: sum() },
        );
      }
    });

    test('streams rows in order', async () => {
      await started(base);
      const rows = await collected(store.stream(10, 20));
      assert.deepEqual(
        rows.map(({ bucket, id }) => [bucket, id]),
        Array.from({ length: 160 }, (_, i) => [10 + Math.floor(i / 16), i % 16]),
      );
      assert.deepEqual(await collected(store.stream(600, 700)), []);
    });

    test('a reader that stops or fails gives its connection back', async () => {
      await started({ ...base, maxConnections: 2 });
      for (let i = 0; i < 10; i++) {
        for await (const row of store.stream(0, 100)) if (row.id === 3) break;
        await assert.rejects(async () => {
          for await (const row of store.stream(0, 100)) throw new Error(`cannot read ${row.id}`);
        }, /cannot read 0/);
      }
      assert.equal((await collected(store.stream(0, 10))).length, 160);
      assert.deepEqual([store.metrics().activeTasks, store.metrics().queueLength], [0, 0]);
    });

    test('more streams than connections wait for each other', async () => {
      await started({ ...base, maxConnections: 2 });
      let longestQueue = 0;
      const streams = Array.from({ length: 12 }, async () => {
        let rows = 0;
        for await (const _ of store.stream(0, 20)) {
          rows++;
          longestQueue = Math.max(longestQueue, store.metrics().queueLength ?? 0);
          assert.ok((store.metrics().activeTasks ?? 0) <= 12);
        }
        return rows;
      });
      assert.deepEqual(await Promise.all(streams), Array(12).fill(320));
      assert.ok(longestQueue >= 8, `${longestQueue} waited`);
      assert.ok((store.metrics().openConnections ?? 0) <= 2);
    });

    test('a large value comes back as it was, in parts; one that is too large is refused', async () => {
      await started({ ...base, maxRowBytes: MIB });
      const value = Buffer.from(Array.from({ length: MIB }, (_, i) => (i * 31 + (i >> 8)) & 0xff));
      const parts: Buffer[] = [];
      await store.roundTrip(value, (part) => parts.push(part));
      assert.ok(Buffer.concat(parts).equals(value));
      assert.ok(Math.max(...parts.map((part) => part.byteLength)) <= 128 * KIB);
      assert.deepEqual(await store.largeOperation(0, MIB), { bytes: 2 * MIB });
      const refused = { code: 'PAYLOAD_TOO_LARGE', why: 'dataStore.maxRowBytes allows 1.0 MiB' };
      await assert.rejects(store.largeOperation(0, MIB + 1), refused);
      await assert.rejects(store.put({ bucket: 0, id: 0, body: 'x'.repeat(MIB + 1) }), refused);
    });

    test('however many operations there are, the number of rows stays', async () => {
      await started(base);
      for (let from = 0; from < 640; from += 64) {
        await Promise.all(Array.from({ length: 64 }, (_, i) => store.operation(from + i)));
      }
      assert.equal((await collected(store.stream(0, 1_000_000))).length, 512 * 16);
      const { cacheHits = 0, cacheMisses = 0, custom } = store.metrics();
      assert.ok(cacheHits > cacheMisses && cacheMisses > 0, `${cacheHits} hits, ${cacheMisses} misses`);
      assert.equal(custom?.rows_written_count, 80);
    });

    test('stop closes every connection, and another start begins anew', async () => {
      await started(base);
      await store.put({ bucket: 9000, id: 1, body: 'gone soon' });
      assert.ok((store.metrics().openConnections ?? 0) > 0);
      await store.stop();
      const { openConnections, arcRefCount, cacheEntries, cacheMemoryBytes } = store.metrics();
      assert.deepEqual([openConnections, arcRefCount, cacheEntries, cacheMemoryBytes], [0, 0, 0, 0]);
      const own = () => referenceCounts().filter(({ name }) => name.startsWith('DataStore.'));
      assert.ok(
        own().some(({ kind, created }) => kind === 'resource' && created > 0),
        'statements or connections',
      );
      // A pool has ended some time before its sockets have; a test that hangs here has failed.
      while (own().some(({ strong }) => strong > 0)) await new Promise((resolve) => setTimeout(resolve, 1));
      await store.start();
      assert.deepEqual(await store.find(9000), []);
    });
  });
}

describe('SQLite on disk', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'data-store-test-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  async function diskBytes(): Promise<number> {
    const files = await readdir(directory, { recursive: true });
    const sizes = await Promise.all(files.map(async (file) => (await stat(join(directory, file))).size));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  test('large values take no more room the tenth time than the second', async () => {
    await started({ directory });
    for (let i = 0; i < 2; i++) await store.largeOperation(i, 5 * MIB);
    const afterTwo = await diskBytes();
    for (let i = 2; i < 10; i++) await store.largeOperation(i, 5 * MIB);
    assert.ok((await diskBytes()) <= afterTwo + MIB, `${await diskBytes()} bytes, were ${afterTwo}`);
  });

  test('stop removes the files', async () => {
    await started({ directory });
    assert.equal((await readdir(directory)).length, 1);
    await store.stop();
    assert.deepEqual(await readdir(directory), []);
  });

  test('a directory that cannot be used is an error with its reason, and nothing stays open', async () => {
    store = createDataStore({ directory: '/proc/nowhere' });
    await assert.rejects(store.start(), {
      code: 'SERVICE_UNAVAILABLE',
      what: 'the data store could not open',
      why: /ENOENT/,
    });
    assert.equal(store.metrics().openConnections, 0);
  });
});

test('a PostgreSQL that is not there is an error with its reason', async () => {
  store = createDataStore({ postgresUrl: 'postgres://nobody@127.0.0.1:1/none' });
  await assert.rejects(store.start(), {
    code: 'SERVICE_UNAVAILABLE',
    why: 'connect ECONNREFUSED 127.0.0.1:1',
  });
  await assert.rejects(store.find(1), { code: 'SERVICE_NOT_STARTED' });
});

describe('a PostgreSQL that is slow or goes away in the middle', { skip: withoutPostgres }, () => {
  let proxy: CuttableProxy;
  let throughProxy: string;
  before(async () => {
    const url = new URL(postgresUrl ?? '');
    proxy = new CuttableProxy({ host: url.hostname, port: Number(url.port || 5432) });
    url.host = `127.0.0.1:${await proxy.start()}`;
    throughProxy = url.href;
  });
  after(() => proxy.stop());

  test('leaves nothing old in the cache when its answer comes after a write', async () => {
    await started({ postgresUrl: throughProxy });
    const letThrough = proxy.hold();
    const late = store.find(7);
    await store.put({ bucket: 7, id: 0, body: 'newer' });
    letThrough();
    await late;
    assert.equal((await store.find(7))[0]?.body, 'newer');
  });

  test('makes operations fail with the reason, and they work again when it is back', async () => {
    await started({ postgresUrl: throughProxy });
    const streamed = store.stream(0, 512)[Symbol.asyncIterator]();
    await streamed.next();
    const idle = store.find(1);
    await idle;

    proxy.cut();
    await assert.rejects(
      async () => {
        while (!(await streamed.next()).done);
      },
      { code: 'SERVICE_UNAVAILABLE' },
    );
    const results = await Promise.allSettled(Array.from({ length: 48 }, (_, i) => store.operation(i)));
    const failures = results.filter((result) => result.status === 'rejected');
    assert.ok(failures.length > 0);
    for (const { reason } of failures) assert.equal(reason.code, 'SERVICE_UNAVAILABLE');
    assert.deepEqual([store.metrics().activeTasks, store.metrics().queueLength], [0, 0]);

    proxy.mend();
    await Promise.all(Array.from({ length: 48 }, (_, i) => store.operation(i)));
    await store.stop();
    assert.equal(store.metrics().openConnections, 0);
  });

  test('does not keep the store from stopping', async () => {
    await started({ postgresUrl: throughProxy });
    proxy.cut();
    await store.stop();
    assert.equal(store.metrics().openConnections, 0);
    proxy.mend();
  });
});
