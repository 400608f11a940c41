import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { LoadedConfig } from '../config/index.js';
import { publicConfig } from '../config/index.js';
import { advise, attributeLeak, diagnose } from '../diagnose.js';
import type { LeakDetectionResult, MemoryTestResult, RunReport } from '../diagnosis/index.js';
import { CrucibleMemoryError } from '../errors.js';
import { type Recording, readRecording } from '../recording/index.js';
import { isLauncher, type RecordedParty, recordedParties } from '../recording/recording-folder.js';
import { readEnvironment } from './environment.js';
import { judgeSettings } from './plan.js';
import { evidenceBeside } from './recorded-evidence.js';
import { memoryLimitBytes } from './test-session.js';

/** The scenario's name of what went through none. */
export const RECORDED_SCENARIO = 'Recorded';

/** A program may start thousands of processes: those that lived longest are judged. */
const RESULTS_MAX = 20;
/** Beside others, what lived no longer than this tells nothing of its own. */
const SHORT_LIVED_MS = 1000;

export interface ProgramResults {
  results: MemoryTestResult[];
  /** Sentences about what is recorded and not among the results. */
  leftOut: string[];
  /** Paths of what lies beside the recordings: allocation profiles, what was saved before memory ran out. */
  files: string[];
}

/**
 * Judges what a program recorded into a folder: one result for each process and worker thread that matters.
 * @throws NOTHING_RECORDED when there is no recording
 */
export async function judgeFolder(folder: string, { config }: LoadedConfig): Promise<ProgramResults> {
  const parties = recordedParties(folder);
  if (parties.length === 0) throw nothingRecorded(folder);
  const recorded: { party: RecordedParty; recording: Recording }[] = [];
  const leftOut: string[] = [];
  for (const party of parties) {
    try {
      recorded.push({ party, recording: await readRecording(join(folder, party.file)) });
    } catch (error) {
      leftOut.push(`${party.file}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const chosen = worthJudging(recorded);
  const others = recorded.length - chosen.length;
  if (others > 0)
    leftOut.push(`${others} more recordings (launchers, short-lived processes and threads) in ${folder}`);
  const results: MemoryTestResult[] = [];
  for (const { party, recording } of chosen)
    results.push(await judged(recording, { party, parties, path: join(folder, party.file), config }));
  const evidence = chosen.map(({ recording }) => evidenceBeside(recording));
  return {
    results,
    leftOut: [...leftOut, ...evidence.flatMap(({ incidents }) => incidents)],
    files: evidence.flatMap(({ files }) => files),
  };
}

type Config = LoadedConfig['config'];

async function judged(
  recording: Recording,
  about: { party: RecordedParty; parties: RecordedParty[]; path: string; config: Config },
): Promise<MemoryTestResult> {
  const { party, parties, config } = about;
  const { startedAtEpochMs } = recording.header;
  const diagnosis = diagnose(recording, {
    thresholds: config.thresholds,
    judging: judgeSettings(config),
    scenario: RECORDED_SCENARIO,
    memoryLimitBytes: memoryLimitBytes(),
  });
  return advise({
    testId: `${nameOf(party, parties)}/${party.file.replace(/\.cmrec$/, '')}`,
    serviceType: nameOf(party, parties),
    scenario: RECORDED_SCENARIO,
    startTime: new Date(startedAtEpochMs).toISOString(),
    endTime: new Date(startedAtEpochMs + recording.endMs).toISOString(),
    durationMs: recording.endMs,
    ...diagnosis,
    leakDetection: await attributeLeak(
      recording,
      config.leakDetection.enabled
        ? withReasonOfNoFloor(recording, diagnosis.leakDetection)
        : diagnosis.leakDetection,
    ),
    recording: about.path,
  });
}

/** V8 collects fully when it has to: a program that allocates little may live for minutes without. */
function withReasonOfNoFloor(recording: Recording, judged: LeakDetectionResult): LeakDetectionResult {
  const points = recording.count('floor_live_bytes') + recording.count('live_heap_bytes');
  if (points > 0 || judged.verdict !== 'inconclusive') return judged;
  return {
    ...judged,
    explanation: 'V8 made no full collection while it was recorded, so what is live is not known',
    remedy: 'record it for longer, or have collections forced with --collect-every 1s',
  };
}

/** The program itself first, then what it started, the longest-lived of them. */
function worthJudging<Entry extends { party: RecordedParty; recording: Recording }>(
  recorded: Entry[],
): Entry[] {
  const programs = recorded.filter(({ party }) => !isLauncher(party));
  const candidates = programs.length > 0 ? programs : recorded;
  const longLived = candidates.filter(({ recording }) => recording.endMs > SHORT_LIVED_MS);
  const chosen = longLived.length > 0 ? longLived : candidates.slice(0, 1);
  const kept = new Set(
    chosen.toSorted((a, b) => b.recording.endMs - a.recording.endMs).slice(0, RESULTS_MAX),
  );
  return chosen.filter((entry) => kept.has(entry));
}

function nameOf({ pid, argv, threadId }: RecordedParty, parties: readonly RecordedParty[]): string {
  if (threadId === 0) return argv[0] === undefined ? 'node' : basename(argv[0]);
  const main = parties.find((party) => party.pid === pid && party.threadId === 0);
  return `${main ? nameOf(main, parties) : pid} worker ${threadId}`;
}

/** As `run` reports, so that whatever reads a run's results reads these. */
export function programReport(
  { results }: ProgramResults,
  about: { loaded: LoadedConfig; startTime: Date; record: Record<string, unknown> },
): RunReport {
  const counted = (predicate: (result: MemoryTestResult) => boolean) => results.filter(predicate).length;
  return {
    schemaVersion: 1,
    tool: 'crucible-memory',
    startTime: about.startTime.toISOString(),
    endTime: new Date().toISOString(),
    profile: about.loaded.profile,
    interrupted: false,
    environment: readEnvironment(),
    config: { ...publicConfig(about.loaded.config), record: about.record },
    summary: {
      tests: results.length,
      passed: counted(({ status }) => status === 'passed'),
      violated: counted(({ status }) => status === 'violated'),
      failed: 0,
      leaks: counted(({ leakDetection }) => leakDetection.leakDetected),
      inconclusive: counted(({ leakDetection }) => leakDetection.verdict === 'inconclusive'),
      notRun: 0,
    },
    results,
  };
}

function nothingRecorded(folder: string): CrucibleMemoryError {
  return new CrucibleMemoryError('NOTHING_RECORDED', {
    what: `nothing was recorded in ${folder}`,
    why:
      notesIn(folder) ??
      'no Node process came up in the program, or it was started without the NODE_OPTIONS of its parent',
    fix: 'give a Node program, or a launcher that hands its environment on (env -i, sudo and `docker run` do not)',
  });
}

/** What processes said that could not record themselves. */
function notesIn(folder: string): string | undefined {
  // The folder may be gone: the program may delete what it likes.
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const [first] = names.filter((name) => name.endsWith('.note'));
  return first === undefined ? undefined : readFileSync(join(folder, first), 'utf8').trim().split('\n')[0];
}
