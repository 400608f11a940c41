import type { MemoryTestConfig } from '../config/schema.js';
import type { ScenarioSettings } from '../scenarios/index.js';
import type { Phase, ServiceType, TestScenario } from '../vocabulary.js';

/** What is tested: one of the four services, or a user's module. */
export type TargetSpec =
  | {
      kind: 'service';
      service: ServiceType;
      /** The leak that is switched on in it, if one is: a name of planted-leaks.ts. */
      fault?: string;
    }
  /** `name` is the one that its results are filed under. */
  | { kind: 'module'; path: string; name: string };

/** Parent to child: the one test that this process is for. */
export interface TestRequest {
  type: 'test';
  testId: string;
  target: TargetSpec;
  scenario: TestScenario;
  settings: ScenarioSettings;
  sampling: MemoryTestConfig['sampling'];
  measurementIntervalMs: number;
  services: MemoryTestConfig['services'];
  recordingPath: string;
  /** Null: the test ends without a diagnosis. */
  diagnosis: DiagnosisRequest | null;
}

/** What a diagnosis may do. */
export interface DiagnosisRequest {
  /** Heap snapshots are called by this name and `-1.heapsnapshot`, ... */
  pathPrefix: string;
  maxSnapshotSizeBytes: number;
}

/** Parent to child: end the load, stop the target, close the recording. */
export interface StopRequest {
  type: 'stop';
}

/** Parent to child: enough was seen; end the load, and then the test as usual. */
export interface EndLoadRequest {
  type: 'end-load';
  /** For the recording: what was found, and why that is enough, in words. */
  verdict: 'leak' | 'no-leak';
  reason: string;
}

/** Parent to child: what the load has shown; the answer to a JudgeMessage. */
export interface JudgedAnswer {
  type: 'judged';
  /** Live memory has grown so clearly that it is worth finding out why. */
  isWorthDiagnosing: boolean;
  /** Null: not known. */
  bytesPerOperation: number | null;
}

/** Child to parent: the load is over and has settled; does it leak? */
export interface JudgeMessage {
  type: 'judge';
}

/** Child to parent, about four times a second: a sign of life. */
export interface ProgressMessage {
  type: 'progress';
  phase: Phase;
  operations: number;
}

/** Child to parent: the test is over and the recording is closed. */
export interface EndMessage {
  type: 'end';
  failure: ChildFailure | null;
}

export interface ChildFailure {
  code: string;
  reason: string;
  phase: Phase | null;
}

export type ChildMessage = ProgressMessage | JudgeMessage | EndMessage;
export type ParentMessage = TestRequest | EndLoadRequest | JudgedAnswer | StopRequest;
