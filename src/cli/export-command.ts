import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { csvLines, ndjsonLines, readRecording } from '../recording/index.js';
import { unwritable } from '../report/index.js';
import { KIB } from '../units.js';
import { ExitCode } from './exit-code.js';
import { interruptible } from './interruption.js';
import type { Surroundings } from './run-command.js';
import { writeAll } from './terminal.js';

export interface ExportArguments {
  format: 'csv' | 'ndjson';
  output?: string;
}

/** Many lines are written at once: a write a line would be most of the time. */
const PIECE_CHARACTERS = 256 * KIB;

/**
 * `crucible-memory export`: the samples of a recording, to stdout or a file.
 * What could not be read of the recording is said on stderr.
 * @throws CrucibleMemoryError RECORDING_*, OUTPUT_UNWRITABLE
 */
export async function exportCommand(
  path: string,
  given: ExportArguments,
  world: Pick<Surroundings, 'stdout' | 'stderr'>,
): Promise<ExitCode> {
  const recording = await readRecording(path);
  for (const problem of recording.problems) await writeAll(world.stderr, `crucible-memory: ${problem}\n`);
  const pieces = piecesOf(given.format === 'csv' ? csvLines(recording) : ndjsonLines(recording));
  const interruption = interruptible(world.stderr);
  try {
    if (given.output === undefined) await writeToStdout(pieces, world.stdout, interruption.signal);
    else await writeToFile(pieces, given.output, interruption.signal);
    return ExitCode.NothingFound;
  } catch (error) {
    if (interruption.signal.aborted) return ExitCode.Interrupted;
    throw error;
  } finally {
    interruption.end();
  }
}

async function writeToStdout(
  pieces: Iterable<string>,
  stdout: NodeJS.WriteStream,
  signal: AbortSignal,
): Promise<void> {
  try {
    await pipeline(Readable.from(pieces), stdout, { end: false, signal });
    // The stream that is not ended may still hold the last pieces.
    await writeAll(stdout, '');
  } catch (error) {
    // `| head` has seen enough.
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
}

/** Under another name until it is whole, so that nobody takes half a file for one. */
async function writeToFile(pieces: Iterable<string>, path: string, signal: AbortSignal): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  try {
    await pipeline(Readable.from(pieces), createWriteStream(partial, { mode: 0o600 }), { signal });
    await rename(partial, path);
  } catch (error) {
    // Not there to be removed, perhaps: the first failure is the one to tell.
    await rm(partial, { force: true }).catch(() => {});
    throw signal.aborted ? error : unwritable(path, error);
  }
}

function* piecesOf(lines: Iterable<string>): Generator<string> {
  let piece = '';
  for (const line of lines) {
    piece += line;
    if (piece.length < PIECE_CHARACTERS) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}
