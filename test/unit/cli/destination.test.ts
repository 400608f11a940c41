import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { destinationFor, requireWritable } from '../../../src/cli/destination.js';
import { folderWith } from '../../fixtures/folder.js';

test('a folder gets results.json; a path that ends in .json is the report itself', () => {
  assert.deepEqual(destinationFor('/out'), { reportPath: '/out/results.json', directory: '/out' });
  assert.deepEqual(destinationFor('/out/x.json'), { reportPath: '/out/x.json', directory: '/out/x' });
});

test('the folders are made, and the probe leaves nothing behind', (t) => {
  const folder = folderWith(t);
  requireWritable(destinationFor(join(folder, 'a', 'b', 'x.json')), 1);
  assert.deepEqual(readdirSync(folder, { recursive: true }).sort(), [
    'a',
    join('a', 'b'),
    join('a', 'b', 'x'),
  ]);
});

test('a path through a file cannot be written to', (t) => {
  const folder = folderWith(t, { file: '' });
  assert.throws(() => requireWritable(destinationFor(join(folder, 'file', 'out')), 1), {
    code: 'OUTPUT_UNWRITABLE',
  });
});

test('a folder in the place of the report is noticed', (t) => {
  const folder = folderWith(t, { 'results.json/x': '' });
  assert.throws(() => requireWritable(destinationFor(folder), 1), {
    code: 'OUTPUT_UNWRITABLE',
    why: 'there is a folder of that name',
  });
});

test('a disk with too little space for the recordings is noticed before the run', (t) => {
  const folder = folderWith(t);
  assert.throws(() => requireWritable(destinationFor(folder), 2 ** 60), {
    code: 'OUTPUT_UNWRITABLE',
    why: 'the recordings of this run need about 1048576 TiB',
  });
});
