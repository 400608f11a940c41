import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type SqliteConnection from 'better-sqlite3';
import { Arc, type ArcGroup, type TrackedResource, trackResource } from '../../refcount/index.js';
import { Gate } from '../gate.js';
import { loadPackage } from '../optional-package.js';
import { type Connections, type Database, type Row, STREAM_PARTS, STREAM_ROWS } from './database.js';
import type { DataStoreFault } from './faults.js';

export interface SqliteOptions {
  /** Must be there; a folder of its own is made in it and removed again. */
  directory?: string | undefined;
  maxConnections: number;
  arcs: ArcGroup;
  fault?: DataStoreFault | undefined;
}

/** One connection with its statements; used by one caller at a time. */
interface Connection extends Statements {
  db: SqliteConnection.Database;
  /** The statements, which end with the connection. */
  openStatements: TrackedResource[];
}

/** A connection for one caller at a time. */
interface Lease {
  connection: Connection;
  giveBack: () => void;
}

interface Statements {
  upsert: SqliteConnection.Statement<[Row]>;
  find: SqliteConnection.Statement<[number], Row>;
  stream: SqliteConnection.Statement<[number, number], Row>;
  putPart: SqliteConnection.Statement<[number, number, Buffer]>;
  parts: SqliteConnection.Statement<[number], { data: Buffer }>;
  deleteValue: SqliteConnection.Statement<[number]>;
}

/**
 * SQLite on disk, with a write-ahead log and a pool of connections.
 *
 * SQLite itself works synchronously, so one connection would do for everything
 * but streams: a connection that is streaming is busy until its reader is done.
 * No transaction is left open over an `await`; another writer would wait for it
 * with the whole process.
 */
export class SqliteDatabase implements Database {
  readonly #options: SqliteOptions;
  readonly #gate: Gate;
  readonly #idle: Arc<Connection>[] = [];
  readonly #all: Arc<Connection>[] = [];
  #directory: string | undefined;
  #openFile: (() => SqliteConnection.Database) | undefined;
  /** Filled by the fault 'statements-not-finalised' only. */
  readonly #unfinalised: Statements['find'][] = [];

  constructor(options: SqliteOptions) {
    this.#options = options;
    this.#gate = new Gate(options.maxConnections);
  }

  async open(): Promise<void> {
    const Sqlite = await loadPackage('DataStore', 'better-sqlite3', async () => {
      const { default: Database } = await import('better-sqlite3');
      // The package loads its native part only when the first database is opened.
      new Database(':memory:').close();
      return Database;
    });
    const parent = this.#options.directory ?? tmpdir();
    this.#directory = await mkdtemp(join(parent, 'crucible-data-store-'));
    const file = join(this.#directory, 'store.sqlite');
    this.#openFile = () => new Sqlite(file);
    for (let i = 0; i < this.#options.maxConnections; i++) this.#idle.push(this.#connect());
  }

  upsert(rows: readonly Row[]): Promise<void> {
    return this.#withConnection(({ db, upsert }) => {
      db.transaction(() => {
        for (const row of rows) upsert.run(row);
      })();
    });
  }

  find(bucket: number): Promise<Row[]> {
    return this.#withConnection(({ find }) => find.all(bucket));
  }

  stream(from: number, to: number): AsyncIterable<Row> {
    const isFaulty = this.#options.fault === 'statements-not-finalised';
    const open = (connection: Connection) =>
      isFaulty ? this.#bucketByBucket(connection, from, to) : connection.stream.iterate(from, to);
    return this.#streamed(open, STREAM_ROWS);
  }

  putPart(value: number, part: number, data: Buffer): Promise<void> {
    return this.#withConnection(({ putPart }) => {
      putPart.run(value, part, data);
    });
  }

  async *parts(value: number): AsyncIterable<Buffer> {
    const rows = this.#streamed((connection) => connection.parts.iterate(value), STREAM_PARTS);
    for await (const { data } of rows) yield data;
  }

  deleteValue(value: number): Promise<void> {
    return this.#withConnection(({ deleteValue }) => {
      deleteValue.run(value);
    });
  }

  connections(): Connections {
    return { open: this.#all.length, waiting: this.#gate.waiting };
  }

  async close(): Promise<void> {
    for (const connection of this.#all) connection.drop();
    this.#all.length = 0;
    this.#idle.length = 0;
    this.#unfinalised.length = 0;
    if (this.#directory) await rm(this.#directory, { recursive: true, force: true });
    this.#directory = undefined;
  }

  async #withConnection<T>(use: (connection: Connection) => T): Promise<T> {
    const { connection, giveBack } = await this.#lease();
    try {
      return use(connection);
    } finally {
      giveBack();
    }
  }

  /** Hands over rows as they are read; the connection is free again when the reader stops, however it stops. */
  async *#streamed<R>(
    open: (connection: Connection) => IterableIterator<R>,
    rowsAtOnce: number,
  ): AsyncIterable<R> {
    const isFaulty = this.#options.fault === 'pool-clients-not-released';
    const { connection, giveBack } = isFaulty ? this.#unpooled() : await this.#lease();
    try {
      let count = 0;
      for (const row of open(connection)) {
        yield row;
        if (++count % rowsAtOnce === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      giveBack();
    }
  }

  #connect(): Arc<Connection> {
    if (!this.#openFile) throw closed();
    const connection = Arc.of(connect(this.#openFile()), {
      name: 'DataStore.connection',
      group: this.#options.arcs,
      dispose: disconnect,
    });
    this.#all.push(connection);
    return connection;
  }

  #unpooled(): Lease {
    return { connection: this.#connect().value, giveBack: () => undefined };
  }

  *#bucketByBucket({ db, openStatements }: Connection, from: number, to: number): IterableIterator<Row> {
    for (let bucket = from; bucket < to; bucket++) {
      const statement: Statements['find'] = db.prepare(FIND);
      this.#unfinalised.push(statement);
      openStatements.push(trackResource('DataStore.statement', statement));
      yield* statement.iterate(bucket);
    }
  }

  async #lease(): Promise<Lease> {
    const leave = await this.#gate.enter();
    const owned = this.#idle.pop();
    if (!owned) {
      leave();
      throw closed();
    }
    const lease = owned.clone();
    const giveBack = () => {
      lease.drop();
      this.#idle.push(owned);
      leave();
    };
    return { connection: lease.value, giveBack };
  }
}

const FIND = 'SELECT bucket, id, body FROM entry WHERE bucket = ? ORDER BY id';

function closed(): Error {
  return new Error('the database is closed');
}

function connect(db: SqliteConnection.Database): Connection {
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = NORMAL');
  // The pages that a connection caches: 256 KiB, so that all are soon at their full size.
  db.pragma('cache_size = -256');
  // After a large value the log shrinks to this again.
  db.pragma('journal_size_limit = 4194304');
  db.exec(`
    CREATE TABLE IF NOT EXISTS entry (bucket INTEGER, id INTEGER, body TEXT, PRIMARY KEY (bucket, id)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS part (value INTEGER, part INTEGER, data BLOB, PRIMARY KEY (value, part));
  `);
  const statements: Statements = {
    upsert: db.prepare(
      'INSERT INTO entry VALUES (@bucket, @id, @body) ON CONFLICT (bucket, id) DO UPDATE SET body = excluded.body',
    ),
    find: db.prepare(FIND),
    stream: db.prepare(
      'SELECT bucket, id, body FROM entry WHERE bucket >= ? AND bucket < ? ORDER BY bucket, id',
    ),
    putPart: db.prepare('INSERT INTO part VALUES (?, ?, ?)'),
    parts: db.prepare('SELECT data FROM part WHERE value = ? ORDER BY part'),
    deleteValue: db.prepare('DELETE FROM part WHERE value = ?'),
  };
  const openStatements = Object.values(statements).map((each) => trackResource('DataStore.statement', each));
  return { db, ...statements, openStatements };
}

function disconnect({ db, openStatements }: Connection): void {
  db.close();
  for (const statement of openStatements) statement.release();
}
