import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestPlace, readableGroupPath, readablePath } from '../../../src/snapshot/readable-path.js';
import { steps } from '../../fixtures/heap-answers.js';

/** Steps as real snapshots of Node 20 to 26 have them. */
const read = (text: string, ...places: [Parameters<typeof steps>[1]?]) =>
  readablePath(steps(text, ...places));

test('properties of the global object start at globalThis, in every version of Node', () => {
  assert.equal(read('.2=global .registry={list} .list=Array'), 'globalThis.registry.list');
  assert.equal(
    read('.2=system / NativeContext {global_object}=global (global*) .registry={list} .list=Array'),
    'globalThis.registry.list',
  );
  assert.equal(read('.2=global'), 'globalThis');
});

test('names that are no identifiers are quoted, also where a name imitates a path', () => {
  assert.equal(read('.2=global .routes={} .users/:id=Array'), 'globalThis.routes["users/:id"]');
  assert.equal(read('.2=global ["a~b"]=Array'), 'globalThis["a b"]');
  assert.equal(read('.2=global .a.b->c=Array'), 'globalThis["a.b->c"]');
});

test('what V8 puts between a name and its object is left out', () => {
  assert.equal(
    read('.2=global .handler=handle() {context}=variables (inner) ->inner=Array'),
    'globalThis.handler -> inner',
  );
  assert.equal(
    read('.2=global .sessions=Map {table}=(array) {2382}=Session .list=Array'),
    'globalThis.sessions[entry].list',
  );
  assert.equal(read('.2=global .list=Array {elements}=(array) [7]=Item'), 'globalThis.list[entry]');
  assert.equal(read('.2=global .list=Array [7]=Item .tags=Set'), 'globalThis.list[7].tags');
});

test('a way through the prototype of an unrelated object is cut off at the variable behind it', () => {
  const detour =
    '.2=global .sessions=Map {table}=(array) {2382}=Session .__proto__={constructor} .constructor=Session() ' +
    '{context}=variables (sessions, dict) ->dict={k1, k2}';
  assert.equal(read(detour), '(variable) dict');
  const place = { script: 'file:///srv/app/server.mjs', line: 4, column: 1 };
  assert.equal(read(detour, { 'variables (sessions, dict)': place }), 'server.mjs: dict');
});

test('a variable of a function that V8 names is told with its function', () => {
  const path =
    '[1]=(GC roots) [7]=(Stack roots) {27}=variables of start() (cache, limit) ->cache=Cache .entries=Map';
  assert.equal(read(path), 'start() -> cache.entries');
});

test('what a module exports is called so, because its cell has no name', () => {
  assert.equal(
    read(
      '.2=global ["<symbol~node:entry_point_module>"]=ModuleWrap {2}=system / SourceTextModule {0}=(array) {4}=system / Cell {value}=Cache .entries=Map',
    ),
    '(module export) Cache.entries',
  );
  assert.equal(
    read(
      '.2=global .on=on() {context}=variables (x) {extension}=system / SourceTextModule {0}=(array) {4}=system / Cell {value}=Map',
      { 'variables (x)': { script: 'file:///srv/app/server.mjs', line: 1, column: 1 } },
    ),
    'server.mjs: export Map',
  );
});

test('process is a beginning of its own: the way to it explains nothing', () => {
  assert.equal(
    read(
      '.2=global .queueMicrotask=queueMicrotask() {context}=variables (process) ->process=process .mainModule=Module .exports={store}',
    ),
    'process.mainModule.exports',
  );
});

test('what only V8 or the operating system holds starts at the list that holds it', () => {
  assert.equal(
    read('[1]=(GC roots) [3]=(Global handles) [12]=Socket ._events={data}'),
    '(Global handles) Socket._events',
  );
});

test('steps that cannot be left out without misleading stay', () => {
  assert.equal(read('.2=global .list=Array {map}=system / Map'), 'globalThis.list{map}');
  assert.equal(
    read(
      '.2=global .keys=Array [0]=Object 1~/~part~of~key~(Object~@5)~->~value~(X~@7)~pair~in~WeakMap~(table~@9)=X',
    ),
    'globalThis.keys[0][weak entry]',
  );
});

test('no steps are no text', () => {
  assert.equal(readablePath([]), '');
});

test('the place of an object is that of the last function or class on the way to it', () => {
  const place = (line: number) => ({ script: 'a.js', line, column: 1 });
  const path = steps('.2=global .handler=handle() {context}=variables (inner) ->inner=Array', {
    'handle()': place(8),
    'variables (inner)': place(9),
  });
  assert.deepEqual(nearestPlace(path), place(9));
  assert.equal(nearestPlace(steps('.2=global .a=Map')), null);
});

test('paths of groups are shortened in the same way', () => {
  for (const [path, expected] of [
    ['global.registry.list', 'globalThis.registry.list'],
    ['global', 'globalThis'],
    ['global (global*).a', 'globalThis.a'],
    ['globalCache.list', 'globalCache.list'],
    ['system / NativeContext{global_object}.registry.list', 'globalThis.registry.list'],
    ['global.handler{context}{previous}->sessions', 'globalThis.handler -> sessions'],
    ['{constructor}.constructor{context}->emitter._events.tick', '(variable) emitter._events.tick'],
    ['(GC roots)[x]->cache.entries', '(variable) cache.entries'],
    ['(array)[x]{value}.entries', '(module export).entries'],
    ['server.mjs->sessions', 'server.mjs: sessions'],
    ['node:internal/timers->lists[x]', 'node:internal/timers: lists[x]'],
    ['server.mjs->server._events.request{context}->inner', 'server.mjs: server._events.request -> inner'],
    ['server.mjs{extension}[x][x]{value}.entries', 'server.mjs: export.entries'],
    ['[eval]->cache', '[eval]: cache'],
    ["(V8's own)", "(V8's own)"],
    [
      'global.setImmediate{context}->timers[x]._idleNext._onTimeout{bound_this}._events->sessions',
      '(variable) sessions',
    ],
  ] as const) {
    assert.equal(readableGroupPath(path), expected);
  }
});

test('a place in the program is nearer than one in Node.js itself', () => {
  const path = steps(
    '.2=global .handler=handle() {context}=variables (emitter) ->emitter=EventEmitter ._events={tick} .tick=Array',
    {
      'handle()': { script: 'file:///srv/a.mjs', line: 8, column: 1 },
      EventEmitter: { script: 'node:events', line: 219, column: 22 },
    },
  );
  assert.equal(nearestPlace(path)?.line, 8);
});
