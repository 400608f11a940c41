import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { getHeapStatistics } from 'node:v8';
import { messageOf } from '../errors.js';
import { type AgentSnapshot, type SnapshotMode, takeAgentSnapshot } from './agent-snapshot.js';
import {
  type ControlReply,
  type ControlRequest,
  controlPathOf,
  requireOwnControlFolder,
} from './control-protocol.js';
import type { Guard } from './guard.js';

/** A request is a line of JSON with a path in it. */
const REQUEST_LENGTH_MAX = 16 * 1024;

export interface ControlHandlers {
  /** Path of this process's recording. */
  recording: string;
  mark: (name: string) => void;
  /** Returns the size of the snapshot that it took. */
  diagnose: () => number;
  /** How snapshots are taken, unless the request says. */
  snapshotMode: SnapshotMode;
  /** A snapshot was asked for and written. */
  onSnapshot: (snapshot: AgentSnapshot) => void;
  /** Keeps what goes wrong away from the program. */
  guarded: Guard;
}

/**
 * Answers commands from outside until the returned function is called. Keeps no event loop alive. Where the
 * socket cannot be made the program is recorded all the same, and cannot be asked.
 */
export function answerControl(handlers: ControlHandlers): () => void {
  const path = controlPathOf(process.pid);
  requireOwnControlFolder();
  // A process that had this id before us and was killed.
  if (process.platform !== 'win32') rmSync(path, { force: true });
  const server = createServer((socket) => answer(socket, handlers));
  server.on('error', () => {});
  // Exclusive: a cluster worker would otherwise ask its primary to listen for it.
  server.listen(
    { path, exclusive: true },
    handlers.guarded(() => restrict(path)),
  );
  server.unref();
  return () => close(server, path);
}

function restrict(path: string): void {
  if (process.platform !== 'win32') chmodSync(path, 0o600);
}

function close(server: Server, path: string): void {
  server.close();
  if (process.platform !== 'win32') rmSync(path, { force: true });
}

function answer(socket: Socket, handlers: ControlHandlers): void {
  let received = '';
  socket.unref();
  socket.setEncoding('utf8');
  socket.on('error', () => {});
  socket.on(
    'data',
    handlers.guarded((text: string) => {
      received += text;
      if (received.length > REQUEST_LENGTH_MAX) socket.destroy();
      const end = received.indexOf('\n');
      if (end < 0) return;
      const line = received.slice(0, end);
      received = '';
      void replyTo(line, handlers).then((reply) => socket.end(`${JSON.stringify(reply)}\n`));
    }),
  );
}

async function replyTo(line: string, handlers: ControlHandlers): Promise<ControlReply> {
  try {
    const request = JSON.parse(line) as ControlRequest;
    if (request.command === 'status') return { done: true, status: statusOf(handlers) };
    if (request.command === 'mark') {
      handlers.mark(request.name);
      return { done: true };
    }
    if (request.command === 'diagnose') return { done: true, sizeBytes: handlers.diagnose() };
    if (request.command === 'snapshot') {
      const snapshot = await takeAgentSnapshot(request.path, request.mode ?? handlers.snapshotMode);
      handlers.onSnapshot(snapshot);
      return { done: true, snapshot };
    }
    return {
      error: `the agent knows no command ${JSON.stringify((request as { command: unknown }).command)}`,
    };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

function statusOf({ recording }: ControlHandlers) {
  return {
    pid: process.pid,
    nodeVersion: process.version,
    recording,
    heapUsedBytes: getHeapStatistics().used_heap_size,
  };
}
