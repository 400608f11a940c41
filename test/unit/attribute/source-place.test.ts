import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { declarationOf, isProgramsOwn, packageOf, placeOf } from '../../../src/attribute/source-place.js';
import { folderWith } from '../../fixtures/folder.js';

describe('a place in the source', () => {
  test('is read from what the snapshot engine writes, URLs as paths', () => {
    assert.deepEqual(placeOf('/app/a:b.mjs:3:26'), { script: '/app/a:b.mjs', line: 3, column: 26 });
    assert.deepEqual(placeOf('file:///app/my%20server.mjs:1:1'), {
      script: '/app/my server.mjs',
      line: 1,
      column: 1,
    });
    assert.equal(placeOf('no place'), null);
    assert.equal(placeOf(null), null);
  });

  test('says that it is one of generated code where a source map is named and led nowhere', (t) => {
    const folder = folderWith(t, {
      'bundle.js': 'let a = 1;\n//# sourceMappingURL=bundle.js.map\n',
      'plain.js': 'let a = 1;\n',
    });
    assert.equal(placeOf(`${join(folder, 'bundle.js')}:1:5`)?.isGenerated, true);
    assert.equal(placeOf(`${join(folder, 'bundle.js')}:1:5`, true)?.isGenerated, undefined);
    assert.equal(placeOf(`${join(folder, 'plain.js')}:1:5`)?.isGenerated, undefined);
  });

  test('belongs to the nearest package with a name, if that is installed', (t) => {
    const folder = folderWith(t, {
      'package.json': '{"name":"app","version":"9.9.9"}',
      'node_modules/@scope/cache/package.json': '{"name":"@scope/cache","version":"1.2.3"}',
      'node_modules/@scope/cache/dist/package.json': '{"type":"module"}',
      'node_modules/@scope/cache/node_modules/inner/package.json': '{"name":"inner"}',
    });
    const inside = (path: string) => packageOf(join(folder, 'node_modules/@scope/cache', path));
    assert.deepEqual(inside('dist/index.js'), { name: '@scope/cache', version: '1.2.3' });
    assert.deepEqual(inside('node_modules/inner/index.js'), { name: 'inner', version: null });
    assert.equal(packageOf(join(folder, 'server.js')), null);
    assert.deepEqual(packageOf('/gone/node_modules/@a/b/lib/x.js'), { name: '@a/b', version: null });
  });

  test("is the program's own unless it is Node's or what measures it", () => {
    assert.ok(isProgramsOwn('/app/server.js'));
    assert.ok(!isProgramsOwn('node:internal/timers'));
    assert.ok(!isProgramsOwn(join(import.meta.dirname, '../../../src/runner/child.js')));
    assert.ok(isProgramsOwn(join(import.meta.dirname, '../../../src/services/lru-cache.js')));
  });
});

describe('where a container is declared', () => {
  test('is read from the text of its file, if that says it once', (t) => {
    const folder = folderWith(t, {
      'cache.mjs': [
        'class Cache {',
        '  #entries = new Map();',
        '  add(key) { this.#entries.set(key, key); }',
        '}',
        'const caches = [], other = 1;',
        'export let twice;',
        'function again() { const twice = 2; return twice; }',
      ].join('\n'),
    });
    const script = join(folder, 'cache.mjs');
    assert.deepEqual(declarationOf(script, '#entries'), { script, line: 2, column: 3 });
    assert.deepEqual(declarationOf(script, 'caches'), { script, line: 5, column: 7 });
    for (const unknown of ['twice', 'nowhere', '[x]']) assert.equal(declarationOf(script, unknown), null);
    assert.equal(declarationOf(join(folder, 'gone.mjs'), 'caches'), null);
  });
});
