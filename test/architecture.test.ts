import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, test } from 'node:test';

/** The repository, from dist/test/ where this file runs. */
const ROOT = resolve(import.meta.dirname, '../..');
const SRC = join(ROOT, 'src');

/** Files at the top of src/ that every folder may use. */
const VOCABULARY = ['errors', 'units', 'vocabulary', 'nearest-name'];

/** What each folder (or top-level file) of src/ may import besides the vocabulary and itself. */
const MAY_IMPORT: Record<string, string[]> = {
  errors: [],
  units: [],
  vocabulary: [],
  'nearest-name': [],
  native: ['native-isolate'],
  'native-isolate': ['native'],
  recording: ['native'],
  snapshot: ['native'],
  diagnosis: [],
  refcount: [],
  config: [],
  capture: ['recording', 'refcount', 'native'],
  detect: ['recording', 'snapshot', 'diagnosis'],
  attribute: ['recording', 'snapshot', 'diagnosis', 'refcount'],
  report: ['diagnosis', 'recording', 'snapshot'],
  diagnose: ['recording', 'snapshot', 'diagnosis', 'detect', 'attribute'],
  analyze: ['recording', 'diagnosis', 'detect'],
  compare: ['recording', 'diagnosis', 'detect'],
  services: ['refcount'],
  scenarios: [],
  runner: [
    'native',
    'recording',
    'diagnosis',
    'config',
    'capture',
    'diagnose',
    'report',
    'services',
    'scenarios',
    'refcount',
  ],
  cli: ['runner', 'report', 'config', 'diagnosis', 'recording', 'snapshot', 'analyze', 'compare'],
  index: [
    'runner',
    'report',
    'config',
    'diagnosis',
    'recording',
    'snapshot',
    'scenarios',
    'diagnose',
    'analyze',
    'compare',
    'detect',
    'refcount',
  ],
};

/** Where code belongs that one folder wants of another. */
const ADVICE =
  'move what both need into a noun folder (recording, snapshot, diagnosis), or let the caller pass it in';

const FORBIDDEN_NAMES = /^(utils?|helpers?|common|types|constants|misc|shared)\.(ts|h|cc|mjs)$/;
/** A file beyond this is more than one idea. */
const LINES_AT_MOST = 450;

interface Import {
  from: string;
  to: string;
  typeOnly: boolean;
}

function filesBelow(folder: string, endings: RegExp): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && endings.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

function importsOf(path: string): Import[] {
  const text = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const statements = text.matchAll(
    /^\s*(?:import|export)\s+(type\s+)?[^'"`;]*?from\s+['"](\.[^'"]+)['"]|import\(\s*['"](\.[^'"]+)['"]/gm,
  );
  return [...statements].map(([, type, fixed, dynamic]) => ({
    from: path,
    to: resolve(dirname(path), (fixed ?? dynamic ?? '').replace(/\.js$/, '.ts')),
    typeOnly: type !== undefined,
  }));
}

/** The folder below src/, or the name of a file that lies at its top. */
function roomOf(path: string): string {
  const [first = '', second] = relative(SRC, path).split(sep);
  return second === undefined ? first.replace(/\.ts$/, '') : first;
}

const sources = filesBelow(SRC, /\.ts$/);
const imports = sources.flatMap(importsOf);

describe('architecture', () => {
  test('a folder imports only what the design allows it', () => {
    const wrong = imports.flatMap(({ from, to }) => {
      const [room, wanted] = [roomOf(from), roomOf(to)];
      if (room === wanted || VOCABULARY.includes(wanted)) return [];
      const allowed = MAY_IMPORT[room];
      assert.ok(
        allowed,
        `src/${room} is not in the design: say in test/architecture.test.ts what it may import`,
      );
      return allowed.includes(wanted)
        ? []
        : [`${relative(ROOT, from)}: ${room} may not import ${wanted}: ${ADVICE}`];
    });
    assert.deepEqual(wrong, []);
  });

  test('no file imports itself by way of others', () => {
    const graph = new Map<string, string[]>();
    for (const { from, to, typeOnly } of imports) {
      if (!typeOnly) graph.set(from, [...(graph.get(from) ?? []), to]);
    }
    assert.deepEqual(
      cyclesOf(graph).map((cycle) => cycle.map((path) => relative(SRC, path)).join(' -> ')),
      [],
    );
  });

  test('only native.ts loads an addon', () => {
    const loaders = sources.filter((path) => /\.node['"`]|dlopen/.test(readFileSync(path, 'utf8')));
    assert.deepEqual(
      loaders.map((path) => relative(SRC, path)),
      ['native.ts'],
    );
  });

  test('only cli ends the process, and the child of a test', () => {
    const enders = sources
      .filter((path) => /process\.exit\(/.test(readFileSync(path, 'utf8')))
      .map((path) => relative(SRC, path).split(sep).join('/'))
      .filter((path) => !path.startsWith('cli/'));
    assert.deepEqual(enders, ['runner/child.ts']);
  });

  test('napi.h is reached only from native/addon, v8.h only from native/isolate', () => {
    const native = filesBelow(join(ROOT, 'native'), /\.(h|cc|cpp)$/);
    const wrong = native.flatMap((path) => {
      const room = relative(join(ROOT, 'native'), path).split(sep)[0];
      const text = readFileSync(path, 'utf8');
      return [
        ...(/#include\s*[<"](napi|node_api)\.h/.test(text) && room !== 'addon' ? [`${path}: napi.h`] : []),
        ...(/#include\s*[<"]v8[.\-/]/.test(text) && room !== 'isolate' ? [`${path}: v8.h`] : []),
      ];
    });
    assert.deepEqual(wrong, []);
  });

  test('recording and heap in native/ include nothing of the other folders', () => {
    const wrong = ['recording', 'heap'].flatMap((room) =>
      filesBelow(join(ROOT, 'native', room), /\.(h|cc)$/).flatMap((path) =>
        [...readFileSync(path, 'utf8').matchAll(/#include\s*"([^"]+)"/g)]
          .map(([, included = '']) => included)
          .filter((included) => /(^|\/)(addon|process|isolate|preload)\//.test(included))
          .map((included) => `${relative(ROOT, path)} includes ${included}: it must build without Node`),
      ),
    );
    assert.deepEqual(wrong, []);
  });

  test('no file has a name that says nothing', () => {
    const named = [
      ...sources,
      ...filesBelow(join(ROOT, 'native'), /./),
      ...filesBelow(join(ROOT, 'test'), /\.ts$/),
    ];
    assert.deepEqual(
      named
        .map((path) => relative(ROOT, path))
        .filter((path) => FORBIDDEN_NAMES.test(path.split(sep).at(-1) ?? '')),
      [],
    );
  });

  test('no file is longer than one idea', () => {
    const long = [...sources, ...filesBelow(join(ROOT, 'native'), /\.(h|cc)$/)]
      .map((path) => ({ path: relative(ROOT, path), lines: readFileSync(path, 'utf8').split('\n').length }))
      .filter(({ lines }) => lines > LINES_AT_MOST);
    assert.deepEqual(long, []);
  });
});

/** Every cycle once, by depth-first search. */
function cyclesOf(graph: Map<string, string[]>): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (node: string): void => {
    const at = path.indexOf(node);
    if (at >= 0) {
      cycles.push([...path.slice(at), node]);
      return;
    }
    if (done.has(node)) return;
    path.push(node);
    for (const next of graph.get(node) ?? []) visit(next);
    path.pop();
    done.add(node);
  };
  for (const node of graph.keys()) visit(node);
  return cycles;
}
