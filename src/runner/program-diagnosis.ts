import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askAgent } from '../capture/control-client.js';
import type { MemoryTestConfig } from '../config/schema.js';
import { isWorthDiagnosing } from '../diagnose.js';
import { messageOf } from '../errors.js';
import { readRecording } from '../recording/index.js';
import { isLauncher, type RecordedParty } from '../recording/recording-folder.js';
import { formatBytes, formatDuration, KIB } from '../units.js';
import { judgeSettings } from './plan.js';
import type { RunningProgram } from './program.js';

/** Snapshots of one process: the first when it is seen to grow, the others while it goes on. */
const STEPS = 4;
/** Growth that goes on shows in no fewer: a program whose time is up is let go when it has these ... */
const STEPS_AT_LEAST = 3;
/** ... which are taken closer together. */
const LAST_BETWEEN_MS = 5000;
const LOOK_INTERVAL_MS = 3000;
/**
 * Snapshots hold the program up, and the first leaves line tables on its heap, on Node 20 half a megabyte. What
 * has lived for so long and is called a leak is judged the same with them.
 */
const LIFE_AT_LEAST_MS = 10_000;
/** Reading and judging a long recording takes a while: at most this share of the time, by our CPU time. */
const LOOK_COST_FACTOR = 20;
/** What should come between two snapshots, within these times. */
const GROWTH_BETWEEN_BYTES = 768 * KIB;
const BETWEEN_MS = { min: 2000, max: 60_000 };

/**
 * Watches the processes of a program while they run: in the first that is seen to leak it has heap snapshots
 * taken by the agent inside, so that the recording tells who holds what grows. Others, and programs that do
 * not leak, are left alone.
 * @returns ends the watching; `complete` when its time is up: takes the snapshots that are missing yet
 */
export function diagnoseWhileRunning(
  program: RunningProgram,
  options: { folder: string; config: MemoryTestConfig; say: (sentence: string) => void },
): { end(): void; complete(): Promise<void> } {
  return new ProgramWatch(program, options);
}

class ProgramWatch {
  readonly #program: RunningProgram;
  readonly #folder: string;
  readonly #config: MemoryTestConfig;
  readonly #say: (sentence: string) => void;
  readonly #isWanted: boolean;
  #leaking: { party: RecordedParty; steps: number; betweenMs: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #turning: Promise<void> = Promise.resolve();
  #lastStepMs = 0;
  #hasEnded = false;

  constructor(
    program: RunningProgram,
    options: { folder: string; config: MemoryTestConfig; say: (sentence: string) => void },
  ) {
    this.#program = program;
    this.#folder = options.folder;
    this.#config = options.config;
    this.#say = options.say;
    const { enabled, diagnose } = options.config.leakDetection;
    this.#isWanted = enabled && diagnose;
    if (this.#isWanted) this.#again(LIFE_AT_LEAST_MS);
  }

  end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
  }

  /** While the program still runs: a diagnosis under way is brought to its end, and a last look may begin one. */
  async complete(): Promise<void> {
    this.end();
    await this.#turning;
    if (!this.#isWanted) return;
    this.#leaking ??= await this.#firstLeaking().catch(() => undefined);
    if (this.#leaking === undefined) return;
    const { betweenMs } = this.#leaking;
    for (let tries = 0; this.#leaking.steps < STEPS_AT_LEAST && tries < STEPS_AT_LEAST; tries++) {
      await sleep(Math.max(0, this.#lastStepMs + Math.min(betweenMs, LAST_BETWEEN_MS) - performance.now()));
      await this.#tried(this.#turn());
    }
  }

  #again(afterMs: number): void {
    if (this.#hasEnded) return;
    this.#timer = setTimeout(() => {
      this.#turning = this.#tried(this.#turn());
    }, afterMs).unref();
  }

  /** What goes wrong here costs the diagnosis, not the recording. */
  #tried(turn: Promise<void>): Promise<void> {
    return turn.catch((error) => this.#say(`no diagnosis: ${messageOf(error)}`));
  }

  async #turn(): Promise<void> {
    const beganMs = performance.now();
    const cpuBefore = process.cpuUsage();
    this.#leaking ??= await this.#firstLeaking();
    if (this.#leaking === undefined) {
      const { user, system } = process.cpuUsage(cpuBefore);
      const costMs = (user + system) / 1000;
      return this.#again(Math.max(LOOK_INTERVAL_MS, LOOK_COST_FACTOR * costMs));
    }
    const { party, betweenMs } = this.#leaking;
    const answer = await askAgent(party.pid, { command: 'diagnose' });
    if (typeof answer === 'string') return this.#again(LOOK_INTERVAL_MS);
    this.#leaking.steps++;
    this.#lastStepMs = performance.now();
    const tookMs = this.#lastStepMs - beganMs;
    this.#say(
      `process ${party.pid} grows: heap snapshot ${this.#leaking.steps} of ${STEPS} (${formatBytes(answer.sizeBytes ?? 0)}, ${formatDuration(tookMs)})`,
    );
    if (this.#leaking.steps < STEPS) this.#again(Math.max(betweenMs, tookMs));
  }

  async #firstLeaking() {
    const settings = judgeSettings(this.#config);
    const running = this.#program
      .parties()
      .filter((party) => party.threadId === 0 && party.ending === undefined && !isLauncher(party));
    for (const party of running) {
      const recording = await readRecording(join(this.#folder, party.file)).catch(() => undefined);
      const worth = recording && settings && isWorthDiagnosing(recording, settings);
      if (worth?.verdict !== 'leak' || recording === undefined || recording.endMs < LIFE_AT_LEAST_MS)
        continue;
      const wantedMs = worth.leakRate > 0 ? (GROWTH_BETWEEN_BYTES / worth.leakRate) * 1000 : BETWEEN_MS.max;
      return { party, steps: 0, betweenMs: Math.min(BETWEEN_MS.max, Math.max(BETWEEN_MS.min, wantedMs)) };
    }
    return undefined;
  }
}
