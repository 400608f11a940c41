import type { Look } from '../diagnose.js';
import type { MemoryTestResult, ThresholdViolation } from '../diagnosis/index.js';
import type { Phase, TestScenario } from '../vocabulary.js';

/** One planned test: what will be run and how long it should take. */
export interface PlannedTest {
  testId: string;
  target: string;
  scenario: TestScenario;
  /** The leak that is switched on in the service on purpose. */
  injectedFault?: string;
  /** Expected length with set-up and clean-up, milliseconds. */
  plannedMs: number;
}

/** Where a running test stands; sent about four times a second. */
export interface TestProgress {
  testId: string;
  phase: Phase;
  elapsedMs: number;
  plannedMs: number;
  /** Resident set size of the child, read from outside; null where it cannot be had. */
  rssBytes: number | null;
  operations: number;
}

/** What MemoryTestRunner emits while it works. Listeners must not throw. */
export interface RunnerEvents {
  plan: [tests: PlannedTest[]];
  testStart: [test: PlannedTest];
  progress: [progress: TestProgress];
  /** A test that may stop early was judged while it runs; the verdict is provisional unless it says otherwise. */
  look: [testId: string, look: Look];
  /** Only with reporting.detailedLogging: a line for a person, no newline. */
  log: [testId: string, line: string];
  /** Only with reporting.enableAlerts: the moment a violation is found. */
  alert: [result: MemoryTestResult, violation: ThresholdViolation];
  testEnd: [result: MemoryTestResult];
}
