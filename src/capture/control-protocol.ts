import { lstatSync, mkdirSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { AgentSnapshot, SnapshotMode } from './agent-snapshot.js';

/**
 * How commands reach the agent inside a program: a local socket that is found by the process id, in a
 * folder that only its user may enter. One JSON object a line; a request has one reply.
 */

export type ControlRequest =
  | { command: 'status' }
  | { command: 'mark'; name: string }
  /** `mode`: as the agent was told to, unless given. */
  | { command: 'snapshot'; path: string; mode?: SnapshotMode }
  /** One more step of a diagnosis, into the recording and beside it. */
  | { command: 'diagnose' };

export type ControlReply =
  | { error: string }
  | { done: true; status?: AgentStatus; snapshot?: AgentSnapshot; sizeBytes?: number };

export interface AgentStatus {
  pid: number;
  nodeVersion: string;
  /** Where the agent records to. */
  recording: string;
  heapUsedBytes: number;
}

/** A socket's path may have 107 bytes: no folder that a user chose can hold it. */
export function controlPathOf(pid: number): string {
  if (process.platform === 'win32') return `\\\\.\\pipe\\crucible-memory-${pid}`;
  return join(controlFolder(), `${pid}.sock`);
}

/** Makes the folder where it is missing. Throws when it is somebody else's: what is in it is not to be believed. */
export function requireOwnControlFolder(): void {
  if (process.platform === 'win32') return;
  const folder = controlFolder();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(folder);
  const isPrivate = lstatSync(folder).isDirectory() && uid === userInfo().uid && (mode & 0o077) === 0;
  if (!isPrivate) throw new Error(`${folder} is not a folder that only this user may enter`);
}

/** The same whatever TMPDIR is in the two processes. */
function controlFolder(): string {
  const parent = process.platform === 'linux' ? '/tmp' : tmpdir();
  return join(parent, `crucible-memory-${userInfo().uid}`);
}
