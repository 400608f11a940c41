/**
 * The child process: carries out one test and ends. It is the process that is
 * measured; the parent only plans, watches and judges.
 */
import { startCapture } from '../capture/capture.js';
import { CrucibleMemoryError, messageOf } from '../errors.js';
import { type LoadOutcome, runCourse, scenarioNamed, type Target } from '../scenarios/index.js';
import { formatDuration, formatPercent } from '../units.js';
import { Phase } from '../vocabulary.js';
import type { ChildFailure, ChildMessage, JudgedAnswer, ParentMessage, TestRequest } from './messages.js';
import { loadTarget } from './targets.js';
import { TestSession } from './test-session.js';

const PROGRESS_INTERVAL_MS = 250;
/** How long a target may take to stop after its test has failed already. */
const LAST_TEARDOWN_MS = 3000;
/** A load that ends in failures of at least this many and this long has lost what it depends on. */
const CLOSING_FAILURES = 10;
const CLOSING_FAILURES_MS = 1000;
const FAILED_SHARE_AT_MOST = 0.5;

const stop = new AbortController();
let running: TestSession | undefined;

process.on('message', (message: ParentMessage) => {
  if (message.type === 'stop') stop.abort();
  else if (message.type === 'end-load') running?.endLoad(message.verdict, message.reason);
  else if (message.type === 'judged') answered?.(message);
  else void carryOut(message);
});
// Ctrl-C reaches the whole group: the parent decides what becomes of the test.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit(1));

async function carryOut(request: TestRequest): Promise<void> {
  let failure: ChildFailure | null;
  try {
    failure = await record(request);
  } catch (thrown) {
    failure = failureOf(thrown, null);
  }
  process.send?.({ type: 'end', failure } satisfies ChildMessage, () =>
    process.exit(failure === null ? 0 : 3),
  );
}

/** Runs the test with the recording around it. Throws only when there can be no recording. */
async function record(request: TestRequest): Promise<ChildFailure | null> {
  const capture = startCapture({
    path: request.recordingPath,
    rateHz: request.sampling.rateHz,
    detailIntervalMs: request.sampling.detailIntervalMs,
    counterIntervalMs: counterIntervalMs(request),
    header: {
      testId: request.testId,
      scenario: request.scenario,
      rateHz: request.sampling.rateHz,
      nodeVersion: process.version,
    },
  });
  let session: TestSession | undefined;
  let target: Target | undefined;
  try {
    target = await loadTarget(request.target, request.services);
    const fault = request.target.kind === 'service' ? request.target.fault : undefined;
    capture.event('target', { name: target.name, ...(fault !== undefined && { injectedFault: fault }) });
    const { settings, diagnosis } = request;
    session = new TestSession({ target, settings, signal: stop.signal, capture, diagnosis, askJudge });
    running = session;
    await runTest(session, request);
    return null;
  } catch (thrown) {
    // What is found wrong after the last phase is found in what the load did.
    const failure = failureOf(
      thrown,
      session === undefined ? Phase.Setup : (session.failedPhase ?? Phase.Load),
    );
    capture.event('failure', failure);
    await stopQuietly(target);
    return failure;
  } finally {
    capture.stop();
  }
}

/** Ten times as often as V8 is asked, which is enough to see what moves with what; hours of it still fit into memory. */
function counterIntervalMs({ measurementIntervalMs }: TestRequest): number {
  return Math.min(100, Math.max(10, measurementIntervalMs / 10));
}

async function runTest(session: TestSession, request: TestRequest): Promise<void> {
  const measuring = setInterval(() => void session.measure(), request.measurementIntervalMs);
  const reporting = setInterval(() => {
    send({ type: 'progress', phase: session.currentPhase, operations: session.operations });
  }, PROGRESS_INTERVAL_MS);
  try {
    requireWorking(session.target, await runCourse(scenarioNamed(request.scenario), session));
  } finally {
    clearInterval(measuring);
    clearInterval(reporting);
  }
}

/** A target whose operations fail is not measured, however calm its memory looks. */
function requireWorking(target: Target, outcome: LoadOutcome): void {
  const ended = outcome.completed + outcome.failed;
  const failedShare = ended === 0 ? 0 : outcome.failed / ended;
  const lost =
    outcome.closingFailures >= CLOSING_FAILURES && outcome.closingFailuresMs >= CLOSING_FAILURES_MS;
  if (failedShare <= FAILED_SHARE_AT_MOST && !lost) return;
  throw new CrucibleMemoryError('OPERATIONS_FAILED', {
    what: lost
      ? `operations of ${target.name} failed for the last ${formatDuration(outcome.closingFailuresMs)} of the load`
      : `${outcome.failed} of ${ended} operations of ${target.name} failed (${formatPercent(failedShare)})`,
    why: outcome.commonestError ?? 'no reason given',
    fix: 'make operation() succeed by itself first, or bring back what it depends on',
  });
}

async function stopQuietly(target: Target | undefined): Promise<void> {
  const late = new Promise<void>((resolve) => setTimeout(resolve, LAST_TEARDOWN_MS));
  await Promise.race([Promise.resolve(target?.teardown?.()).catch(() => {}), late]).catch(() => {});
}

function failureOf(thrown: unknown, phase: Phase | null): ChildFailure {
  return {
    code: thrown instanceof CrucibleMemoryError ? thrown.code : 'TEST_CRASHED',
    reason: thrown instanceof CrucibleMemoryError ? thrown.message : messageOf(thrown),
    phase,
  };
}

let answered: ((answer: JudgedAnswer) => void) | undefined;

/** The parent judges the recording as it is by now: a leaking heap is no place for it. */
function askJudge(): Promise<JudgedAnswer> {
  return new Promise((resolve) => {
    answered = resolve;
    send({ type: 'judge' });
  });
}

function send(message: ChildMessage): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}
