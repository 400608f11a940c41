import type { MemoryTestResult } from '../diagnosis/index.js';
import type { PlannedTest, TestProgress } from '../runner/progress.js';
import type { Phase } from '../vocabulary.js';

/** Draws a run on stderr while it goes on. */
export interface ProgressDisplay {
  /** Draws the last state; afterwards stderr may be written to again. */
  finish(): Promise<void>;
}

/** Points that are kept of a running test's memory; a longer test is drawn coarser. */
const TRACE_POINTS = 128;

/** One test of the run, from its plan to its result. */
export interface TestState {
  readonly planned: PlannedTest;
  status: 'waiting' | 'running' | 'finished';
  phase?: Phase;
  elapsedMs: number;
  operations: number;
  /** RSS since the test began, bytes, at even intervals. */
  trace: number[];
  result?: MemoryTestResult;
}

/** Where the whole run stands; what the displays draw. */
export class RunProgress {
  readonly tests: readonly TestState[];
  readonly #startedMs: number;
  readonly #now: () => number;
  #pointsEach = 1;
  #pending: number[] = [];

  constructor(plan: readonly PlannedTest[], now: () => number = () => performance.now()) {
    this.tests = plan.map((planned) => ({
      planned,
      status: 'waiting',
      elapsedMs: 0,
      operations: 0,
      trace: [],
    }));
    this.#now = now;
    this.#startedMs = now();
  }

  /** The test that is running; tests run one after the other. */
  get running(): TestState | undefined {
    return this.tests.find(({ status }) => status === 'running');
  }

  get finishedCount(): number {
    return this.tests.filter(({ status }) => status === 'finished').length;
  }

  get elapsedMs(): number {
    return this.#now() - this.#startedMs;
  }

  /** By the plan of what is left. */
  get remainingMs(): number {
    const left = this.tests.filter(({ status }) => status !== 'finished');
    return left.reduce((total, test) => total + Math.max(0, test.planned.plannedMs - test.elapsedMs), 0);
  }

  started({ testId }: PlannedTest): TestState | undefined {
    const test = this.#find(testId, 'waiting');
    if (test) test.status = 'running';
    this.#pointsEach = 1;
    this.#pending = [];
    return test;
  }

  progressed(progress: TestProgress): TestState | undefined {
    const test = this.#find(progress.testId, 'running');
    if (!test) return undefined;
    test.phase = progress.phase;
    test.elapsedMs = progress.elapsedMs;
    test.operations = progress.operations;
    if (progress.rssBytes !== null) this.#trace(test, progress.rssBytes);
    return test;
  }

  ended(result: MemoryTestResult): TestState | undefined {
    const test = this.#find(result.testId, 'running');
    if (test) Object.assign(test, { status: 'finished', result });
    return test;
  }

  /** Two targets may have the same name, so the first one in this state is meant. */
  #find(testId: string, status: TestState['status']): TestState | undefined {
    return this.tests.find((test) => test.planned.testId === testId && test.status === status);
  }

  /** When the trace is full, every two points become one, and from then on twice as many go into each. */
  #trace(test: TestState, rssBytes: number): void {
    this.#pending.push(rssBytes);
    if (this.#pending.length < this.#pointsEach) return;
    test.trace.push(Math.max(...this.#pending));
    this.#pending = [];
    if (test.trace.length < TRACE_POINTS) return;
    test.trace = pairwiseHighest(test.trace);
    this.#pointsEach *= 2;
  }
}

function pairwiseHighest(values: readonly number[]): number[] {
  return Array.from({ length: values.length / 2 }, (_, index) =>
    Math.max(values[2 * index] ?? 0, values[2 * index + 1] ?? 0),
  );
}
