import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { CrucibleMemoryError, messageOf } from '../errors.js';
import { formatDuration } from '../units.js';
import { LoadLedger, type LoadOutcome } from './load-ledger.js';
import type { Target } from './target.js';

/** How a load phase sends operations. */
export interface LoadPlan {
  durationMs: number;
  /** Ends the load earlier, after so many operations. */
  maxOperations?: number | undefined;
  /** Operations per second over all. */
  ratePerSecond: number;
  /**
   * true: operations are sent at that rate whether or not earlier ones have
   * ended (open loop), and waiting counts in their latency. false: the rate is
   * only the most that is sent; a slow target moves the schedule (closed loop).
   */
  keepsSchedule: boolean;
  /** Operations that are sent at the same moment; the rate counts each of them. */
  burst: number;
  /** Most operations in flight; those beyond wait, and the wait counts in their latency. */
  maxInFlight: number;
  payloadBytes?: number | undefined;
  /** Time between two pauses for a floor point, milliseconds. */
  floorIntervalMs: number;
  /** The same at the beginning, for tests that are judged while they run; it grows with the time. */
  firstFloorIntervalMs?: number | undefined;
  operationTimeoutMs: number;
  /** Rest after the last operation has ended, before the closing floor. */
  drainMs: number;
}

/** What the load needs of the world around it. */
export interface LoadSurroundings {
  target: Target;
  signal: AbortSignal;
  /** The first index that is free; operations count over the whole test. */
  nextIndex(): number;
  /** Told of every change, so that the recording can hold it. */
  counted(inFlight: number, completed: number, failed: number): void;
  /** Called with nothing in flight: forces full collections and records the floor. */
  floor(): Promise<void>;
  /** A reason to stop early that whoever watches the test has; asked all the time. */
  endRequested(): string | null;
  /** A reason to stop early, asked after every floor point: memory is nearly used up. */
  mustStop(): string | null;
  phase<T>(phase: 'drain', body: () => Promise<T>): Promise<T>;
}

/** Timers fire late by up to this much on an idle event loop. */
const TIMER_RESOLUTION_MS = 2;
/** Longest stretch of sending without a look at the clock and a turn for others. */
const SENDING_SLICE_MS = 5;
/** Time-outs and the abort signal are looked at this often at least. */
const LONGEST_SLEEP_MS = 50;
/** Collections of a large heap take long: they get about a tenth of the time ... */
const FLOOR_COST_FACTOR = 10;
/** ... unless that would leave too few floor points to judge by. */
const FLOORS_AT_LEAST = 20;
/** Where the first floor points come sooner, so many lie in any stretch from the beginning on. */
const EARLY_FLOORS = 40;
/** Failing without a single success for so long ends the load: nothing is measured any more. */
const FAILING_MS = 5000;

/**
 * Sends operations at a steady rate, with pauses in which nothing is in flight
 * and the live floor is measured.
 *
 * The schedule is fixed beforehand (operation k is meant to begin at
 * k / rate); pauses move it, a slow target does not. What could not be sent by
 * the end is not sent: the rate reached shows it.
 *
 * Throws OPERATION_TIMEOUT when an operation does not end in time.
 */
export async function runLoad(plan: LoadPlan, around: LoadSurroundings): Promise<LoadOutcome> {
  const load = new Load(plan, around);
  return load.run();
}

class Load {
  readonly #ledger = new LoadLedger();
  readonly #startsInFlight = new Map<number, number>();
  readonly #plan: LoadPlan;
  readonly #around: LoadSurroundings;
  readonly #abort = new AbortController();
  #scheduled = 0;
  #pausedMs = 0;
  /** How much a slow target has moved a schedule that is not kept. */
  #slippedMs = 0;
  #wake: (() => void) | null = null;

  constructor(plan: LoadPlan, around: LoadSurroundings) {
    this.#plan = plan;
    this.#around = around;
  }

  async run(): Promise<LoadOutcome> {
    const { durationMs, floorIntervalMs, firstFloorIntervalMs } = this.#plan;
    const beganMs = performance.now();
    let endedEarly: string | null = null;
    try {
      let nextFloorMs = (await this.#floor()) + (firstFloorIntervalMs ?? floorIntervalMs);
      while (performance.now() - beganMs < durationMs && !this.#isDone()) {
        this.#sendDue(beganMs);
        this.#checkTimeouts();
        if (performance.now() >= nextFloorMs) {
          const floorBeganMs = performance.now();
          const floorEndedMs = await this.#floor();
          nextFloorMs =
            floorEndedMs + this.#restBetweenFloors(floorEndedMs - floorBeganMs, floorEndedMs - beganMs);
          endedEarly = this.#around.mustStop();
        }
        endedEarly ??= this.#around.endRequested() ?? this.#failingForTooLong();
        if (endedEarly !== null) break;
        await this.#waitForNext(beganMs, Math.min(beganMs + durationMs, nextFloorMs));
      }
      const activeMs = performance.now() - beganMs - this.#pausedMs;
      await this.#around.phase('drain', async () => {
        await this.#allEnded();
        if (!this.#around.signal.aborted) await sleep(this.#plan.drainMs);
      });
      await this.#around.floor();
      return this.#ledger.outcome(activeMs, endedEarly);
    } finally {
      this.#abort.abort();
    }
  }

  #restBetweenFloors(lastFloorTookMs: number, elapsedMs: number): number {
    const { durationMs, firstFloorIntervalMs = this.#plan.floorIntervalMs } = this.#plan;
    const floorIntervalMs = Math.min(
      this.#plan.floorIntervalMs,
      Math.max(firstFloorIntervalMs, elapsedMs / EARLY_FLOORS),
    );
    const affordableMs = Math.min(FLOOR_COST_FACTOR * lastFloorTookMs, durationMs / FLOORS_AT_LEAST);
    return Math.max(floorIntervalMs, affordableMs);
  }

  #isDone(): boolean {
    const { maxOperations } = this.#plan;
    return this.#around.signal.aborted || (maxOperations !== undefined && this.#scheduled >= maxOperations);
  }

  #failingForTooLong(): string | null {
    const failingMs = this.#ledger.closingFailuresMs;
    return failingMs < FAILING_MS ? null : `every operation failed for ${formatDuration(failingMs)}`;
  }

  /** When the k-th operation is meant to begin: bursts, evenly spaced. */
  #intendedMs(beganMs: number, k: number): number {
    const { burst, ratePerSecond } = this.#plan;
    return (
      beganMs + this.#pausedMs + this.#slippedMs + (Math.floor(k / burst) * burst * 1000) / ratePerSecond
    );
  }

  #sendDue(beganMs: number): void {
    const nowMs = performance.now();
    while (
      this.#startsInFlight.size < this.#plan.maxInFlight &&
      !this.#isDone() &&
      this.#intendedMs(beganMs, this.#scheduled) <= nowMs
    ) {
      this.#send(this.#intendedMs(beganMs, this.#scheduled));
      // A synchronous target can take long for each: others want a turn.
      if (performance.now() - nowMs > SENDING_SLICE_MS) break;
    }
  }

  #send(intendedMs: number): void {
    const index = this.#around.nextIndex();
    const sentMs = performance.now();
    if (!this.#plan.keepsSchedule) this.#slippedMs += Math.max(0, sentMs - intendedMs);
    // Lateness within a timer's resolution is this program's, beyond it the target's.
    const isOnTime = !this.#plan.keepsSchedule || sentMs - intendedMs <= TIMER_RESOLUTION_MS;
    const countsFromMs = isOnTime ? sentMs : intendedMs;
    this.#scheduled++;
    this.#ledger.started++;
    this.#startsInFlight.set(index, sentMs);
    this.#report();
    void this.#perform(index).then((ending) => {
      const nowMs = performance.now();
      this.#startsInFlight.delete(index);
      if (ending.error === null) this.#ledger.succeeded(nowMs - countsFromMs, ending.bytes, nowMs);
      else this.#ledger.failedWith(ending.error, nowMs - countsFromMs, nowMs);
      this.#report();
      this.#wake?.();
    });
  }

  async #perform(index: number): Promise<{ error: string | null; bytes: number }> {
    try {
      const result = await this.#around.target.operation(index, {
        ...(this.#plan.payloadBytes === undefined ? {} : { payloadBytes: this.#plan.payloadBytes }),
        concurrency: this.#plan.maxInFlight,
        signal: this.#abort.signal,
      });
      if (result?.error !== undefined && result.error !== null)
        return { error: messageOf(result.error), bytes: 0 };
      return { error: null, bytes: result?.bytes ?? 0 };
    } catch (thrown) {
      return { error: messageOf(thrown), bytes: 0 };
    }
  }

  #report(): void {
    this.#around.counted(this.#startsInFlight.size, this.#ledger.completed, this.#ledger.failed);
  }

  /** Sleeps until an operation is due, or one ends while as many as allowed are in flight. */
  async #waitForNext(beganMs: number, latestMs: number): Promise<void> {
    const isFull = this.#startsInFlight.size >= this.#plan.maxInFlight;
    const dueMs = isFull ? latestMs : Math.min(latestMs, this.#intendedMs(beganMs, this.#scheduled));
    const waitMs = Math.min(LONGEST_SLEEP_MS, dueMs - performance.now());
    if (isFull) await this.#nextEnd(Math.max(1, waitMs));
    else if (waitMs > 0) await sleep(waitMs);
    else await nextTurn();
  }

  /** Resolves when an operation ends, or after a while. */
  #nextEnd(atMostMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(done, atMostMs);
      this.#wake = done;
    });
  }

  /** Lets everything in flight end, so that the floor holds no half-done work, and measures it. Returns the time. */
  async #floor(): Promise<number> {
    const beganMs = performance.now();
    await this.#allEnded();
    await this.#around.floor();
    const endedMs = performance.now();
    this.#pausedMs += endedMs - beganMs;
    return endedMs;
  }

  async #allEnded(): Promise<void> {
    while (this.#startsInFlight.size > 0 && !this.#around.signal.aborted) {
      await this.#nextEnd(LONGEST_SLEEP_MS);
      this.#checkTimeouts();
    }
  }

  #checkTimeouts(): void {
    const oldest = this.#startsInFlight.entries().next();
    if (oldest.done) return;
    const [index, beganMs] = oldest.value;
    const tookMs = performance.now() - beganMs;
    if (tookMs < this.#plan.operationTimeoutMs) return;
    throw new CrucibleMemoryError('OPERATION_TIMEOUT', {
      what: `operation ${index} of ${this.#around.target.name} did not end within ${formatDuration(this.#plan.operationTimeoutMs)}`,
      why: 'its promise was neither resolved nor rejected',
      fix: 'look for what it waits for, or raise testDurations.operationTimeoutSeconds',
    });
  }
}
