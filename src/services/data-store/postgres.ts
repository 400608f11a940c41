import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient, QueryConfig, QueryResultRow } from 'pg';
import { Arc, type ArcGroup, trackResource } from '../../refcount/index.js';
import { loadPackage } from '../optional-package.js';
import { type Connections, type Database, type Row, STREAM_PARTS, STREAM_ROWS } from './database.js';

export interface PostgresOptions {
  url: string;
  maxConnections: number;
  arcs: ArcGroup;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** PostgreSQL through a pool; everything is stored in a schema of its own, which close() drops. */
export class PostgresDatabase implements Database {
  readonly #options: PostgresOptions;
  readonly #schema = `crucible_memory_${randomUUID().replaceAll('-', '')}`;
  #pool: Arc<Pool> | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(options: PostgresOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    const { default: pg } = await loadPackage('DataStore', 'pg', () => import('pg'));
    const pool = new pg.Pool({
      connectionString: this.#options.url,
      max: this.#options.maxConnections,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    });
    // A connection that breaks says so to its client and, while idle, to the
    // pool; an 'error' event without a listener would end the process. Whoever
    // uses the connection gets the error as well, so nothing is lost here.
    pool.on('error', () => undefined);
    pool.on('connect', (client) => {
      client.on('error', () => undefined);
      const open = trackResource('DataStore.connection', client);
      client.once('end', () => open.release());
    });
    this.#pool = Arc.of(pool, {
      name: 'DataStore.pool',
      group: this.#options.arcs,
      dispose: (unused) => {
        this.#ended = unused.end().catch(() => undefined);
      },
    });
    await this.#query({
      text: `
        CREATE SCHEMA ${this.#schema};
        CREATE TABLE ${this.#schema}.entry (bucket int, id int, body text, PRIMARY KEY (bucket, id)) WITH (fillfactor = 70);
        CREATE TABLE ${this.#schema}.part (value int, part int, data bytea, PRIMARY KEY (value, part));`,
    });
  }

  async upsert(rows: readonly Row[]): Promise<void> {
    await this.#query({
      name: 'upsert',
      text: `INSERT INTO ${this.#schema}.entry SELECT * FROM unnest($1::int[], $2::int[], $3::text[])
             ON CONFLICT (bucket, id) DO UPDATE SET body = excluded.body`,
      values: [rows.map(({ bucket }) => bucket), rows.map(({ id }) => id), rows.map(({ body }) => body)],
    });
  }

  find(bucket: number): Promise<Row[]> {
    return this.#query<Row>({
      name: 'find',
      text: `SELECT bucket, id, body FROM ${this.#schema}.entry WHERE bucket = $1 ORDER BY id`,
      values: [bucket],
    });
  }

  stream(from: number, to: number): AsyncIterable<Row> {
    const select = `SELECT bucket, id, body FROM ${this.#schema}.entry WHERE bucket >= $1 AND bucket < $2 ORDER BY bucket, id`;
    return this.#streamed<Row>(select, [from, to], STREAM_ROWS);
  }

  async putPart(value: number, part: number, data: Buffer): Promise<void> {
    await this.#query({
      name: 'put-part',
      text: `INSERT INTO ${this.#schema}.part VALUES ($1, $2, $3)`,
      values: [value, part, data],
    });
  }

  async *parts(value: number): AsyncIterable<Buffer> {
    const select = `SELECT data FROM ${this.#schema}.part WHERE value = $1 ORDER BY part`;
    for await (const { data } of this.#streamed<{ data: Buffer }>(select, [value], STREAM_PARTS)) yield data;
  }

  async deleteValue(value: number): Promise<void> {
    await this.#query({ text: `DELETE FROM ${this.#schema}.part WHERE value = $1`, values: [value] });
  }

  connections(): Connections {
    if (!this.#pool) return { open: 0, waiting: 0 };
    const { totalCount, waitingCount } = this.#pool.value;
    return { open: totalCount, waiting: waitingCount };
  }

  async close(): Promise<void> {
    // When the server is away its schema stays behind; there is nobody to ask.
    await this.#query({ text: `DROP SCHEMA IF EXISTS ${this.#schema} CASCADE` }).catch(() => undefined);
    this.#pool?.drop();
    this.#pool = undefined;
    await this.#ended;
  }

  async #query<R extends QueryResultRow>(query: QueryConfig): Promise<R[]> {
    const pool = this.#ownPool();
    try {
      return (await pool.value.query<R>(query)).rows;
    } finally {
      pool.drop();
    }
  }

  /** A cursor on the server, which only lives in a transaction. */
  async *#streamed<R extends QueryResultRow>(
    select: string,
    values: number[],
    rowsAtOnce: number,
  ): AsyncIterable<R> {
    const pool = this.#ownPool();
    let client: PoolClient | undefined;
    let isUsable = false;
    try {
      client = await pool.value.connect();
      await client.query('BEGIN READ ONLY');
      await client.query(`DECLARE rows NO SCROLL CURSOR FOR ${select}`, values);
      for (let isMore = true; isMore; ) {
        isUsable = false;
        const { rows } = await client.query<R>(`FETCH ${rowsAtOnce} FROM rows`);
        isUsable = true;
        yield* rows;
        isMore = rows.length === rowsAtOnce;
      }
    } finally {
      if (client) await giveBack(client, isUsable);
      pool.drop();
    }
  }

  #ownPool(): Arc<Pool> {
    if (this.#pool) return this.#pool.clone();
    throw new Error('the database is closed');
  }
}

/** A connection on which something failed is closed, not used again. */
async function giveBack(client: PoolClient, isUsable: boolean): Promise<void> {
  const isEnded = isUsable && (await client.query('COMMIT').then(Boolean, () => false));
  client.release(!isEnded);
}
