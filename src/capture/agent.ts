import { subscribe } from 'node:diagnostics_channel';
import { basename, join } from 'node:path';
import { isMainThread, threadId } from 'node:worker_threads';
import { messageOf } from '../errors.js';
import { PROGRAM_KIND, RecordedEvents } from '../recording/channels.js';
import {
  isLauncher,
  noteBeginning,
  noteEnding,
  noteFailure,
  reserveRecording,
  snapshotPathOf,
} from '../recording/recording-folder.js';
import { AgentDiagnosis } from './agent-diagnosis.js';
import { AgentEvidence } from './agent-evidence.js';
import { type AgentOptions, agentOptionsIn } from './agent-options.js';
import { writeAgentSnapshot } from './agent-snapshot.js';
import { type Capture, startCapture } from './capture.js';
import { answerControl } from './control-server.js';
import type { Guard } from './guard.js';
import { OperationCounter } from './operation-counter.js';
import { ProcessRecording } from './process-recording.js';
import { MARK_CHANNEL, type PhaseMark } from './program-marks.js';

/**
 * What runs inside the program that is recorded, one instance in each of its threads.
 *
 * It must not be noticed: it prints nothing, handles no signal, keeps no event loop alive, and lets no
 * error of its own get out. What goes wrong becomes a note in the recording. What it does leave in the
 * program: one listener of `exit`, one of `close` on each HTTP response, a local socket.
 */

/** Loaded twice (a program that requires the agent by itself, or two of NODE_OPTIONS), it runs once. */
const RUNNING = Symbol.for('crucible-memory.agent');

export function startAgent(): void {
  const place = globalThis as { [RUNNING]?: boolean };
  if (place[RUNNING]) return;
  Object.defineProperty(place, RUNNING, { value: true });
  const options = agentOptionsIn(process.env);
  if (options === undefined) return;
  try {
    begin(options);
  } catch (error) {
    noteFailure(options.folder, process.pid, messageOf(error));
  }
}

function begin(options: AgentOptions): void {
  const { folder, rateHz } = options;
  const startedAtEpochMs = Date.now();
  const file = reserveRecording(folder, process.pid, threadId);
  const argv = process.argv.slice(1);
  const capture = startCapture({
    path: join(folder, file),
    // A worker's resident memory is its process's: the main thread samples that.
    rateHz: isMainThread ? rateHz : WORKER_RATE_HZ,
    detailIntervalMs: isMainThread ? options.detailIntervalMs : 0,
    joinsProcess: !isMainThread,
    withoutAddon: 'javascript',
    ...(options.recordingBytesMax !== undefined && { budget: { diskBytes: options.recordingBytesMax } }),
    header: {
      kind: PROGRAM_KIND,
      program: programName(argv),
      rateHz: isMainThread ? rateHz : WORKER_RATE_HZ,
      pid: process.pid,
      parentPid: process.ppid,
      threadId,
      argv,
      nodeVersion: process.version,
      v8Version: process.versions.v8,
      collectEveryMs: options.collectEveryMs,
    },
  });
  if (isMainThread) capture.share();
  noteBeginning(folder, {
    file,
    pid: process.pid,
    parentPid: process.ppid,
    threadId,
    argv,
    startedAtEpochMs,
  });
  observe(capture, file, options);
}

/** So often is V8 asked in a worker thread. */
const WORKER_RATE_HZ = 10;

function observe(capture: Capture, file: string, options: AgentOptions): void {
  const path = join(options.folder, file);
  const guarded: Guard =
    (body) =>
    (...given) => {
      try {
        body(...given);
      } catch (error) {
        noteQuietly(capture, `the agent: ${messageOf(error)}`);
      }
    };
  const counter = new OperationCounter(guarded);
  const recording = new ProcessRecording({
    capture,
    counter,
    collectEveryMs: options.collectEveryMs,
    guarded,
  });
  let saveProfile = () => {};
  guarded(() => {
    const evidence = new AgentEvidence({
      capture,
      path,
      allocationIntervalBytes: options.allocationIntervalBytes ?? 0,
      snapshotNearLimit: options.snapshotNearLimit ?? false,
    });
    saveProfile = () => evidence.saveProfile();
  })();
  const diagnosis = new AgentDiagnosis({
    capture,
    operations: () => counter.completed,
    recordingPath: path,
    // V8 has one profiler.
    beforeProfiling: () => saveProfile(),
  });
  subscribe(
    MARK_CHANNEL,
    guarded((message) => recording.mark(String((message as PhaseMark).name))),
  );
  let isSnapshotDue =
    isMainThread && options.snapshotAtExit === true && !isLauncher({ argv: process.argv.slice(1) });
  let closeControl = () => {};
  // Without it the program is recorded all the same, and cannot be asked.
  const openControl = guarded(() => {
    closeControl = answerControl({
      recording: path,
      mark: guarded((name) => recording.mark(name)),
      diagnose: () => diagnosis.step(),
      snapshotMode: options.snapshotMode ?? 'plain',
      onSnapshot: (snapshot) => {
        isSnapshotDue = false;
        capture.event(RecordedEvents.Snapshot, snapshot);
      },
      guarded,
    });
  });
  if (isMainThread) openControl();
  const takeSnapshotIfDue = guarded(() => {
    if (isSnapshotDue) writeAgentSnapshot(snapshotPathOf(path));
  });
  process.on(
    'exit',
    guarded((code: number) => {
      takeSnapshotIfDue();
      saveProfile();
      closeControl();
      counter.stop();
      recording.stop();
      noteEnding(options.folder, file, code);
    }),
  );
}

function noteQuietly(capture: Capture, text: string): void {
  try {
    capture.note(text);
  } catch {
    // The recording is closed, or the disk is gone: there is nowhere left to say it.
  }
}

/** The name that a person knows the program by. @example ['/app/node_modules/.bin/tsx', 'server.ts'] -> "tsx" */
function programName(argv: readonly string[]): string {
  const [script] = argv;
  return script === undefined ? 'node' : basename(script);
}
