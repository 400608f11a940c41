import assert from 'node:assert/strict';
import { Session } from 'node:inspector/promises';
import { test } from 'node:test';
import { foreignKind } from '../../../src/snapshot/foreign-file.js';

const kindOf = (document: unknown) => foreignKind(Buffer.from(JSON.stringify(document)));

test('profiles and reports that Node.js writes are told from heap snapshots', async () => {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    await session.post('HeapProfiler.startSampling');
    assert.equal(kindOf((await session.post('Profiler.stop')).profile), 'a CPU profile (.cpuprofile)');
    const { profile } = await session.post('HeapProfiler.stopSampling');
    assert.equal(kindOf(profile), 'a sampling heap profile (.heapprofile)');
  } finally {
    session.disconnect();
  }
  assert.equal(kindOf(process.report.getReport()), 'a diagnostic report of Node.js');
});

test('files of other kinds are recognised by how they begin', () => {
  assert.equal(foreignKind(Buffer.from('CRUCMEM\n\x01')), 'a recording of crucible-memory');
  assert.equal(foreignKind(Buffer.from([0x7f, 0x45, 0x4c, 0x46])), 'a program or a core dump');
  assert.equal(kindOf({ schemaVersion: 1, tool: 'crucible-memory' }), 'a report of crucible-memory');
});

test('what may be a snapshot is left to the parser', () => {
  for (const text of ['', ' ', '{', '{"snapshot":{', '{"strings":["{\\"nodes\\":"', '{ "nodes": [9,1'])
    assert.equal(foreignKind(Buffer.from(text)), undefined, text);
});
