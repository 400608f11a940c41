import v8 from 'node:v8';
import vm from 'node:vm';
import { CrucibleMemoryError, messageOf } from '../../errors.js';
import { Arc, ArcGroup, Mutex } from '../../refcount/index.js';
import { MIB } from '../../units.js';
import { Gate } from '../gate.js';
import { Lifecycle } from '../lifecycle.js';
import { LruCache } from '../lru-cache.js';
import { payloadTooLarge } from '../refusals.js';
import type { Service, ServiceMetrics } from '../service.js';
import { bulkCall, callAt, popularSources, ruleTables } from './catalogue.js';
import { type CompiledScript, compile, instantiate, keyOf, programOf, textBytes } from './compiled-script.js';
import type { ScriptEngineFault } from './faults.js';

export interface ScriptEngineOptions {
  /** Compiled scripts kept: text and code together, bytes. */
  cacheBudgetBytes: number;
  /** Contexts in use at once; further executions wait. */
  maxContexts: number;
  /** Limit of one execution, waiting for `lookup` included, milliseconds. */
  executionTimeoutMs: number;
  /** A script with a longer text is refused with PAYLOAD_TOO_LARGE, bytes. */
  maxSourceBytes: number;
  /** Leaks on purpose; see faults.ts. */
  fault?: ScriptEngineFault | undefined;
}

export interface ExecutionResult {
  value: unknown;
  /** Input and result as text, bytes. */
  bytes: number;
  isCached: boolean;
  durationMs: number;
}

export interface ScriptEngine extends Service {
  /**
   * Runs a script, the body of an async function of `input` (any JSON value)
   * and `lookup(key)` (resolves with a record as JSON text), in a fresh context.
   * Rejects with SCRIPT_FAILED, OPERATION_TIMEOUT or PAYLOAD_TOO_LARGE.
   */
  execute(source: string, input: unknown): Promise<ExecutionResult>;
}

export function createScriptEngine(options: Partial<ScriptEngineOptions> = {}): ScriptEngine {
  return new VmScriptEngine({
    cacheBudgetBytes: 4 * MIB,
    maxContexts: 64,
    executionTimeoutMs: 5000,
    maxSourceBytes: 64 * MIB,
    ...options,
  });
}

/**
 * Scripts in fresh `node:vm` contexts, compiled once.
 *
 * A context belongs to one execution and is garbage afterwards; the number of
 * contexts that V8 still knows (`native_contexts_count`) shows that it is.
 * Given up: an endless loop after the first `await` of a script is not
 * interrupted, as V8 can only stop the synchronous part.
 */
class VmScriptEngine implements ScriptEngine {
  readonly #options: ScriptEngineOptions;
  readonly #lifecycle: Lifecycle;
  readonly #contexts: Gate;
  readonly #arcs = new ArcGroup();
  readonly #cache: LruCache<Arc<CompiledScript>>;
  #executions = 0;
  #failures = 0;
  #timeouts = 0;
  #rejectedCodeCaches = 0;
  // What a fault accumulates; empty without one.
  readonly #remembered = new Map<string, { input: unknown; value: unknown }>();
  readonly #trialContexts: vm.Context[] = [];
  readonly #codeByExecution = new Map<string, Buffer>();
  #journal: Mutex<string[]> | undefined;

  constructor(options: ScriptEngineOptions) {
    this.#options = options;
    this.#contexts = new Gate(options.maxContexts);
    this.#cache = new LruCache(options.cacheBudgetBytes, (script) => script.drop());
    this.#lifecycle = new Lifecycle({
      service: 'ScriptEngine',
      open: async () => this.#preload(),
      close: async () => this.#cache.clear(),
    });
  }

  start(): Promise<void> {
    return this.#lifecycle.start();
  }

  stop(): Promise<void> {
    return this.#lifecycle.stop();
  }

  async operation(index: number): Promise<{ bytes: number }> {
    const { source, input } = callAt(index);
    const { bytes } = await this.execute(source, input);
    return { bytes };
  }

  async largeOperation(_index: number, payloadBytes: number): Promise<{ bytes: number }> {
    this.#refuseLargerThanAllowed(payloadBytes);
    const { source, input } = bulkCall(payloadBytes);
    const { bytes } = await this.execute(source, input);
    return { bytes: bytes + textBytes(source) };
  }

  execute(source: string, input: unknown): Promise<ExecutionResult> {
    return this.#lifecycle.run(() => {
      this.#refuseLargerThanAllowed(textBytes(source));
      return this.#contexts.run(() => this.#executeInContext(source, input));
    });
  }

  metrics(): ServiceMetrics {
    return {
      cacheMemoryBytes: this.#cache.bytes,
      cacheEntries: this.#cache.entries,
      cacheHits: this.#cache.hits,
      cacheMisses: this.#cache.misses,
      queueLength: this.#contexts.waiting,
      activeTasks: this.#lifecycle.tasks - this.#contexts.waiting,
      arcRefCount: this.#arcs.strongCount,
      custom: {
        native_contexts_count: v8.getHeapStatistics().number_of_native_contexts,
        contexts_in_use_count: this.#contexts.inside,
        executions_count: this.#executions,
        failures_count: this.#failures,
        timeouts_count: this.#timeouts,
        code_caches_rejected_count: this.#rejectedCodeCaches,
      },
    };
  }

  async #executeInContext(source: string, input: unknown): Promise<ExecutionResult> {
    const startedMs = performance.now();
    this.#executions++;
    const key = keyOf(source);
    const cached = this.#cache.get(key)?.clone();
    try {
      const script = cached ? this.#fromCache(cached.value) : this.#compiled(key, source);
      const inputText = JSON.stringify(input) ?? 'null';
      const resultText = await this.#run(script, inputText, cached !== undefined);
      const value = JSON.parse(resultText);
      if (this.#options.fault === 'unbounded-cache')
        this.#remembered.set(`${key} ${inputText}`, { input, value });
      if (this.#options.fault === 'code-cache-by-key')
        this.#codeByExecution.set(`${key} ${this.#executions}`, script.createCachedData());
      if (this.#options.fault === 'guard-never-released')
        void this.#write(`${key} ${inputText} ${resultText}`);
      return {
        value,
        bytes: textBytes(inputText) + textBytes(resultText),
        isCached: cached !== undefined,
        durationMs: performance.now() - startedMs,
      };
    } catch (error) {
      throw this.#explained(error);
    } finally {
      cached?.drop();
    }
  }

  #fromCache({ program, codeCache }: CompiledScript): vm.Script {
    const script = instantiate(program, codeCache);
    if (script.cachedDataRejected) this.#rejectedCodeCaches++;
    return script;
  }

  #compiled(key: string, source: string): vm.Script {
    // One script must not throw out most of the others.
    if (textBytes(source) > this.#options.cacheBudgetBytes / 8) return instantiate(programOf(source));
    return this.#fromCache(this.#keep(compile(key, source)));
  }

  #keep(script: CompiledScript): CompiledScript {
    const arc = Arc.of(script, { name: 'ScriptEngine.script', group: this.#arcs });
    if (!this.#cache.set(script.key, arc, script.bytes)) arc.drop();
    return script;
  }

  async #run(script: vm.Script, inputText: string, isCached: boolean): Promise<string> {
    const { executionTimeoutMs } = this.#options;
    const deadlineMs = performance.now() + executionTimeoutMs;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<string>((succeed, fail) => {
        const globals = Object.assign(Object.create(null), { inputText, lookup, succeed, fail });
        const context = vm.createContext(globals);
        if (this.#options.fault === 'contexts-kept' && !isCached) this.#trialContexts.push(context);
        script.runInContext(context, { timeout: executionTimeoutMs });
        timer = setTimeout(() => fail(new Timeout()), Math.max(1, deadlineMs - performance.now()));
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async #write(entry: string): Promise<void> {
    this.#journal ??= new Mutex<string[]>([], { name: 'ScriptEngine.journal' });
    const journal = await this.#journal.lock();
    journal.value.push(entry);
  }

  /** Says what went wrong in plain words; the error of the context itself would keep the context alive. */
  #explained(error: unknown): CrucibleMemoryError {
    if (error instanceof Timeout || codeOf(error) === 'ERR_SCRIPT_EXECUTION_TIMEOUT') {
      this.#timeouts++;
      return new CrucibleMemoryError('OPERATION_TIMEOUT', {
        what: `a script ran longer than ${this.#options.executionTimeoutMs} ms and was given up`,
        why: 'it loops or waits for something that does not come',
        fix: 'make the script do less, or raise executionTimeoutMs',
      });
    }
    this.#failures++;
    return new CrucibleMemoryError('SCRIPT_FAILED', {
      what: 'a script failed',
      why: reasonOf(error),
      fix: 'correct the script, or the input that it was given',
    });
  }

  #refuseLargerThanAllowed(sourceBytes: number): void {
    const { maxSourceBytes } = this.#options;
    if (sourceBytes > maxSourceBytes) {
      throw payloadTooLarge('a script', sourceBytes, maxSourceBytes, 'scriptEngine.maxSourceBytes');
    }
  }

  /** Fills the cache before the first call, so that it has its working size from the start. */
  #preload(): void {
    const popular = popularSources().map((source) => compile(keyOf(source), source));
    const popularBytes = popular.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const source of ruleTables()) {
      const table = compile(keyOf(source), source);
      if (this.#cache.bytes + table.bytes + popularBytes > this.#options.cacheBudgetBytes) break;
      this.#keep(table);
    }
    for (const script of popular) this.#keep(script);
  }
}

class Timeout extends Error {}

/** The one thing that a script can ask of its host: a record, a moment later. */
function lookup(key: string): Promise<string> {
  return new Promise((resolve) => {
    setImmediate(() => {
      const id = Number(/\d+$/.exec(String(key))?.[0] ?? 0);
      resolve(JSON.stringify({ id, name: `record ${id}` }));
    });
  });
}

/** Errors of a context, V8's own time-out among them, are not instances of this realm's Error. */
function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

function reasonOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'message' in error) return String(error.message);
  return messageOf(error);
}
