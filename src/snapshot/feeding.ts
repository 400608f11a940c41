import { once } from 'node:events';
import { Socket } from 'node:net';
import { pipeline, Readable } from 'node:stream';
import { constants, createGunzip, type Gunzip } from 'node:zlib';
import { CrucibleMemoryError, messageOf } from '../errors.js';
import { formatBytes, MIB } from '../units.js';
import { isGzip, requireSnapshot, unreadable } from './source-file.js';

/** The bytes of a stream, with those that were looked at already in front. */
export interface PeekedStream extends AsyncIterable<Buffer> {
  /** The first few kilobytes; less if there are no more. */
  beginning: Buffer;
  /** Ends the stream below. */
  destroy(): void;
}

/** What came of the source apart from what native code read of it. */
export interface FeedingOutcome {
  /** Why the source could not be read to its end. */
  error?: CrucibleMemoryError;
  /** The same when what was there is analysed nevertheless. */
  missing?: string;
}

/**
 * Inflates a stream if it is compressed, and writes it into a pipe that native
 * code reads. The pipe is a socket to Node.js, so that no thread of libuv's
 * pool waits in it; inflating takes one for milliseconds at a time.
 */
export class Feeding {
  readonly #path: string;
  readonly #salvage: boolean;
  readonly #stream: PeekedStream;
  readonly #pipe: Socket;
  #outcome: FeedingOutcome = {};
  #stopped = false;

  constructor(stream: PeekedStream, writeFd: number, options: { path: string; salvage: boolean }) {
    this.#path = options.path;
    this.#salvage = options.salvage;
    this.#stream = stream;
    this.#pipe = new Socket({ fd: writeFd, readable: false, writable: true });
    // EPIPE: native code has seen enough. Why, it says itself.
    this.#pipe.on('error', () => {});
    void this.#run();
  }

  /** To be called when native code is done, whether it has read everything or not. */
  stop(): FeedingOutcome {
    this.#stopped = true;
    this.#stream.destroy();
    this.#pipe.destroy();
    return this.#outcome;
  }

  async #run(): Promise<void> {
    try {
      for await (const chunk of this.#plainBytes()) {
        if (this.#pipe.destroyed) break;
        if (!this.#pipe.write(chunk)) await drained(this.#pipe);
      }
    } catch (error) {
      if (!this.#stopped) this.#fail(error);
    }
    // Only now: whoever reads the end of the pipe finds the reason above.
    this.#pipe.end();
    this.#stream.destroy();
  }

  #fail(thrown: unknown): void {
    const error = thrown instanceof CrucibleMemoryError ? thrown : this.#readError(thrown);
    const isDamage = error.code !== 'SNAPSHOT_FOREIGN';
    this.#outcome = this.#salvage && isDamage ? { missing: `${error.what}: ${error.why}` } : { error };
  }

  #plainBytes(): AsyncIterable<Buffer> {
    return isGzip(this.#stream.beginning) ? this.#inflated() : this.#stream;
  }

  async *#inflated(): AsyncIterable<Buffer> {
    // A sync flush at the end takes a stream that breaks off for all that there is.
    const finishFlush = this.#salvage ? constants.Z_SYNC_FLUSH : constants.Z_FINISH;
    const gunzip = createGunzip({ chunkSize: CHUNK_BYTES, finishFlush });
    pipeline(Readable.from(this.#stream), gunzip, () => {});
    let inflatedBytes = 0;
    try {
      for await (const chunk of gunzip as AsyncIterable<Buffer>) {
        if (inflatedBytes === 0) requireSnapshot(this.#path, chunk);
        inflatedBytes += chunk.length;
        this.#requirePlausible(inflatedBytes, gunzip.bytesWritten);
        yield chunk;
      }
    } catch (error) {
      throw isZlibError(error) ? this.#inflateError(error, gunzip) : error;
    }
  }

  /** A few kilobytes can inflate to many gigabytes; heap snapshots become 5 to 20 times smaller. */
  #requirePlausible(inflatedBytes: number, compressedBytes: number): void {
    if (inflatedBytes < SUSPICIOUS_BYTES || inflatedBytes < compressedBytes * INFLATION_MAX) return;
    throw new CrucibleMemoryError('SNAPSHOT_TOO_LARGE', {
      what: `${this.#path} inflates to more than ${INFLATION_MAX} times its size`,
      why: `${formatBytes(compressedBytes)} became ${formatBytes(inflatedBytes)} so far, which no heap snapshot does`,
      fix: 'if you trust it, inflate it with gunzip and give the plain file',
      byteOffset: compressedBytes,
    });
  }

  #inflateError(cause: NodeJS.ErrnoException, { bytesWritten }: Gunzip): CrucibleMemoryError {
    const breaksOff = cause.code === 'Z_BUF_ERROR';
    return new CrucibleMemoryError(breaksOff ? 'SNAPSHOT_TRUNCATED' : 'SNAPSHOT_COMPRESSED', {
      what: breaksOff
        ? `${this.#path} ends inside its gzip stream, after ${bytesWritten} bytes`
        : `${this.#path} is a damaged gzip file`,
      why: breaksOff ? 'it was not written or copied to its end' : messageOf(cause),
      fix: 'compress or copy it again, or analyse what can be inflated with --salvage',
      byteOffset: bytesWritten,
      cause,
    });
  }

  #readError(cause: unknown): CrucibleMemoryError {
    return unreadable(this.#path, cause);
  }
}

const CHUNK_BYTES = 256 * 1024;
const SUSPICIOUS_BYTES = 128 * MIB;
const INFLATION_MAX = 200;

function isZlibError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}

/** When there is room in the pipe again, or nobody reads it any more. */
async function drained(pipe: Socket): Promise<void> {
  const done = new AbortController();
  const wait = (event: string) => once(pipe, event, { signal: done.signal }).catch(() => {});
  if (!pipe.destroyed) await Promise.race([wait('drain'), wait('close')]);
  done.abort();
}
