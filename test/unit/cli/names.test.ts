import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { scenariosNamed, servicesNamed } from '../../../src/cli/names.js';
import { targetsNamed } from '../../../src/cli/targets.js';
import { nearestName } from '../../../src/nearest-name.js';
import { folderWith } from '../../fixtures/folder.js';

test('a service is understood in any spelling', () => {
  for (const spelling of ['ScriptEngine', 'script-engine', 'scriptengine', 'SCRIPT_ENGINE', 'script', 's']) {
    assert.deepEqual(servicesNamed([spelling]), ['ScriptEngine'], spelling);
  }
});

test('a scenario is understood in any spelling, or by a unique beginning', () => {
  for (const spelling of ['LargeDataProcessing', 'large-data-processing', 'large-data', 'la']) {
    assert.deepEqual(scenariosNamed([spelling]), ['LargeDataProcessing'], spelling);
  }
});

test('names come in the order of the vocabulary, each once', () => {
  assert.deepEqual(servicesNamed(['mcp', 'ScriptEngine', 'mcpgateway']), ['ScriptEngine', 'McpGateway']);
  assert.deepEqual(scenariosNamed(['long', 'idle']), ['IdleBaseline', 'LongRunningStability']);
});

test('a beginning of several names says which', () => {
  assert.throws(() => scenariosNamed(['l']), {
    code: 'UNKNOWN_NAME',
    what: 'there is no scenario "l"',
    why: 'it could be LargeDataProcessing or LongRunningStability',
  });
});

test('an unknown name is answered with the nearest one, or with the choices', () => {
  assert.throws(() => servicesNamed(['DataStor3']), {
    code: 'UNKNOWN_NAME',
    why: 'did you mean "DataStore"?',
  });
  assert.throws(() => servicesNamed(['redis']), {
    why: 'choose from ScriptEngine, InferenceEngine, DataStore, McpGateway',
  });
  assert.throws(() => servicesNamed(['']), { code: 'UNKNOWN_NAME' });
});

test('a target is a module by its path, or a service by its name', (t) => {
  const folder = folderWith(t, { 'target.mjs': '', datastore: '' });
  assert.deepEqual(targetsNamed(['./target.mjs', 'target.mjs', 'mcp-gateway'], folder), [
    join(folder, 'target.mjs'),
    'McpGateway',
  ]);
  assert.deepEqual(
    targetsNamed(['datastore'], folder),
    [join(folder, 'datastore')],
    'a file that is there wins',
  );
});

test('a target that is not there is answered with the nearest file or service', (t) => {
  const folder = folderWith(t, { 'target.mjs': '', 'README.md': '' });
  assert.throws(() => targetsNamed(['./taget.mjs'], folder), {
    code: 'TARGET_INVALID',
    why: `${join(folder, 'taget.mjs')} does not exist; did you mean "target.mjs"?`,
  });
  assert.throws(() => targetsNamed(['ScriptEngin'], folder), {
    code: 'UNKNOWN_NAME',
    why: 'there is no such file; did you mean "ScriptEngine"?',
  });
  assert.throws(() => targetsNamed(['.'], folder), { code: 'TARGET_INVALID', why: `${folder} is a folder` });
});

test('a far-fetched suggestion is not made', () => {
  assert.equal(nearestName('redis', ['postgres', 'sqlite']), undefined);
  assert.equal(nearestName('Idle_Base-line', ['IdleBaseline', 'SingleOperation']), 'IdleBaseline');
});
