import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  compile,
  instantiate,
  programOf,
  textBytes,
} from '../../../src/services/script-engine/compiled-script.js';
import {
  createScriptEngine,
  type ScriptEngine,
  type ScriptEngineOptions,
} from '../../../src/services/script-engine/script-engine.js';
import { KIB, MIB } from '../../../src/units.js';
import { collectGarbage } from '../../fixtures/garbage-collection.js';

let engine: ScriptEngine;
afterEach(() => engine.stop());

async function started(options: Partial<ScriptEngineOptions> = {}): Promise<ScriptEngine> {
  engine = createScriptEngine(options);
  await engine.start();
  return engine;
}

async function nativeContexts(): Promise<number> {
  await collectGarbage();
  return engine.metrics().custom?.native_contexts_count ?? Number.NaN;
}

test('a script gets its input and gives its result, as JSON', async () => {
  await started();
  const { value, bytes } = await engine.execute('return { sum: input.a + input.b, seen: input };', {
    a: 1,
    b: 2,
  });
  assert.deepEqual(value, { sum: 3, seen: { a: 1, b: 2 } });
  assert.equal(bytes, '{"a":1,"b":2}'.length + '{"sum":3,"seen":{"a":1,"b":2}}'.length);
  assert.equal((await engine.execute('', 1)).value, null);
  assert.equal(
    (await engine.execute("return JSON.parse(await lookup('customer-7')).name;", null)).value,
    'record 7',
  );
});

test('every execution has a context of its own', async () => {
  await started();
  const source =
    'const before = globalThis.leftover; globalThis.leftover = 1; Array.prototype.extra = 1; return before ?? [].extra;';
  assert.equal((await engine.execute(source, 0)).value, 1);
  assert.equal(
    (await engine.execute('return globalThis.leftover ?? [].extra ?? "clean";', 0)).value,
    'clean',
  );
});

test('a script is compiled once and its code used again', async () => {
  await started();
  const { cacheHits = 0, cacheMisses = 0 } = engine.metrics();
  const isCached = [];
  for (let i = 0; i < 3; i++) isCached.push((await engine.execute('return input * 2;', i)).isCached);
  assert.deepEqual(isCached, [false, true, true]);
  assert.equal((engine.metrics().cacheHits ?? 0) - cacheHits, 2);
  assert.equal((engine.metrics().cacheMisses ?? 0) - cacheMisses, 1);
  assert.equal(engine.metrics().custom?.code_caches_rejected_count, 0);
});

test('V8 takes the cached code, and compiles again when it belongs to another program', async () => {
  await started();
  const first = compile('a', 'return 1;');
  assert.equal(first.bytes, textBytes(first.program) + first.codeCache.byteLength);
  assert.equal(instantiate(first.program, first.codeCache).cachedDataRejected, false);
  assert.equal(instantiate(programOf('return 1 + 1;'), first.codeCache).cachedDataRejected, true);
});

test('text takes a byte a character, and two when any of it is beyond Latin-1', () => {
  engine = createScriptEngine();
  assert.deepEqual(['', 'abc', 'äöü', 'a→b'].map(textBytes), [0, 3, 3, 6]);
});

test('the cache is full from the start and never exceeds its budget', async () => {
  await started({ cacheBudgetBytes: 512 * KIB });
  assert.ok((engine.metrics().cacheMemoryBytes ?? 0) > 400 * KIB);
  for (let i = 0; i < 400; i++) {
    await engine.operation(i);
    const { cacheMemoryBytes = 0, cacheEntries, arcRefCount } = engine.metrics();
    assert.ok(cacheMemoryBytes <= 512 * KIB);
    assert.equal(arcRefCount, cacheEntries, 'between executions only the cache owns scripts');
  }
  const { cacheHits = 0, cacheMisses = 0 } = engine.metrics();
  assert.equal(cacheHits + cacheMisses, 400);
  assert.ok(cacheMisses > 0 && cacheHits / 400 > 0.9, `${cacheHits} hits, ${cacheMisses} misses`);
});

test('contexts go away, also those of scripts that fail or are given up', async () => {
  await started({ executionTimeoutMs: 20 });
  const before = await nativeContexts();
  // On a busy machine some of these are given up: their contexts have to go as well.
  for (let i = 0; i < 200; i++) await Promise.allSettled([engine.operation(i)]);
  for (let i = 0; i < 20; i++) {
    await assert.rejects(engine.execute('throw Object.assign(new Error("no"), { self: globalThis });', 0));
    await assert.rejects(engine.execute('const self = globalThis; await new Promise(() => self);', 0));
  }
  await assert.rejects(engine.execute('for (;;);', 0));
  assert.equal(await nativeContexts(), before);
});

test('so many contexts are in use at once, and the other executions wait', async () => {
  await started({ maxContexts: 4 });
  const source = "await lookup('a-1'); await lookup('a-2'); return input;";
  const running = Promise.all(Array.from({ length: 50 }, (_, i) => engine.execute(source, i)));
  const queueLengths: number[] = [];
  for (let isDone = false; !isDone; ) {
    const { queueLength = 0, activeTasks = 0, custom } = engine.metrics();
    queueLengths.push(queueLength);
    assert.ok((custom?.contexts_in_use_count ?? 5) <= 4);
    isDone = queueLength + activeTasks === 0;
    await nextTurn();
  }
  assert.ok(Math.max(...queueLengths) >= 46);
  assert.deepEqual(
    (await running).map(({ value }) => value),
    Array.from({ length: 50 }, (_, i) => i),
  );
});

test('a script that loops or waits for ever is given up', async () => {
  await started({ executionTimeoutMs: 20 });
  const timedOut = { code: 'OPERATION_TIMEOUT', what: 'a script ran longer than 20 ms and was given up' };
  await assert.rejects(engine.execute('for (;;);', 0), timedOut);
  await assert.rejects(engine.execute('await new Promise(() => {});', 0), timedOut);
  assert.equal(engine.metrics().custom?.timeouts_count, 2);
  assert.equal(engine.metrics().activeTasks, 0);
});

test('a script that fails says why, and the error holds nothing of its context', async () => {
  await started();
  for (const [source, why] of [
    ['throw new TypeError("input is not a cart");', 'input is not a cart'],
    ['return missing;', 'missing is not defined'],
    ['throw "a string";', 'a string'],
    ['return {;', "Unexpected token ';'"],
    ['const a = {}; a.a = a; return a;', /circular structure/],
  ] as const) {
    await assert.rejects(engine.execute(source, 0), { code: 'SCRIPT_FAILED', why });
    await engine.execute(source, 0).catch((error) => assert.equal(error.cause, undefined));
  }
});

test('a script that is too long is refused, a long one runs without pushing others out of the cache', async () => {
  await started({ maxSourceBytes: 2 * MIB });
  await assert.rejects(engine.largeOperation(0, 3 * MIB), {
    code: 'PAYLOAD_TOO_LARGE',
    what: 'a script of 3.0 MiB was refused',
    why: 'scriptEngine.maxSourceBytes allows 2.0 MiB',
  });
  await assert.rejects(engine.execute(' '.repeat(2 * MIB + 1), 0), { code: 'PAYLOAD_TOO_LARGE' });
  const { cacheEntries } = engine.metrics();
  const { bytes } = await engine.largeOperation(0, 2 * MIB);
  assert.ok(Math.abs(bytes - 2 * MIB) < 8 * KIB, `${bytes} bytes were handled`);
  assert.equal(engine.metrics().cacheEntries, cacheEntries);
});
