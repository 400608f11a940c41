import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  isLauncher,
  makeRecordingFolder,
  noteBeginning,
  noteEnding,
  recordedParties,
  reserveRecording,
} from '../../../src/recording/recording-folder.js';
import { folderWith } from '../../fixtures/folder.js';

const PARTY = { pid: 7, parentPid: 1, threadId: 0, argv: ['app.js'], startedAtEpochMs: 1 };

describe('a folder of recordings', () => {
  test('names a file for each process and thread, also for two of one id', (t) => {
    const folder = folderWith(t);
    assert.equal(reserveRecording(folder, 7, 0), '7.cmrec');
    assert.equal(reserveRecording(folder, 7, 2), '7-worker-2.cmrec');
    assert.equal(reserveRecording(folder, 7, 0), '7-2.cmrec');
  });

  test('tells who recorded, in their order, and how they ended if they lived to say', (t) => {
    const folder = folderWith(t);
    noteBeginning(folder, { ...PARTY, file: '7.cmrec' });
    noteBeginning(folder, { ...PARTY, file: '8.cmrec', pid: 8, parentPid: 7 });
    noteEnding(folder, '7.cmrec', 3);
    appendFileSync(join(folder, 'index.ndjson'), '{"began":true,"file":"9.cm');
    const parties = recordedParties(folder);
    assert.deepEqual(
      parties.map(({ file, ending }) => [file, ending?.exitCode]),
      [
        ['7.cmrec', 3],
        ['8.cmrec', undefined],
      ],
    );
    assert.deepEqual(recordedParties(folderWith(t)), []);
  });

  test('that is used again loses what its index names, and nothing that lies elsewhere', (t) => {
    const above = folderWith(t, { 'keep.cmrec': '', 'out/7.cmrec': '', 'out/mine.cmrec': '' });
    const folder = join(above, 'out');
    noteBeginning(folder, { ...PARTY, file: '7.cmrec' });
    noteBeginning(folder, { ...PARTY, file: '../keep.cmrec' });
    makeRecordingFolder(folder);
    assert.deepEqual(readdirSync(folder), ['mine.cmrec']);
    assert.ok(existsSync(join(above, 'keep.cmrec')));
  });

  test('knows what only starts the program that is meant', () => {
    for (const path of [
      '/usr/lib/node_modules/npm/bin/npm-cli.js',
      '/x/npx-cli.js',
      '/x/.bin/pnpm',
      '/x/yarn.js',
    ])
      assert.equal(isLauncher({ argv: [path, 'start'] }), true, path);
    for (const argv of [['/app/server.js'], ['/app/npm.js.map'], []])
      assert.equal(isLauncher({ argv }), false);
  });
});
