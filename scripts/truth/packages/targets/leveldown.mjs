/** Reads forty records at once from a database on disk. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import leveldown from 'leveldown';

const folder = mkdtempSync(join(tmpdir(), 'records-'));
const database = leveldown(join(folder, 'db'));
const keys = Array.from({ length: 40 }, (_, k) => `record:${k}`);

export async function setup() {
  await promisify(database.open.bind(database))();
  for (const key of keys) await promisify(database.put.bind(database))(key, 'x'.repeat(100));
}

export async function operation() {
  const values = await promisify(database.getMany.bind(database))(keys);
  return { bytes: values.reduce((sum, value) => sum + value.length, 0) };
}

export async function teardown() {
  await promisify(database.close.bind(database))();
  rmSync(folder, { recursive: true });
}
