import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { ChatServer } from '../../../src/services/inference-engine/chat-server.js';
import {
  createInferenceEngine,
  type InferenceEngine,
  type InferenceEngineOptions,
} from '../../../src/services/inference-engine/inference-engine.js';
import { MIB } from '../../../src/units.js';
import { reluModel } from '../../fixtures/onnx-model.js';

const ROW = 512;
let engine: InferenceEngine;
afterEach(() => engine.stop());

async function started(options: Partial<InferenceEngineOptions> = {}): Promise<InferenceEngine> {
  engine = createInferenceEngine(options);
  await engine.start();
  return engine;
}

const noise = (rows: number) => Float32Array.from({ length: rows * ROW }, (_, i) => Math.sin(i * i) * 0.5);

test('a batch gives every row the score that the row has on its own', async () => {
  await started();
  const samples = noise(70);
  const together = await engine.infer(samples);
  assert.equal(together.length, 70);
  for (const row of [0, 1, 31, 32, 63, 69]) {
    const [alone = Number.NaN] = await engine.infer(samples.slice(row * ROW, (row + 1) * ROW));
    assert.ok(alone >= 0 && alone <= 1);
    assert.ok(
      Math.abs(alone - (together[row] ?? Number.NaN)) < 1e-4,
      `row ${row}: ${alone}, ${together[row]}`,
    );
  }
  assert.ok(new Set(together).size > 10, 'the scores depend on the samples');
});

test('samples that do not fill a row are followed by silence', async () => {
  await started();
  const short = noise(1).slice(0, 100);
  const padded = new Float32Array(ROW);
  padded.set(short);
  assert.deepEqual(await engine.infer(short), await engine.infer(padded));
});

test('any model runs that takes rows of floats', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'onnx-'));
  try {
    const modelPath = join(folder, 'relu.onnx');
    await writeFile(modelPath, reluModel(4));
    await started({ modelPath });
    assert.deepEqual(await engine.infer(Float32Array.of(1, 2, 3, 4, -5, 6, 7, 8)), Float32Array.of(1, 0));
    for (let i = 0; i < 20; i++) await engine.operation(i);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('so many models stay loaded, and the one not used longest is unloaded first', async () => {
  await started({ maxLoadedModels: 1 });
  const [first = '', second = ''] = engine.modelPaths;
  const books = () => {
    const { cacheEntries, cacheMisses, cacheHits, arcRefCount } = engine.metrics();
    return { cacheEntries, cacheMisses, cacheHits, arcRefCount };
  };
  assert.deepEqual(books(), { cacheEntries: 1, cacheMisses: 2, cacheHits: 0, arcRefCount: 1 });
  await engine.infer(noise(1), first);
  await engine.infer(noise(1), second);
  await engine.infer(noise(1), second);
  await engine.infer(noise(1), first);
  assert.deepEqual(books(), { cacheEntries: 1, cacheMisses: 4, cacheHits: 2, arcRefCount: 1 });
});

test('callers who want the same model at once share one', async () => {
  await started();
  const [first = ''] = engine.modelPaths;
  engine.unload(first);
  const { cacheMisses = 0 } = engine.metrics();
  await Promise.all(Array.from({ length: 20 }, () => engine.infer(noise(1), first)));
  assert.equal((engine.metrics().cacheMisses ?? 0) - cacheMisses, 1);
  assert.equal(engine.metrics().cacheEntries, 2);
});

test('a model in use is released only when its last inference has ended', async () => {
  await started();
  const [first = ''] = engine.modelPaths;
  const { cacheMemoryBytes: loadedBytes = 0 } = engine.metrics();
  const running = engine.infer(noise(100), first);
  await new Promise((resolve) => setImmediate(resolve));
  engine.unload(first);
  assert.equal(engine.metrics().cacheMemoryBytes, loadedBytes);
  assert.equal((await running).length, 100);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(engine.metrics().cacheEntries, 1);
  assert.ok((engine.metrics().cacheMemoryBytes ?? 0) < loadedBytes);
});

test('a model that cannot be loaded or fed is named', async () => {
  engine = createInferenceEngine({ modelPath: '/nowhere/model.onnx' });
  await assert.rejects(engine.start(), {
    code: 'SERVICE_UNAVAILABLE',
    what: 'the model /nowhere/model.onnx could not be loaded',
  });
  assert.deepEqual([engine.metrics().cacheEntries, engine.metrics().arcRefCount], [0, 0]);
  await started();
  for (let i = 0; i < 2; i++)
    await assert.rejects(engine.infer(noise(1), '/nowhere/model.onnx'), { code: 'SERVICE_UNAVAILABLE' });
  await engine.infer(noise(1));
});

test('a batch that is too large is refused, and samples are counted while they are worked on', async () => {
  await started({ maxBatchBytes: MIB });
  await assert.rejects(engine.largeOperation(0, MIB + 1), { code: 'PAYLOAD_TOO_LARGE' });
  const running = engine.largeOperation(0, MIB);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(engine.metrics().custom?.samples_in_flight_bytes, MIB);
  assert.deepEqual(await running, { bytes: MIB });
  assert.equal(engine.metrics().custom?.samples_in_flight_bytes, 0);
});

test('an answer of the language model is the same, streamed or whole', async () => {
  await started({ model: 'tiny' });
  const whole = await engine.complete('what holds this?');
  assert.deepEqual(await engine.complete('what holds this?', { isStreamed: true }), whole);
  assert.equal(whole.text.split(' ').length, 48);
  assert.equal(whole.finishReason, 'stop');
  assert.equal(whole.bytes, 'what holds this?'.length + whole.text.length);
  assert.deepEqual(await engine.listModels(), ['tiny']);
});

test('requests share so many connections, and their bodies are counted until they are answered', async () => {
  await started({ maxConnections: 3 });
  let mostBytes = 0;
  let longestQueue = 0;
  const prompt = 'x'.repeat(10_000);
  const running = Array.from({ length: 30 }, (_, i) =>
    engine.complete(prompt, { isStreamed: i % 2 === 0 }).finally(() => {
      const { openConnections = 0, connectionMemoryBytes = 0, queueLength = 0 } = engine.metrics();
      assert.ok(openConnections >= 1 && openConnections <= 3);
      mostBytes = Math.max(mostBytes, connectionMemoryBytes);
      longestQueue = Math.max(longestQueue, queueLength);
    }),
  );
  await Promise.all(running);
  assert.ok(mostBytes > 10_000, `${mostBytes} bytes were under way`);
  assert.ok(longestQueue > 20);
  assert.deepEqual([engine.metrics().connectionMemoryBytes, engine.metrics().queueLength], [0, 0]);
  await engine.stop();
  assert.equal(engine.metrics().openConnections, 0);
});

test('a provider that is away, refuses or does not know the model is an error with its reason', async () => {
  await started({ baseURL: 'http://127.0.0.1:1/v1' });
  await assert.rejects(engine.complete('?'), {
    code: 'SERVICE_UNAVAILABLE',
    why: 'connect ECONNREFUSED 127.0.0.1:1',
  });
  await engine.stop();

  const server = new ChatServer({ maxRequestBytes: 1000, models: ['other'] });
  try {
    await started({ baseURL: await server.start() });
    await assert.rejects(engine.complete('?', { isStreamed: true }), {
      code: 'SERVICE_UNAVAILABLE',
      why: '404 the model "gpt-4o-mini" does not exist',
    });
    await assert.rejects(engine.complete('x'.repeat(2000)), { code: 'PAYLOAD_TOO_LARGE' });
    assert.deepEqual([engine.metrics().connectionMemoryBytes, engine.metrics().activeTasks], [0, 0]);
  } finally {
    await server.stop();
  }
});
