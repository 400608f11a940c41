import assert from 'node:assert/strict';
import { linkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  heapSources,
  nodeId,
  operationCounts,
  requireNoOverwrite,
  rowCount,
} from '../../../src/cli/heap-arguments.js';
import { folderWith } from '../../fixtures/folder.js';

test('operation counts are numbers between commas', () => {
  assert.deepEqual(operationCounts('1000,2000'), [1000, 2000]);
  assert.deepEqual(operationCounts('1e3, 5'), [1000, 5]);
  for (const wrong of ['', 'a', '1,', '1,,2', '1;2'])
    assert.throws(() => operationCounts(wrong), /separated by commas/);
});

test('an id is a number, also as reports write it', () => {
  assert.equal(nodeId('4711'), 4711);
  assert.equal(nodeId('@4711'), 4711);
  for (const wrong of ['', '@', '-1', '1.5', '0x10', 'Map', '99999999999999999']) {
    assert.throws(() => nodeId(wrong), /the id of an object/);
  }
});

test('a count of rows is a whole number above zero, and not one that no report could hold', () => {
  assert.equal(rowCount('10'), 10);
  for (const wrong of ['0', '-1', '1.5', 'ten', '', '1001'])
    assert.throws(() => rowCount(wrong), /whole number from 1 to 1000/);
});

test('standard input stands for one snapshot only, and not when it is a terminal', () => {
  const stdin = { isTTY: false } as NodeJS.ReadStream;
  assert.deepEqual(heapSources(['a', '-'], stdin), ['a', stdin]);
  assert.throws(() => heapSources(['-', '-'], stdin), { code: 'USAGE', message: /more than once/ });
  const terminal = { isTTY: true } as NodeJS.ReadStream;
  assert.throws(() => heapSources(['-'], terminal), { code: 'USAGE', message: /is the terminal/ });
  assert.deepEqual(heapSources(['a'], terminal), ['a']);
});

test('an output is never written over a snapshot that is read, by whatever name', (t) => {
  const folder = folderWith(t, { 'a.heapsnapshot': '{}', 'b.json': '' });
  const input = join(folder, 'a.heapsnapshot');
  const other = join(folder, 'hard-link');
  linkSync(input, other);
  for (const output of [input, join(folder, '.', 'a.heapsnapshot'), other]) {
    assert.throws(() => requireNoOverwrite('--output', output, [input]), { code: 'USAGE' });
  }
  requireNoOverwrite('--output', join(folder, 'b.json'), [input]);
  requireNoOverwrite('--output', join(folder, 'new.json'), [input]);
  requireNoOverwrite('--output', undefined, [input]);
});
