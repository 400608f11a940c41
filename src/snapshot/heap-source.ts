import { closeSync, createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { CrucibleMemoryError } from '../errors.js';
import type { NativeHeap, NativeHeapSource } from '../native.js';
import type { Feeding, PeekedStream } from './feeding.js';
import { BEGINNING_BYTES } from './foreign-file.js';
import { isGzip, requireSnapshot, unreadable } from './source-file.js';

/** A heap snapshot's file, plain or compressed with gzip, or a stream of the same bytes. */
export type HeapSource = string | Readable;

/** A source that native code can read. */
export interface OpenSource {
  native: NativeHeapSource;
  /** What writes into the pipe that native code reads; absent for a plain file. */
  feeding?: Feeding;
}

/**
 * Plain files are read by native code itself, all else goes through a pipe.
 * @throws SNAPSHOT_UNREADABLE, SNAPSHOT_EMPTY, SNAPSHOT_FOREIGN; INTERRUPTED
 */
export async function openSource(
  core: NativeHeap,
  source: HeapSource,
  options: { salvage: boolean; signal?: AbortSignal | undefined },
): Promise<OpenSource> {
  const path = nameOf(source);
  const stream = typeof source === 'string' ? await streamFor(source) : source;
  if (stream === null) return { native: { path } };
  const chunks = await peeked(stream, path, options.signal);
  // Sockets and zlib, which a plain file needs not.
  const { Feeding } = await import('./feeding.js');
  const { readFd, writeFd } = core.openPipe();
  const feeding = new Feeding(chunks, writeFd, { path, salvage: options.salvage });
  return { native: { path, fd: readFd }, feeding };
}

/**
 * All of them, or none.
 * @throws as openSource()
 */
export async function openSources(
  core: NativeHeap,
  sources: readonly HeapSource[],
  options: { salvage: boolean; signal?: AbortSignal | undefined },
): Promise<OpenSource[]> {
  const opened: OpenSource[] = [];
  try {
    for (const source of sources) opened.push(await openSource(core, source, options));
    return opened;
  } catch (error) {
    for (const { native, feeding } of opened) {
      feeding?.stop();
      if (native.fd !== undefined) closeSync(native.fd);
    }
    throw error;
  }
}

/**
 * The work's result, and what the sources could not give to it, one list each.
 * When the work fails because a source did, the source's reason is the one thrown.
 */
export async function fed<Result>(
  sources: readonly OpenSource[],
  work: Promise<Result>,
): Promise<{ result: Result; missing: string[][] }> {
  const outcomes = () => sources.map(({ feeding }) => feeding?.stop() ?? {});
  try {
    const result = await work;
    const ended = outcomes();
    for (const { error } of ended) if (error) throw error;
    return { result, missing: ended.map(({ missing }) => (missing === undefined ? [] : [missing])) };
  } catch (error) {
    throw outcomes().find((outcome) => outcome.error)?.error ?? error;
  }
}

/** What errors and reports call it. */
export function nameOf(source: HeapSource): string {
  if (typeof source === 'string') return source;
  if ((source as Readable & { fd?: unknown }).fd === process.stdin.fd) return '(stdin)';
  const { path } = source as Readable & { path?: unknown };
  return typeof path === 'string' ? path : '(stream)';
}

/** Null for a plain file that native code reads best by itself. */
async function streamFor(path: string): Promise<Readable | null> {
  const facts = await stat(path).catch((error) => {
    throw unreadable(path, error);
  });
  if (facts.isDirectory()) {
    throw new CrucibleMemoryError('SNAPSHOT_FOREIGN', {
      what: `${path} is no heap snapshot`,
      why: 'it is a folder',
      fix: 'give the .heapsnapshot file itself',
    });
  }
  // `diff <(zcat a.gz) <(zcat b.gz)`: a pipe by the name of a file.
  if (!facts.isFile()) return createReadStream(path);
  const beginning = await beginningOf(path);
  requireSnapshot(path, beginning);
  return isGzip(beginning) ? createReadStream(path, { highWaterMark: READ_BYTES }) : null;
}

const READ_BYTES = 256 * 1024;

async function beginningOf(path: string): Promise<Buffer> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(BEGINNING_BYTES), 0, BEGINNING_BYTES, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** @throws SNAPSHOT_FOREIGN, SNAPSHOT_UNREADABLE, INTERRUPTED */
async function peeked(
  stream: Readable,
  path: string,
  signal: AbortSignal | undefined,
): Promise<PeekedStream> {
  const destroy = () => void stream.destroy();
  signal?.addEventListener('abort', destroy, { once: true });
  try {
    if (signal?.aborted) throw interrupted();
    const chunks = buffersOf(stream);
    const first: Buffer[] = [];
    let size = 0;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
      first.push(next.value);
      size += next.value.length;
      if (size >= BEGINNING_BYTES) break;
    }
    if (signal?.aborted) throw interrupted();
    const beginning = Buffer.concat(first);
    requireSnapshot(path, beginning);
    return Object.assign(chained(beginning, chunks), { beginning, destroy });
  } catch (error) {
    destroy();
    if (error instanceof CrucibleMemoryError) throw error;
    throw signal?.aborted ? interrupted(error) : unreadable(path, error);
  } finally {
    signal?.removeEventListener('abort', destroy);
  }
}

/** Also of a stream that has an encoding. */
async function* buffersOf(stream: Readable): AsyncGenerator<Buffer, void> {
  for await (const chunk of stream as AsyncIterable<Buffer | string>)
    yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}

async function* chained(beginning: Buffer, rest: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  yield beginning;
  yield* rest;
}

export function interrupted(cause?: unknown): CrucibleMemoryError {
  return new CrucibleMemoryError('INTERRUPTED', {
    what: 'the analysis was stopped',
    why: 'the signal was aborted',
    fix: 'run it again to its end',
    cause,
  });
}
