import { basename } from 'node:path';
import { type AttachOutcome, recordProcess } from '../capture/attachment.js';
import { askAgent } from '../capture/control-client.js';
import { argumentsOf, requireProcess } from '../capture/process-table.js';
import { makeRecordingFolder, noteBeginning, noteEnding } from '../recording/recording-folder.js';

export interface AttachedProcessOptions {
  pid: number;
  folder: string;
  rateHz: number;
  durationMs?: number | undefined;
  inspector: boolean;
  snapshots: boolean;
  collectEveryMs: number;
  /** Ends the recording, not the process. */
  signal: AbortSignal;
  onNews: (sentence: string) => void;
}

/**
 * Records a running process into a folder, as `record` does a program of its own.
 * @throws PROCESS_GONE, PROC_UNREADABLE, RECORDING_UNWRITABLE
 */
export async function recordAttached(options: AttachedProcessOptions): Promise<AttachOutcome> {
  const { pid, folder, durationMs, signal, onNews } = options;
  requireProcess(pid);
  makeRecordingFolder(folder);
  const inside = await askAgent(pid, { command: 'status' }, { silenceMs: 500 }).catch(() => undefined);
  if (typeof inside === 'object' && inside.status)
    onNews(`it records itself already, into ${inside.status.recording}; this is from outside`);

  const file = `${pid}.cmrec`;
  const argv = argumentsOf(pid).slice(1);
  noteBeginning(folder, { file, pid, parentPid: 0, threadId: 0, argv, startedAtEpochMs: Date.now() });
  const timeIsUp = durationMs === undefined ? [] : [AbortSignal.timeout(durationMs)];
  const outcome = await recordProcess({ ...options, file, signal: AbortSignal.any([signal, ...timeIsUp]) });
  if (outcome.ended) noteEnding(folder, file, null);
  return outcome;
}

/** What a person knows the process by; undefined when it is gone. @example "server.js (4711)" */
export function processName(pid: number): string | undefined {
  const [program, script] = argumentsOf(pid);
  return program && `${basename(script ?? program)} (${pid})`;
}
