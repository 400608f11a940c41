import { stat } from 'node:fs/promises';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { Arc, type ArcGroup, type TrackedResource, trackResource } from '../../refcount/index.js';
import { loadPackage } from '../optional-package.js';
import { unavailable } from '../refusals.js';
import type { InferenceEngineFault } from './faults.js';

/** A model that is in memory, ready to run. */
export interface LoadedModel {
  path: string;
  session: InferenceSession;
  /** The session counts as open until the runtime has released it. */
  openSession: TrackedResource;
  /** Size of the model's file, bytes; what the runtime makes of it is more, and it does not say. */
  bytes: number;
}

/** The parts of onnxruntime-node that are used here. */
export interface Runtime {
  InferenceSession: typeof InferenceSession;
  Tensor: typeof Tensor;
}

export function loadRuntime(): Promise<Runtime> {
  return loadPackage('InferenceEngine', 'onnxruntime-node', () => import('onnxruntime-node'));
}

/**
 * Keeps so many models loaded; the one that was not used longest is unloaded
 * first. A model in use stays in memory until its last user lets go of it, so
 * unloading never pulls a session away from under a running inference.
 */
export class ModelCache {
  readonly #runtime: Runtime;
  readonly #maxModels: number;
  readonly #arcs: ArcGroup;
  /** Least recently used first. Promises, so that two callers do not load the same model twice. */
  readonly #models = new Map<string, Promise<Arc<LoadedModel>>>();
  readonly #releases = new Set<Promise<void>>();
  readonly #fault: InferenceEngineFault | undefined;
  /** Filled by the fault 'model-not-released' only. */
  readonly #retired: Promise<Arc<LoadedModel>>[] = [];
  #loadedBytes = 0;
  #loadedCount = 0;
  #hits = 0;
  #misses = 0;

  constructor(runtime: Runtime, maxModels: number, arcs: ArcGroup, fault?: InferenceEngineFault) {
    this.#runtime = runtime;
    this.#maxModels = maxModels;
    this.#arcs = arcs;
    this.#fault = fault;
  }

  /** Models in memory, those included that were unloaded but are still in use. */
  get loadedCount(): number {
    return this.#loadedCount;
  }

  get loadedBytes(): number {
    return this.#loadedBytes;
  }

  get hits(): number {
    return this.#hits;
  }

  get misses(): number {
    return this.#misses;
  }

  /** The caller becomes an owner of the model and must drop() it. Rejects with SERVICE_UNAVAILABLE. */
  async acquire(path: string): Promise<Arc<LoadedModel>> {
    let model = this.#models.get(path);
    if (model) {
      this.#hits++;
      this.#models.delete(path);
    } else {
      this.#misses++;
      this.#evictDownTo(this.#maxModels - 1);
      model = this.#load(path);
      // A model that cannot be loaded is not kept, so that the next caller tries again.
      model.catch(() => this.#models.get(path) === model && this.#models.delete(path));
    }
    this.#models.set(path, model);
    // Cloned in the same turn in which the promise resolves for whoever asked
    // first; an eviction in between drops only the cache's own reference.
    return model.then((arc) => arc.clone());
  }

  unload(path: string): void {
    const model = this.#models.get(path);
    if (!model) return;
    this.#models.delete(path);
    if (this.#fault === 'model-not-released') this.#retired.push(model);
    else model.then((arc) => arc.drop()).catch(() => undefined);
  }

  /** Unloads everything; resolves when the runtime has released the last session. */
  async clear(): Promise<void> {
    const models = [...this.#models.values()];
    this.#evictDownTo(0);
    await Promise.allSettled(models);
    await Promise.all(this.#releases);
  }

  #evictDownTo(count: number): void {
    for (const path of this.#models.keys()) {
      if (this.#models.size <= count) return;
      this.unload(path);
    }
  }

  async #load(path: string): Promise<Arc<LoadedModel>> {
    try {
      const { size: bytes } = await stat(path);
      // One thread: the engine runs many inferences, not one as fast as possible.
      const session = await this.#runtime.InferenceSession.create(path, {
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        executionMode: 'sequential',
      });
      const openSession = trackResource('InferenceEngine.session', session);
      const model = { path, session, openSession, bytes };
      this.#loadedCount++;
      this.#loadedBytes += model.bytes;
      return Arc.of(model, {
        name: 'InferenceEngine.model',
        group: this.#arcs,
        dispose: (value) => this.#release(value),
      });
    } catch (error) {
      throw unavailable(
        `the model ${path} could not be loaded`,
        'give the path of a readable ONNX model',
        error,
      );
    }
  }

  #release(model: LoadedModel): void {
    const release = model.session
      .release()
      .then(() => {
        model.openSession.release();
        this.#loadedCount--;
        this.#loadedBytes -= model.bytes;
      })
      // A model that the runtime does not give back stays in the books.
      .catch(() => undefined)
      .finally(() => this.#releases.delete(release));
    this.#releases.add(release);
  }
}
