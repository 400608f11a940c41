import { CrucibleMemoryError } from '../../errors.js';
import { ArcGroup } from '../../refcount/index.js';
import { KIB, MIB } from '../../units.js';
import { Lifecycle } from '../lifecycle.js';
import { LruCache } from '../lru-cache.js';
import { payloadTooLarge, unavailable } from '../refusals.js';
import type { Service, ServiceMetrics } from '../service.js';
import type { Database, Row } from './database.js';
import type { DataStoreFault } from './faults.js';
import { PostgresDatabase } from './postgres.js';
import { SqliteDatabase } from './sqlite.js';

export interface DataStoreOptions {
  /** PostgreSQL instead of SQLite on disk. */
  postgresUrl?: string | undefined;
  /** Where SQLite keeps its files, in a folder that stop() removes; default: the system's temporary folder. */
  directory?: string | undefined;
  /** Query results kept, bytes. */
  cacheBudgetBytes: number;
  /** Connections to the database; further callers wait. */
  maxConnections: number;
  /** A larger value is refused with PAYLOAD_TOO_LARGE, bytes. */
  maxRowBytes: number;
  /** Leaks on purpose; see faults.ts. */
  fault?: DataStoreFault | undefined;
}

/** All methods reject with SERVICE_UNAVAILABLE when the database fails. */
export interface DataStore extends Service {
  /** Adds or replaces a row. Rejects with PAYLOAD_TOO_LARGE. */
  put(row: Row): Promise<void>;
  /** The rows of a bucket, from the cache where it has them. */
  find(bucket: number): Promise<Row[]>;
  /** Rows of the buckets in [from, to), never more than a few in memory. */
  stream(from: number, to: number): AsyncIterable<Row>;
  /** Stores a large value, calls `read` with each part of it as it comes back, and removes it. */
  roundTrip(value: Buffer, read: (part: Buffer) => void): Promise<void>;
}

export function createDataStore(options: Partial<DataStoreOptions> = {}): DataStore {
  return new CachedDataStore({
    cacheBudgetBytes: 4 * MIB,
    maxConnections: 8,
    maxRowBytes: 64 * MIB,
    ...options,
  });
}

/** The rows that the store starts with, and that operation() rewrites: 8 MiB that never become more. */
const BUCKETS = 512;
const ROWS_PER_BUCKET = 16;
const ROW_BYTES = KIB;
/** Queries go to the first buckets, most of the time. */
const POPULAR_BUCKETS = 128;

const PART_BYTES = 128 * KIB;

class CachedDataStore implements DataStore {
  readonly #options: DataStoreOptions;
  readonly #lifecycle: Lifecycle;
  readonly #arcs = new ArcGroup();
  /** Results as JSON in UTF-8: as many bytes as the books say. */
  readonly #cache: LruCache<Buffer>;
  /** Under way now. What one reads before a write must not be kept after it. */
  readonly #queries = new Set<{ bucket: number; isOutdated: boolean }>();
  #database: Database | undefined;
  #values = 0;
  #rowsRead = 0;
  #rowsWritten = 0;
  /** Filled by the fault 'result-sets-kept' only. */
  readonly #resultSets = new Set<Row[]>();

  constructor(options: DataStoreOptions) {
    this.#options = options;
    this.#cache = new LruCache(options.cacheBudgetBytes);
    this.#lifecycle = new Lifecycle({
      service: 'DataStore',
      open: () => this.#open(),
      close: () => this.#close(),
    });
  }

  start(): Promise<void> {
    return this.#lifecycle.start();
  }

  stop(): Promise<void> {
    return this.#lifecycle.stop();
  }

  /** Of 16 operations 13 query, 2 write and 1 streams. */
  async operation(index: number): Promise<{ bytes: number }> {
    switch (index % 16) {
      case 5:
      case 13: {
        const bucket = (index * 13) % BUCKETS;
        const row = rowAt(bucket, index % ROWS_PER_BUCKET, index);
        await this.put(row);
        return { bytes: bytesOf(row) };
      }
      case 9: {
        const from = (index * 5) % (BUCKETS - 8);
        let bytes = 0;
        for await (const row of this.stream(from, from + 8)) bytes += bytesOf(row);
        return { bytes };
      }
      default: {
        const isPopular = index % 8 !== 0;
        const rows = await this.find((index * 31) % (isPopular ? POPULAR_BUCKETS : BUCKETS));
        return { bytes: rows.reduce((sum, row) => sum + bytesOf(row), 0) };
      }
    }
  }

  async largeOperation(_index: number, payloadBytes: number): Promise<{ bytes: number }> {
    this.#refuseLargerThanAllowed(payloadBytes);
    let bytes = 0;
    await this.roundTrip(Buffer.alloc(payloadBytes, 'large value '), (part) => {
      bytes += part.byteLength;
    });
    return { bytes: payloadBytes + bytes };
  }

  put(row: Row): Promise<void> {
    return this.#run('write', async (database) => {
      this.#refuseLargerThanAllowed(Buffer.byteLength(row.body));
      await database.upsert([row]);
      this.#rowsWritten++;
      this.#forget(row.bucket);
    });
  }

  find(bucket: number): Promise<Row[]> {
    return this.#run('query', async (database) => {
      const key = String(bucket);
      const cached = this.#cache.get(key);
      if (cached) return JSON.parse(cached.toString());
      const query = { bucket, isOutdated: false };
      this.#queries.add(query);
      try {
        const rows = await database.find(bucket);
        this.#rowsRead += rows.length;
        if (!query.isOutdated) this.#keep(key, rows);
        return rows;
      } finally {
        this.#queries.delete(query);
      }
    });
  }

  async *stream(from: number, to: number): AsyncIterable<Row> {
    const leave = this.#lifecycle.enter();
    const resultSet: Row[] = [];
    if (this.#options.fault === 'result-sets-kept') this.#resultSets.add(resultSet);
    try {
      for await (const row of this.#opened().stream(from, to)) {
        this.#rowsRead++;
        if (this.#options.fault === 'result-sets-kept') resultSet.push(row);
        yield row;
      }
    } catch (error) {
      throw explained('stream', error);
    } finally {
      leave();
    }
  }

  roundTrip(value: Buffer, read: (part: Buffer) => void): Promise<void> {
    return this.#run('store a large value', async (database) => {
      this.#refuseLargerThanAllowed(value.byteLength);
      const id = this.#values++ % 2 ** 31;
      try {
        for (let at = 0, part = 0; at < value.byteLength; at += PART_BYTES, part++) {
          await database.putPart(id, part, value.subarray(at, at + PART_BYTES));
          await new Promise((resolve) => setImmediate(resolve));
        }
        for await (const part of database.parts(id)) read(part);
      } finally {
        await database.deleteValue(id);
      }
    });
  }

  metrics(): ServiceMetrics {
    const { open, waiting } = this.#database?.connections() ?? { open: 0, waiting: 0 };
    return {
      cacheMemoryBytes: this.#cache.bytes,
      cacheEntries: this.#cache.entries,
      cacheHits: this.#cache.hits,
      cacheMisses: this.#cache.misses,
      openConnections: open,
      maxConnections: this.#options.maxConnections,
      queueLength: waiting,
      activeTasks: this.#lifecycle.tasks - waiting,
      arcRefCount: this.#arcs.strongCount,
      custom: {
        rows_read_count: this.#rowsRead,
        rows_written_count: this.#rowsWritten,
      },
    };
  }

  async #open(): Promise<void> {
    const { postgresUrl, directory, maxConnections, fault } = this.#options;
    if (postgresUrl !== undefined && fault !== undefined && fault !== 'result-sets-kept')
      throw onlyOnSqlite(fault);
    const database =
      postgresUrl === undefined
        ? new SqliteDatabase({ directory, maxConnections, arcs: this.#arcs, fault })
        : new PostgresDatabase({ url: postgresUrl, maxConnections, arcs: this.#arcs });
    this.#database = database;
    try {
      await database.open();
      for (let bucket = 0; bucket < BUCKETS; bucket += 32)
        await database.upsert(initialRows(bucket, bucket + 32));
    } catch (error) {
      throw explained('open', error);
    }
  }

  async #close(): Promise<void> {
    this.#cache.clear();
    await this.#database?.close();
    this.#database = undefined;
  }

  #run<T>(verb: string, task: (database: Database) => Promise<T>): Promise<T> {
    return this.#lifecycle.run(async () => {
      try {
        return await task(this.#opened());
      } catch (error) {
        throw explained(verb, error);
      }
    });
  }

  #opened(): Database {
    if (this.#database) return this.#database;
    throw new Error('the database is closed');
  }

  #keep(key: string, rows: Row[]): void {
    const json = JSON.stringify(rows);
    // Not from the pool of small buffers: a piece of a pool keeps the whole pool alive.
    const result = Buffer.allocUnsafeSlow(Buffer.byteLength(json));
    result.write(json);
    this.#cache.set(key, result, result.byteLength);
  }

  #forget(bucket: number): void {
    this.#cache.delete(String(bucket));
    for (const query of this.#queries) if (query.bucket === bucket) query.isOutdated = true;
  }

  #refuseLargerThanAllowed(valueBytes: number): void {
    const { maxRowBytes } = this.#options;
    if (valueBytes > maxRowBytes)
      throw payloadTooLarge('a value', valueBytes, maxRowBytes, 'dataStore.maxRowBytes');
  }
}

function onlyOnSqlite(fault: DataStoreFault): CrucibleMemoryError {
  return new CrucibleMemoryError('USAGE', {
    what: `the data store cannot have the fault "${fault}" on PostgreSQL`,
    why: 'it is in the use of SQLite',
    fix: 'leave out dataStore.postgresUrl, or plant "result-sets-kept"',
  });
}

function explained(verb: string, error: unknown): CrucibleMemoryError {
  if (error instanceof CrucibleMemoryError) return error;
  return unavailable(
    `the data store could not ${verb}`,
    'see that the database runs, can be reached and has room; then try again',
    error,
  );
}

function initialRows(fromBucket: number, toBucket: number): Row[] {
  const rows: Row[] = [];
  for (let bucket = fromBucket; bucket < toBucket; bucket++) {
    for (let id = 0; id < ROWS_PER_BUCKET; id++) rows.push(rowAt(bucket, id, 0));
  }
  return rows;
}

function rowAt(bucket: number, id: number, version: number): Row {
  return { bucket, id, body: `row ${bucket}/${id} version ${version} `.padEnd(ROW_BYTES, 'data ') };
}

function bytesOf({ body }: Row): number {
  return Buffer.byteLength(body);
}
