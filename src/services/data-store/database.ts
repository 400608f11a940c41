/**
 * What the store needs of a database; SQLite and PostgreSQL each do it in
 * their own way. Every method may be called while others are under way.
 */
export interface Database {
  /** Creates what is missing. Rejects when the database cannot be reached. */
  open(): Promise<void>;
  /** Adds rows, or replaces those of the same bucket and id, in one transaction. */
  upsert(rows: readonly Row[]): Promise<void>;
  /** The rows of a bucket, by id. */
  find(bucket: number): Promise<Row[]>;
  /** Rows of all buckets in [from, to), by bucket and id, read bit by bit. */
  stream(from: number, to: number): AsyncIterable<Row>;
  /** Stores a part of a large value. */
  putPart(value: number, part: number, data: Buffer): Promise<void>;
  /** The parts of a large value in order, read bit by bit. */
  parts(value: number): AsyncIterable<Buffer>;
  deleteValue(value: number): Promise<void>;
  connections(): Connections;
  /** Closes every connection and removes what was stored. Never rejects. */
  close(): Promise<void>;
}

export interface Row {
  bucket: number;
  id: number;
  body: string;
}

export interface Connections {
  open: number;
  /** Callers that wait for a connection. */
  waiting: number;
}

/** Rows or parts that are read at once while streaming. */
export const STREAM_ROWS = 64;
export const STREAM_PARTS = 4;
