import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { CrucibleMemoryError } from '../errors.js';
import type { AgentSnapshot, SnapshotMode } from './agent-snapshot.js';
import { askAgent } from './control-client.js';
import { requireRoomForSnapshot } from './head-room.js';
import type { InspectorClient } from './inspector-client.js';
import { openInspector } from './inspector-door.js';
import { requireProcess } from './process-table.js';
import { needsLineTables, partialPathOf, type SnapshotProgress } from './snapshot-writer.js';

/** How a snapshot was taken. */
export type SnapshotWay = 'agent' | 'inspector';

/** Of the inspector's ways only the size is known. */
export type ProcessSnapshot =
  | ({ way: 'agent' } & AgentSnapshot)
  | { way: 'inspector'; sizeBytes: number; fallback?: string };

export interface SnapshotOptions {
  pid: number;
  /** How the agent takes it, if there is one: as it was told when the program was started, unless given. */
  mode?: SnapshotMode | undefined;
  /** Where it goes; a file of that name is replaced when the snapshot is whole. An absolute path. */
  path: string;
  /** Goes on where memory or disk seem too small. */
  force?: boolean;
  signal?: AbortSignal;
  onWay?: (way: SnapshotWay) => void;
  /** Only through the inspector: the agent's thread is busy with the snapshot. */
  onProgress?: (progress: SnapshotProgress) => void;
}

/**
 * One heap snapshot of a running process: by the agent inside it if there is one, else through its inspector,
 * which is closed again. The process stands still until it is taken.
 *
 * @returns the way and the size of the file, mode 0600, which appears only when it is whole
 * @throws CrucibleMemoryError PROCESS_GONE, MEMORY_TOO_LITTLE, OUTPUT_UNWRITABLE, INSPECTOR_UNAVAILABLE,
 * AGENT_FAILED, INTERRUPTED (the process itself then finishes what it began, for nothing)
 */
export async function snapshotProcess(options: SnapshotOptions): Promise<ProcessSnapshot> {
  requireProcess(options.pid);
  try {
    return (await byAgent(options)) ?? (await byInspector(options));
  } catch (error) {
    rmSync(partialPathOf(options.path), { force: true });
    throw error;
  }
}

/** Undefined when there is no agent, or when the event loop that it needs is blocked. */
async function byAgent(options: SnapshotOptions): Promise<ProcessSnapshot | undefined> {
  const { pid, path, signal } = options;
  const asking = { ...(signal && { signal }) };
  const answer = await askAgent(pid, { command: 'status' }, asking);
  if (typeof answer === 'string' || answer.status === undefined) return undefined;
  if (!options.force) requireRoomForSnapshot({ pid, path, heapUsedBytes: answer.status.heapUsedBytes });
  options.onWay?.('agent');
  const request = { command: 'snapshot' as const, path, ...(options.mode && { mode: options.mode }) };
  const written = await askAgent(pid, request, { ...asking, silenceMs: NEVER_MS });
  if (typeof written === 'string' || written.snapshot === undefined) return undefined;
  return { way: 'agent', ...written.snapshot };
}

const NEVER_MS = 2 ** 31 - 1;

async function byInspector(options: SnapshotOptions): Promise<ProcessSnapshot> {
  const { pid, path, signal } = options;
  const inspector = await openInspector(pid);
  const { client } = inspector;
  const onAbort = () => client.close();
  signal?.addEventListener('abort', onAbort);
  try {
    if (signal?.aborted) throw interrupted(pid);
    const { heapUsedBytes, version } = (await client.evaluate(
      '({ heapUsedBytes: process.memoryUsage().heapUsed, version: process.version })',
    )) as { heapUsedBytes: number; version: string };
    if (!options.force) requireRoomForSnapshot({ pid, path, heapUsedBytes });
    options.onWay?.('inspector');
    const sizeBytes = await takeSnapshot(client, { path, version, onProgress: options.onProgress });
    const fallback = options.mode === 'fork' ? 'only the agent of `record` can fork' : undefined;
    return { way: 'inspector', sizeBytes, ...(fallback !== undefined && { fallback }) };
  } catch (error) {
    throw signal?.aborted ? interrupted(pid) : error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    await inspector.close();
  }
}

/** Through a connection that is open already. */
export async function takeSnapshot(
  client: InspectorClient,
  options: { path: string; version: string; onProgress?: ((progress: SnapshotProgress) => void) | undefined },
): Promise<number> {
  const { path, onProgress } = options;
  const partial = partialPathOf(path);
  const descriptor = openPartial(partial, path);
  let sizeBytes = 0;
  let failure: unknown;
  try {
    if (needsLineTables(options.version)) {
      await client.send('Debugger.enable');
      await client.send('Debugger.disable');
    }
    client.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }: { chunk: string }) => {
      if (failure !== undefined) return;
      try {
        sizeBytes += writeWhole(descriptor, Buffer.from(chunk));
      } catch (error) {
        failure = error;
      }
    });
    client.on('HeapProfiler.reportHeapSnapshotProgress', (progress: SnapshotProgress) =>
      onProgress?.(progress),
    );
    await client.send('HeapProfiler.takeHeapSnapshot', { reportProgress: true });
    if (failure !== undefined) throw unwritable(path, failure);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
  renameSync(partial, path);
  return sizeBytes;
}

function openPartial(partial: string, path: string): number {
  try {
    return openSync(partial, 'w', 0o600);
  } catch (error) {
    throw unwritable(path, error);
  }
}

function writeWhole(descriptor: number, bytes: Buffer): number {
  for (let written = 0; written < bytes.length; )
    written += writeSync(descriptor, bytes, written, bytes.length - written);
  return bytes.length;
}

function unwritable(path: string, error: unknown): CrucibleMemoryError {
  return new CrucibleMemoryError('OUTPUT_UNWRITABLE', {
    what: `cannot write ${path}`,
    why: error instanceof Error ? error.message : String(error),
    fix: 'choose a folder that exists, that this user may write to and that has room, with --output',
    cause: error,
  });
}

function interrupted(pid: number): CrucibleMemoryError {
  return new CrucibleMemoryError('INTERRUPTED', {
    what: `the heap snapshot of process ${pid} was given up`,
    why: 'it was interrupted',
    fix: 'take it again',
  });
}
