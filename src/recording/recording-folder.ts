import { appendFileSync, closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * A folder of recordings that were made by one command: a program, its child processes, its worker
 * threads. Mode 0700, its files 0600: a recording names the program's arguments.
 *
 *     <folder>/
 *       index.ndjson           one line for each process or thread that began, one when it ended
 *       4711.cmrec             process 4711
 *       4711-worker-2.cmrec    its worker thread 2
 *       4711.heapprofile       who allocated what was alive at its end, for DevTools and editors
 *       4711.pb.gz             the same for pprof
 *       4711.near-limit.heapprofile, .heapsnapshot   the same, and its heap, before memory ran out
 *       4711.note              why process 4711 could not record itself
 *
 * Every process appends its own lines, in one write each, so that they may write at once and one
 * that is killed leaves what it wrote. An ending that is missing says that there was none: it was
 * killed, or is still running.
 */

/** Who records itself into the folder. */
export interface RecordedParty {
  /** Name of the recording's file, inside the folder. */
  file: string;
  pid: number;
  parentPid: number;
  /** 0: the main thread, and so the process. */
  threadId: number;
  /** What is run: process.argv without node itself. */
  argv: string[];
  startedAtEpochMs: number;
  /** Undefined: it did not live to say. */
  ending?: { exitCode: number | null; epochMs: number };
}

type IndexLine =
  | ({ began: true } & Omit<RecordedParty, 'ending'>)
  | { ended: true; file: string; exitCode: number | null; epochMs: number };

const INDEX = 'index.ndjson';
const RECORDING_ENDING = '.cmrec';
const NOTE_ENDING = '.note';

/** Makes the folder, or takes an earlier one over: of that, what its index names is deleted, and nothing else. */
export function makeRecordingFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const { file } of recordedParties(folder)) {
    // A name from a file is not believed to stay inside the folder.
    const path = join(folder, basename(file));
    const others = [
      path.replace(RECORDING_ENDING, NOTE_ENDING),
      snapshotPathOf(path),
      profilePathOf(path),
      pprofPathOf(path),
      nearLimitProfilePathOf(path),
      nearLimitSnapshotPathOf(path),
    ];
    for (const one of [path, ...others]) rmSync(one, { force: true });
  }
  rmSync(join(folder, INDEX), { force: true });
}

/** Takes a name that nobody else has, of which process ids in several containers would have two, and returns it. */
export function reserveRecording(folder: string, pid: number, threadId: number): string {
  const name = threadId === 0 ? `${pid}` : `${pid}-worker-${threadId}`;
  for (let attempt = 1; ; attempt++) {
    const file = `${name}${attempt === 1 ? '' : `-${attempt}`}${RECORDING_ENDING}`;
    try {
      closeSync(openSync(join(folder, file), 'wx', 0o600));
      return file;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** Where a heap snapshot of a process lies that belongs to its recording. */
export function snapshotPathOf(recordingPath: string): string {
  return recordingPath.replace(RECORDING_ENDING, '.heapsnapshot');
}

/** Who allocated what lives, of the thread that a recording is of; a .heapprofile. */
export function profilePathOf(recordingPath: string): string {
  return recordingPath.replace(RECORDING_ENDING, '.heapprofile');
}

/** The same as gzipped pprof. */
export function pprofPathOf(recordingPath: string): string {
  return recordingPath.replace(RECORDING_ENDING, '.pb.gz');
}

/** As it was before memory ran out. */
export function nearLimitProfilePathOf(recordingPath: string): string {
  return recordingPath.replace(RECORDING_ENDING, '.near-limit.heapprofile');
}

export function nearLimitSnapshotPathOf(recordingPath: string): string {
  return recordingPath.replace(RECORDING_ENDING, '.near-limit.heapsnapshot');
}

export function noteBeginning(folder: string, party: Omit<RecordedParty, 'ending'>): void {
  appendLine(folder, { began: true, ...party });
}

export function noteEnding(folder: string, file: string, exitCode: number | null): void {
  appendLine(folder, { ended: true, file, exitCode, epochMs: Date.now() });
}

/** Why a process has no recording. */
export function noteFailure(folder: string, pid: number, text: string): void {
  appendFileSync(join(folder, `${pid}${NOTE_ENDING}`), `${text}\n`, { mode: 0o600 });
}

/** In the order in which they began; none where there is no index. Lines that are cut are left out. */
export function recordedParties(folder: string): RecordedParty[] {
  const parties = new Map<string, RecordedParty>();
  for (const line of indexLines(folder)) {
    if ('began' in line) {
      const { began: _, ...party } = line;
      parties.set(party.file, party);
    } else {
      const party = parties.get(line.file);
      if (party) party.ending = { exitCode: line.exitCode, epochMs: line.epochMs };
    }
  }
  return [...parties.values()];
}

/** Programs whose work it is to start the one that is meant. */
const LAUNCHERS =
  /^(npm|npx|pnpm|pnpx|yarn|corepack)(-cli)?\.(c?js|mjs)$|^(npm|npx|pnpm|pnpx|yarn|corepack)$/;

/** Whether it only starts the program that is meant. @example npm-cli.js, npx */
export function isLauncher({ argv }: Pick<RecordedParty, 'argv'>): boolean {
  return argv[0] !== undefined && LAUNCHERS.test(basename(argv[0]));
}

function appendLine(folder: string, line: IndexLine): void {
  appendFileSync(join(folder, INDEX), `${JSON.stringify(line)}\n`, { mode: 0o600 });
}

function indexLines(folder: string): IndexLine[] {
  let text: string;
  try {
    text = readFileSync(join(folder, INDEX), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as IndexLine];
    } catch {
      return [];
    }
  });
}
