import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { MemoryTestConfig } from '../config/schema.js';
import {
  advise,
  attributeLeak,
  diagnose,
  isWorthDiagnosing,
  type JudgeSettings,
  type Look,
  lookingOn,
} from '../diagnose.js';
import type { MemoryTestResult, TestFailure } from '../diagnosis/index.js';
import { messageOf } from '../errors.js';
import { loadCore } from '../native.js';
import { Recording, readRecording } from '../recording/index.js';
import { MIB } from '../units.js';
import { TestScenario } from '../vocabulary.js';
import { type ChildEnding, type EndLoad, runInChild } from './child-process.js';
import type { JudgedAnswer, TargetSpec } from './messages.js';
import { Onlooker } from './onlooker.js';
import { judgeSettings, plannedDurationMs, scenarioSettings } from './plan.js';
import type { PlannedTest, TestProgress } from './progress.js';
import { targetName } from './targets.js';
import { memoryLimitBytes } from './test-session.js';

/** Room for V8 itself beside what the exhaustion scenario allows the target. */
const HEAP_BESIDE_LIMIT_MIB = 64;
/** No test takes longer than this many times its plan. */
const DEADLINE_FACTOR = 3;

export interface TestRunOptions {
  target: TargetSpec;
  scenario: TestScenario;
  config: MemoryTestConfig;
  /** Where the recording goes. */
  recordingDirectory: string;
  signal: AbortSignal;
  onProgress?: (progress: TestProgress) => void;
  onLog?: (line: string) => void;
  onLook?: (look: Look) => void;
}

/** The plan of one test, without running it. */
export function planTest(target: TargetSpec, scenario: TestScenario, config: MemoryTestConfig): PlannedTest {
  const name = targetName(target);
  return {
    testId: `${name}/${scenario}`,
    target: name,
    scenario,
    ...(target.kind === 'service' && target.fault !== undefined && { injectedFault: target.fault }),
    plannedMs: plannedDurationMs(scenario, scenarioSettings(scenario, config)),
  };
}

/**
 * Carries out one test in a process of its own and judges its recording.
 * Never rejects for what the target does. Resolves with null when interrupted.
 */
export async function runTest(options: TestRunOptions): Promise<MemoryTestResult | null> {
  const planned = planTest(options.target, options.scenario, options.config);
  const recordingPath = join(options.recordingDirectory, `${planned.testId.replace(/[^\w.-]+/g, '-')}.cmrec`);
  // What an earlier run left must not be taken for this one's.
  await rm(recordingPath, { force: true });
  const startTime = new Date();
  const beganMs = performance.now();
  const pathPrefix = recordingPath.replace(/\.cmrec$/, '');
  await removeDiagnosis(pathPrefix);
  const ending = await runProcess(options, planned, { recordingPath, pathPrefix });
  if (ending.interrupted) return null;

  const { recording, failure } = await readWhatIsThere(recordingPath, ending.failure);
  const { config } = options;
  const diagnosis = diagnose(recording, {
    thresholds: config.thresholds,
    judging: judgeSettings(config),
    scenario: planned.scenario,
    memoryLimitBytes: memoryLimitBytes(),
    failure: failure ?? undefined,
  });
  return advise({
    testId: planned.testId,
    serviceType: recordedName(recording) ?? planned.target,
    scenario: planned.scenario,
    ...(planned.injectedFault !== undefined && { injectedFault: planned.injectedFault }),
    startTime: startTime.toISOString(),
    endTime: new Date().toISOString(),
    durationMs: performance.now() - beganMs,
    ...diagnosis,
    leakDetection: await attributeLeak(recording, diagnosis.leakDetection),
    recording: recording.path === '' ? null : recordingPath,
  });
}

function runProcess(
  options: TestRunOptions,
  planned: PlannedTest,
  files: { recordingPath: string; pathPrefix: string },
): Promise<ChildEnding> {
  const { config, scenario, signal, onProgress, onLog, onLook } = options;
  const settings = scenarioSettings(scenario, config);
  const beganMs = performance.now();
  let pid = 0;
  let endLoad: EndLoad = () => {};
  const onlooker = onlookerOf(config, settings.loadMs, files.recordingPath, onLook);
  return runInChild({
    request: {
      type: 'test',
      testId: planned.testId,
      target: options.target,
      scenario,
      settings,
      sampling: config.sampling,
      measurementIntervalMs: config.testDurations.measurementIntervalMs,
      services: config.services,
      recordingPath: files.recordingPath,
      diagnosis:
        config.leakDetection.enabled && config.leakDetection.diagnose
          ? { pathPrefix: files.pathPrefix, maxSnapshotSizeBytes: config.leakDetection.maxSnapshotSizeBytes }
          : null,
    },
    heapLimitMib:
      scenario === TestScenario.ResourceExhaustion
        ? HEAP_BESIDE_LIMIT_MIB + Math.ceil(settings.exhaustionMemoryLimitBytes / MIB)
        : undefined,
    silenceLimitMs: 2 * settings.operationTimeoutMs,
    deadlineMs:
      DEADLINE_FACTOR * planned.plannedMs + 8 * settings.operationTimeoutMs + settings.cleanupTimeoutMs,
    signal,
    onStarted: (childPid, endLoadOfChild) => {
      pid = childPid;
      endLoad = endLoadOfChild;
    },
    onProgress: ({ phase, operations }) => {
      onlooker?.progressed(phase, endLoad);
      onProgress?.({
        testId: planned.testId,
        phase,
        operations,
        elapsedMs: performance.now() - beganMs,
        plannedMs: planned.plannedMs,
        rssBytes: pid === 0 ? null : loadCore().readRss(pid),
      });
    },
    onLog: (line) => onLog?.(line),
    onJudge: () => judgeSoFar(files.recordingPath, judgeSettings(config), scenario),
  });
}

/** Only a test that may end early is looked at while it runs. */
function onlookerOf(
  config: MemoryTestConfig,
  plannedMs: number,
  recordingPath: string,
  onLook: TestRunOptions['onLook'],
): Onlooker | undefined {
  const { stopEarly } = config.testDurations;
  const { expectedGrowthBytes } = config.leakDetection;
  const { leakThresholdBytes } = config.thresholds;
  const settings = judgeSettings(config);
  if (stopEarly === 'no' || settings === null) return undefined;
  return new Onlooker({
    recordingPath,
    look: lookingOn({ plannedMs, stopEarly, expectedGrowthBytes, leakThresholdBytes }, settings),
    onLook: (look) => onLook?.(look),
  });
}

/** What the load has shown by now, from the recording that is still being written. */
async function judgeSoFar(
  path: string,
  settings: JudgeSettings | null,
  scenario: TestScenario,
): Promise<JudgedAnswer> {
  const worth = settings === null ? null : isWorthDiagnosing(await readRecording(path), settings);
  // What a diagnosis leaves on the heap would count against a target that gives everything back.
  const wouldSpoil = scenario === TestScenario.CleanupValidation && worth?.verdict !== 'leak';
  const isWorth = worth !== null && !wouldSpoil;
  return { type: 'judged', isWorthDiagnosing: isWorth, bytesPerOperation: worth?.bytesPerOperation ?? null };
}

/** What an earlier run left must not be taken for this one's. */
async function removeDiagnosis(pathPrefix: string): Promise<void> {
  const folder = dirname(pathPrefix);
  const name = basename(pathPrefix);
  const isOurs = (file: string) =>
    file.startsWith(name) && /^(-\d+\.heapsnapshot|\.heapprofile)$/.test(file.slice(name.length));
  for (const file of (await readdir(folder)).filter(isOurs)) await rm(join(folder, file), { force: true });
}

/** A test whose recording cannot be read has failed for that reason, if for no other. */
async function readWhatIsThere(
  path: string,
  failure: TestFailure | null,
): Promise<{ recording: Recording; failure: TestFailure | null }> {
  try {
    return { recording: await readRecording(path), failure };
  } catch (thrown) {
    const unreadable: TestFailure = {
      code: 'RECORDING_UNREADABLE',
      reason: messageOf(thrown),
      phase: null,
      exitCode: null,
      signal: null,
    };
    return { recording: emptyRecording(), failure: failure ?? unreadable };
  }
}

function emptyRecording(): Recording {
  const header = { startedAtEpochMs: Date.now(), startNs: 0n, pid: 0, formatVersion: '', details: {} };
  const nothing = { groups: [], events: [], endMs: 0, isClosed: true, recordsDropped: 0, problems: [] };
  return new Recording({ path: '', header, ...nothing });
}

function recordedName(recording: Recording): string | undefined {
  const detail = recording.events('target')[0]?.detail;
  const name = (detail as { name?: unknown } | undefined)?.name;
  return typeof name === 'string' ? name : undefined;
}
