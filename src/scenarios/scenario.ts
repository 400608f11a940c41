import type { Phase, TestScenario } from '../vocabulary.js';
import type { LoadPlan } from './load.js';
import type { LoadOutcome } from './load-ledger.js';
import type { Target } from './target.js';

/** The settings a scenario works with; durations in milliseconds, sizes in bytes. */
export interface ScenarioSettings {
  loadMs: number;
  warmUpMs: number;
  drainMs: number;
  cleanupTimeoutMs: number;
  operationTimeoutMs: number;
  floorIntervalMs: number;
  firstFloorIntervalMs?: number | undefined;
  concurrentOperations: number;
  operationsPerSecond: number;
  largeDataSizeBytes: number;
  exhaustionMemoryLimitBytes: number;
  maxOperations?: number | undefined;
}

/** Live memory with nothing in flight, right after full collections. Bytes. */
export interface FloorPoint {
  liveBytes: number;
}

/** What a scenario may do to the world: run phases, send load, measure the floor. */
export interface ScenarioContext {
  readonly target: Target;
  readonly settings: ScenarioSettings;
  readonly signal: AbortSignal;
  /** Marks the phase in the recording for as long as `body` runs. */
  phase<T>(phase: Phase, body: () => Promise<T>): Promise<T>;
  /** Forces full collections and records what is live. */
  floor(): Promise<FloorPoint>;
  /** Sends operations to the target; see LoadPlan. What is left out comes from the settings. */
  load(plan: Partial<LoadPlan>): Promise<LoadOutcome>;
  /** One operation outside the paced load; throws what it throws. */
  once(payloadBytes?: number): Promise<void>;
  /** Writes an event into the recording. */
  event(name: string, detail: unknown): void;
  /** Memory in use (live and garbage) right now, bytes. */
  inUseBytes(): number;
  /** Limits what the process may allocate beyond now. Null: not on this system. */
  limitMemory(bytes: number): number | null;
  unlimitMemory(): void;
  /** After a load that leaked: the same work again, watched more closely, to find out why. */
  diagnose?(): Promise<void>;
  /** Resolves after `durationMs`, or at once when the test is stopped. */
  rest(durationMs: number): Promise<void>;
}

/**
 * One of the eight: what it does while memory is judged. Starting, warming up,
 * settling and stopping the target are the same for all (see course.ts).
 */
export interface Scenario {
  readonly name: TestScenario;
  /** Which of the configured test durations the load phase lasts. */
  readonly length: 'short' | 'medium' | 'long';
  /** Work before the baseline; default: ordinary operations at the load's rate. */
  warmUp?(context: ScenarioContext): Promise<void>;
  load(context: ScenarioContext): Promise<LoadOutcome>;
  /** After the target was stopped. */
  afterTeardown?(context: ScenarioContext, baseline: FloorPoint): Promise<void>;
}
