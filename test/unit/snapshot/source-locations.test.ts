import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { SourceLocations } from '../../../src/snapshot/source-locations.js';
import { folderWith } from '../../fixtures/folder.js';

/** A script whose second line stands in line 40 of its source. */
const MAPPINGS = ';AAuCA';
const map = (overrides: object = {}) =>
  JSON.stringify({ version: 3, sources: ['app.ts'], names: [], mappings: MAPPINGS, ...overrides });
const script = (reference: string) => `"use strict";\nexport class A {}\n//# sourceMappingURL=${reference}\n`;
const inline = (text: string) => `data:application/json;base64,${Buffer.from(text).toString('base64')}`;

const locate = (path: string, line = 2, column = 8) =>
  new SourceLocations().locate({ script: path, line, column });

test('a compiled class is found in the line of its TypeScript source', async (t) => {
  const source =
    '// a comment that the compiler drops\ninterface Key {\n  id: number;\n}\n\nexport class Sessions {}\n';
  const compiled = ts.transpileModule(source, {
    fileName: 'sessions.ts',
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2022,
      sourceMap: true,
      removeComments: true,
    },
  });
  const folder = folderWith(t, {
    'sessions.js': compiled.outputText,
    'sessions.js.map': compiled.sourceMapText ?? '',
  });
  const line = compiled.outputText.split('\n').findIndex((text) => text.includes('class Sessions')) + 1;
  assert.notEqual(line, 6, 'the line of the script is another one');
  const { location, generatedLocation } = await locate(join(folder, 'sessions.js'), line, 1);
  assert.match(location ?? '', /sessions\.ts:6:\d+$/);
  assert.equal(location?.startsWith(folder), true, 'as a path');
  assert.equal(generatedLocation, `${join(folder, 'sessions.js')}:${line}:1`);
});

test('maps are found beside the script, under file URLs, inline, and by absolute path', async (t) => {
  const folder = folderWith(t, { 'maps/app map.json': map(), 'inline.js': script(inline(map())) });
  const expected = (sourceFolder: string) => `${join(sourceFolder, 'app.ts')}:40:1`;
  const write = (name: string, reference: string) => folderWith(t, { [name]: script(reference) });
  assert.equal((await locate(join(folder, 'inline.js'))).location, expected(folder));
  const percent = inline(map()).replace(/;base64,.*/, `,${encodeURIComponent(map())}`);
  const other = write('percent.js', percent);
  assert.equal((await locate(join(other, 'percent.js'))).location, expected(other));
  const maps = join(folder, 'maps');
  const byPath = write('a.js', join(maps, 'app%20map.json'));
  assert.equal((await locate(join(byPath, 'a.js'))).location, expected(maps));
  const byUrl = write('a.js', pathToFileURL(join(maps, 'app map.json')).href);
  assert.equal((await locate(pathToFileURL(join(byUrl, 'a.js')).href)).location, expected(maps));
});

test('sourceRoot, URLs and the sections of a bundle lead to their sources', async (t) => {
  const cases: [object, (folder: string) => string][] = [
    [{ sourceRoot: '../src/' }, (folder) => `${join(folder, '..', 'src', 'app.ts')}:40:1`],
    [{ sourceRoot: '/srv/src' }, () => '/srv/src/app.ts:40:1'],
    [{ sources: ['webpack://app/./src/app.ts'] }, () => 'webpack://app/./src/app.ts:40:1'],
    [{ sources: ['file:///srv/app.ts'] }, () => '/srv/app.ts:40:1'],
    [
      { sections: [{ offset: { line: 0, column: 0 }, map: JSON.parse(map({ sourceRoot: '/part' })) }] },
      () => '/part/app.ts:40:1',
    ],
  ];
  for (const [overrides, expected] of cases) {
    const folder = folderWith(t, { 'app.js': script('app.js.map'), 'app.js.map': `)]}'\n${map(overrides)}` });
    assert.equal((await locate(join(folder, 'app.js'))).location, expected(folder));
  }
});

test('whatever is wrong with a map, the place in the script stays', async (t) => {
  const broken = {
    'no comment': 'a\nb\n',
    'no map beside it': script('gone.map'),
    'from a network': script('https://example.com/app.js.map'),
    'another host': script('file://example.com/app.js.map'),
    'no JSON': script(inline('{')),
    'no map': script(inline('{"version":3}')),
    'sources that are none': script(inline(map({ sources: [null] }))),
    'a place that it does not have': script(inline(map({ mappings: 'AAAA' }))),
    'a comment in the middle': `//# sourceMappingURL=${inline(map())}\nexport class A {}\n`,
    'letters that are no mappings': script(inline(map({ mappings: '!!!,;?' }))),
    'a list in place of sections': script(inline(map({ sections: [1] }))),
    'a folder': script('.'),
  };
  const folder = folderWith(t, broken);
  for (const name of Object.keys(broken)) {
    assert.deepEqual(await locate(join(folder, name)), { location: `${join(folder, name)}:2:8` }, name);
  }
});

test('only plain files are read: a pipe by the name of a script does not stop the report', {
  skip: process.platform === 'win32' && 'there are no named pipes',
}, async (t) => {
  const pipe = join(folderWith(t), 'pipe.js');
  execFileSync('mkfifo', [pipe]);
  assert.deepEqual(await locate(pipe), { location: `${pipe}:2:8` });
});

test('scripts that are no files keep the name that V8 has for them', async () => {
  for (const name of [
    'node:internal/timers',
    'evalmachine.<anonymous>',
    'https://example.com/a.js',
    '//host/a.js',
  ]) {
    assert.deepEqual(await locate(name), { location: `${name}:2:8` });
  }
  assert.deepEqual(await new SourceLocations().locate(null), { location: null });
});
