import { totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import type { Capture, CaptureGroup } from '../capture/capture.js';
import { CrucibleMemoryError, messageOf } from '../errors.js';
import { loadCore } from '../native.js';
import {
  CUSTOM_CHANNEL_PREFIX,
  FLOOR_CHANNELS,
  OPERATION_CHANNELS,
  RecordedEvents,
  TARGET_CHANNELS,
  V8_CHANNELS,
} from '../recording/channels.js';
import { findCycles, heldGuards, leakedReferences, referenceCounts } from '../refcount/index.js';
import {
  type FloorPoint,
  type LoadOutcome,
  type LoadPlan,
  type LoadSurroundings,
  runLoad,
  type ScenarioContext,
  type ScenarioSettings,
  type Target,
  type TargetMetrics,
} from '../scenarios/index.js';
import { formatBytes, formatDuration, formatPercent } from '../units.js';
import { Phase } from '../vocabulary.js';
import { collectGarbage } from './collection.js';
import { diagnosisRounds } from './diagnosis-rounds.js';
import type { DiagnosisRequest, JudgedAnswer } from './messages.js';

const METRICS_WAIT_MS = 1000;
/** Sockets that close and timers that run off let go of memory within a few turns of the event loop. */
const LOOSE_ENDS_MS = 10;
/** Of what was leaked or is held, by place, so much goes into the recording. */
const REFERENCES_LISTED = 50;
/** Beyond this share of what the process may use, the load ends before the process does. */
const MEMORY_SHARE_AT_MOST = 0.8;

/**
 * The world that a scenario works in, inside the child: the target under it,
 * and the recording that holds what happens.
 */
export class TestSession implements ScenarioContext {
  readonly target: Target;
  readonly settings: ScenarioSettings;
  readonly signal: AbortSignal;
  /** The innermost phase that is running. */
  currentPhase: Phase = Phase.Setup;
  /** The innermost phase that something was thrown in. */
  failedPhase: Phase | undefined;
  readonly #capture: Capture;
  readonly #diagnosis: DiagnosisRequest | null;
  readonly #askJudge: (() => Promise<JudgedAnswer>) | undefined;
  readonly #v8: CaptureGroup;
  readonly #floor: CaptureGroup;
  readonly #counts: CaptureGroup;
  readonly #reported: CaptureGroup;
  readonly #custom = new Map<string, CaptureGroup>();
  readonly #notes = new Set<string>();
  #asking = false;
  #endRequested: string | null = null;
  #nextIndex = 0;
  #endedBefore = { completed: 0, failed: 0 };
  #running = { inFlight: 0, completed: 0, failed: 0 };
  #lastLoad: { outcome: LoadOutcome; plan: LoadPlan } | null = null;

  constructor(options: {
    target: Target;
    settings: ScenarioSettings;
    signal: AbortSignal;
    capture: Capture;
    /** Null: never. */
    diagnosis?: DiagnosisRequest | null;
    /** Whether the load that is over leaks. */
    askJudge?: () => Promise<JudgedAnswer>;
  }) {
    this.target = options.target;
    this.settings = options.settings;
    this.signal = options.signal;
    this.#capture = options.capture;
    this.#diagnosis = options.diagnosis ?? null;
    this.#askJudge = options.askJudge;
    this.#v8 = options.capture.group('v8', [...V8_CHANNELS]);
    this.#floor = options.capture.group('floor', [...FLOOR_CHANNELS]);
    this.#counts = options.capture.group('operations', [...OPERATION_CHANNELS]);
    this.#reported = options.capture.group('target', [...TARGET_CHANNELS]);
  }

  /** Operations that ended, over the whole test. */
  get operations(): number {
    return this.#endedBefore.completed + this.#running.completed;
  }

  async phase<T>(phase: Phase, body: () => Promise<T>): Promise<T> {
    const outer = this.currentPhase;
    const cpuBefore = process.cpuUsage();
    const beganMs = performance.now();
    this.currentPhase = phase;
    this.#capture.beginPhase(phase);
    try {
      await this.measure();
      if (phase === Phase.Teardown) this.#recordReferences();
      const result = await body();
      if (phase === Phase.Load) this.#recordLoad(result, cpuBefore, performance.now() - beganMs);
      return result;
    } catch (thrown) {
      this.failedPhase ??= phase;
      throw thrown;
    } finally {
      await this.measure();
      this.#capture.endPhase(phase);
      this.currentPhase = outer;
    }
  }

  #recordLoad(outcome: unknown, cpuBefore: NodeJS.CpuUsage, wallMs: number): void {
    const cpu = process.cpuUsage(cpuBefore);
    // Only a load that kept a schedule was asked for a rate.
    const last = this.#lastLoad;
    const isPaced = last !== null && last.outcome === outcome && last.plan.keepsSchedule;
    const targetRatePerSecond = isPaced ? last.plan.ratePerSecond : null;
    this.event(RecordedEvents.LoadOutcome, { ...(outcome as LoadOutcome), targetRatePerSecond });
    this.event(RecordedEvents.Cpu, { cpuUserUs: cpu.user, cpuSystemUs: cpu.system, wallMs });
  }

  /** After the last full collection of the load: what was leaked by then is known to be. */
  #recordReferences(): void {
    const counts = referenceCounts();
    if (counts.length === 0) return;
    const cycles = findCycles();
    this.event(RecordedEvents.References, {
      counts,
      leaked: leakedReferences().slice(0, REFERENCES_LISTED),
      held: heldGuards().slice(0, REFERENCES_LISTED),
      cycles: { ...cycles, cycles: cycles.cycles.slice(0, REFERENCES_LISTED) },
    });
  }

  async floor(): Promise<FloorPoint> {
    await sleep(LOOSE_ENDS_MS);
    await collectGarbage();
    const heap = getHeapStatistics();
    const liveBytes = heap.used_heap_size + heap.external_memory;
    this.#floor.append([
      liveBytes,
      heap.used_heap_size,
      heap.external_memory,
      this.#capture.readAllocator()?.inUseBytes,
      loadCore().readRss(process.pid) ?? undefined,
      this.operations,
    ]);
    return { liveBytes };
  }

  async diagnose(): Promise<void> {
    const request = this.#diagnosis;
    if (request === null || this.#askJudge === undefined || this.signal.aborted) return;
    const { isWorthDiagnosing, bytesPerOperation } = await this.#askJudge();
    if (!isWorthDiagnosing) return;
    await this.phase(Phase.Diagnosis, () => {
      const last = this.#lastLoad;
      const rate = last === null ? 0 : (last.outcome.completed * 1000) / Math.max(1, last.outcome.activeMs);
      return diagnosisRounds({
        capture: this.#capture,
        request,
        bytesPerOperation,
        operationsPerSecond: rate > 0 ? rate : null,
        operations: () => this.operations,
        work: (operations, durationMs) => this.#repeat(operations, durationMs),
        rest: (durationMs) => this.rest(durationMs),
        signal: this.signal,
      });
    });
  }

  /** Operations as the last load sent them, without its pauses. */
  async #repeat(maxOperations: number, durationMs: number): Promise<void> {
    if (this.#lastLoad === null) return;
    const plan = {
      ...this.#lastLoad.plan,
      maxOperations,
      durationMs,
      floorIntervalMs: Number.POSITIVE_INFINITY,
      firstFloorIntervalMs: undefined,
    };
    await this.#send(plan, {
      target: neverInlined(this.target),
      floor: async () => {},
      // The load may have been ended early; these operations are asked for by their number.
      endRequested: () => null,
    });
  }

  async load(given: Partial<LoadPlan>): Promise<LoadOutcome> {
    const { settings } = this;
    const plan: LoadPlan = {
      durationMs: settings.loadMs,
      ratePerSecond: settings.operationsPerSecond,
      keepsSchedule: true,
      burst: 1,
      maxInFlight: settings.concurrentOperations,
      floorIntervalMs: settings.floorIntervalMs,
      firstFloorIntervalMs: settings.firstFloorIntervalMs,
      operationTimeoutMs: settings.operationTimeoutMs,
      drainMs: settings.drainMs,
      ...(this.currentPhase === Phase.Load ? { maxOperations: settings.maxOperations } : {}),
      ...given,
    };
    const outcome = await this.#send(plan, {
      target: this.target,
      floor: async () => void (await this.floor()),
      endRequested: () => this.#endRequested,
    });
    this.#lastLoad = { outcome, plan };
    return outcome;
  }

  async #send(
    plan: LoadPlan,
    world: Pick<LoadSurroundings, 'target' | 'floor' | 'endRequested'>,
  ): Promise<LoadOutcome> {
    try {
      return await runLoad(plan, {
        ...world,
        signal: this.signal,
        nextIndex: () => this.#nextIndex++,
        counted: (inFlight, completed, failed) => {
          this.#running = { inFlight, completed, failed };
        },
        mustStop: () => this.#nearlyOutOfMemory(),
        phase: (phase, body) => this.phase(phase, body),
      });
    } finally {
      this.#endedBefore.completed += this.#running.completed;
      this.#endedBefore.failed += this.#running.failed;
      this.#running = { inFlight: 0, completed: 0, failed: 0 };
    }
  }

  async once(payloadBytes?: number): Promise<void> {
    const abort = new AbortController();
    const limitMs = this.settings.operationTimeoutMs;
    const timer = setTimeout(() => abort.abort(), limitMs);
    const late = new Promise<never>((_, reject) => {
      abort.signal.addEventListener('abort', () => reject(this.#operationTooLate(limitMs)), { once: true });
    });
    const operation = async () => {
      const result = await this.target.operation(this.#nextIndex++, {
        ...(payloadBytes === undefined ? {} : { payloadBytes }),
        concurrency: 1,
        signal: abort.signal,
      });
      if (result?.error !== undefined && result.error !== null) throw result.error;
    };
    try {
      await Promise.race([operation(), late]);
      this.#endedBefore.completed++;
    } catch (thrown) {
      this.#endedBefore.failed++;
      throw thrown;
    } finally {
      clearTimeout(timer);
    }
  }

  #operationTooLate(limitMs: number): CrucibleMemoryError {
    return new CrucibleMemoryError('OPERATION_TIMEOUT', {
      what: `an operation of ${this.target.name} did not end within ${formatDuration(limitMs)}`,
      why: 'its promise was neither resolved nor rejected',
      fix: 'look for what it waits for, or raise testDurations.operationTimeoutSeconds',
    });
  }

  event(name: string, detail: unknown): void {
    this.#capture.event(name, detail);
  }

  /** Enough was seen: the judged load ends now, the test goes on as after any load. */
  endLoad(verdict: 'leak' | 'no-leak', reason: string): void {
    if (this.currentPhase !== Phase.Load || this.#endRequested !== null) return;
    this.#endRequested = reason;
    this.event(RecordedEvents.StoppedEarly, { verdict, reason, plannedMs: this.settings.loadMs });
  }

  /** Something that a reader of the result should know; each sentence once. */
  note(text: string): void {
    if (this.#notes.has(text)) return;
    this.#notes.add(text);
    this.event(RecordedEvents.Note, { text });
  }

  inUseBytes(): number {
    const heap = getHeapStatistics();
    return heap.used_heap_size + heap.external_memory;
  }

  limitMemory(bytes: number): number | null {
    const limit = loadCore().limitMemoryGrowth(bytes);
    if (limit === null)
      this.note('this system cannot limit the memory of a process; only the V8 heap was limited');
    return limit === null ? null : bytes;
  }

  unlimitMemory(): void {
    loadCore().unlimitMemoryGrowth();
  }

  async rest(durationMs: number): Promise<void> {
    if (durationMs <= 0 || this.signal.aborted) return;
    await sleep(durationMs, undefined, { signal: this.signal }).catch(() => {});
  }

  /** One measurement of V8 and of the target's own books. */
  async measure(): Promise<void> {
    const { heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
    this.#v8.append([heapUsed, heapTotal, external, arrayBuffers]);
    this.#counts.append([
      this.operations,
      this.#endedBefore.failed + this.#running.failed,
      this.#running.inFlight,
    ]);
    if (this.target.metrics !== undefined && !this.#asking) await this.#askTarget();
  }

  /** A target whose metrics() fails or hangs loses its own books in the result, not the test. */
  async #askTarget(): Promise<void> {
    this.#asking = true;
    const answer = (async () => this.target.metrics?.())()
      .then(
        (metrics) => metrics && this.#recordMetrics(metrics),
        (thrown: unknown) => this.note(`metrics() of ${this.target.name} failed: ${messageOf(thrown)}`),
      )
      .finally(() => {
        this.#asking = false;
      });
    const late = new AbortController();
    const waited = sleep(METRICS_WAIT_MS, 'late' as const, { signal: late.signal }).catch(() => undefined);
    if ((await Promise.race([answer, waited])) === 'late') {
      this.note(`metrics() of ${this.target.name} took longer than ${formatDuration(METRICS_WAIT_MS)}`);
    }
    late.abort();
  }

  #recordMetrics(metrics: TargetMetrics): void {
    this.#reported.append([
      metrics.cacheMemoryBytes,
      metrics.cacheEntries,
      metrics.cacheHits,
      metrics.cacheMisses,
      metrics.connectionMemoryBytes,
      metrics.openConnections,
      metrics.maxConnections,
      metrics.queueLength,
      metrics.activeTasks,
      metrics.arcRefCount,
    ]);
    for (const [name, value] of Object.entries(metrics.custom ?? {})) {
      if (typeof value !== 'number' || !Number.isFinite(value)) continue;
      this.#customGroup(name).append([value]);
    }
  }

  #customGroup(name: string): CaptureGroup {
    const known = this.#custom.get(name);
    if (known) return known;
    const group = this.#capture.group(`${CUSTOM_CHANNEL_PREFIX}${name}`, [
      {
        name: `${CUSTOM_CHANNEL_PREFIX}${name}`,
        unit: name.endsWith('bytes') || name.endsWith('Bytes') ? 'bytes' : 'other',
        kind: 'real',
        description: `custom metric ${name} of ${this.target.name}`,
      },
    ]);
    this.#custom.set(name, group);
    return group;
  }

  #nearlyOutOfMemory(): string | null {
    const heap = getHeapStatistics();
    if (heap.used_heap_size > MEMORY_SHARE_AT_MOST * heap.heap_size_limit) {
      return this.#endEarly(
        `the V8 heap is at ${formatPercent(heap.used_heap_size / heap.heap_size_limit)} of its limit`,
      );
    }
    const limitBytes = memoryLimitBytes();
    const rss = process.memoryUsage.rss();
    if (rss <= MEMORY_SHARE_AT_MOST * limitBytes) return null;
    return this.#endEarly(`RSS is ${formatBytes(rss)} of the ${formatBytes(limitBytes)} that there are`);
  }

  #endEarly(reason: string): string {
    this.note(`the load ended early: ${reason}`);
    return reason;
  }
}

/**
 * The same target, whose operation V8 cannot compile into the loop that calls it: what it allocates would then
 * be this file's. Calls through a proxy are never inlined.
 */
function neverInlined(target: Target): Target {
  const operation = new Proxy(target.operation, {});
  return { name: target.name, operation: (index, options) => operation.call(target, index, options) };
}

/** What the container, or else the machine, lets the process have. */
export function memoryLimitBytes(): number {
  // Unlimited is 0, absent, or a number beyond the machine's memory, depending on the Node version.
  const constrained = process.constrainedMemory?.() ?? 0;
  return constrained > 0 && constrained < totalmem() ? constrained : totalmem();
}
