import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadPackage } from '../../../src/services/optional-package.js';

test('a package that is not installed is named together with its service and the command that installs it', async () => {
  const missing: string = 'a-package-that-nobody-installed';
  await assert.rejects(
    loadPackage('DataStore', missing, () => import(missing)),
    {
      code: 'DEPENDENCY_MISSING',
      what: 'DataStore needs the package "a-package-that-nobody-installed"',
      why: 'it is not installed',
      fix: 'npm install a-package-that-nobody-installed',
    },
  );
});

test('a package that is there but broken keeps its own reason', async () => {
  const load = () => Promise.reject(new Error('NODE_MODULE_VERSION 115'));
  await assert.rejects(loadPackage('DataStore', 'better-sqlite3', load), {
    code: 'DEPENDENCY_MISSING',
    why: 'it is there, but does not load: NODE_MODULE_VERSION 115',
    fix: 'npm rebuild better-sqlite3',
  });
});
