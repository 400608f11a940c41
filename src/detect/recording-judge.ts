import type { LeakDetectionResult } from '../diagnosis/index.js';
import { processSeriesOf } from '../recording/recorded-process.js';
import type { Recording } from '../recording/recording.js';
import { formatDuration, KIB } from '../units.js';
import { Phase } from '../vocabulary.js';
import { type FloorSeries, floorSeries, inBlocks, loadWindow, withoutSpikes } from './floor.js';
import { growingSeries } from './grown-series.js';
import { inconclusive, type Judge, type JudgeSettings } from './judge.js';
import { type JudgedPoints, type JudgedSignal, SIGNAL_PRECISION } from './points.js';
import { weighSignals } from './process-evidence.js';
import { judgeProcess } from './process-judge.js';
import type { SoFar } from './sequential-judge.js';
import type { Signals } from './signals.js';
import { soFarOf } from './so-far.js';
import { suspectedSources } from './suspected-sources.js';
import { type JudgedCase, type SignalNames, verdictOn } from './verdict.js';

const CHANNELS: SignalNames = {
  floor: 'floor_live_bytes',
  malloc: 'floor_malloc_in_use_bytes',
  resident: 'floor_rss_bytes',
};

/**
 * Growth of less than this is not worth a longer test by itself: compiled code
 * and the like come and go by as much, whatever the target does.
 */
const SMALL_GROWTH = { bytesPerOperation: 256, bytes: 192 * KIB };
const HIDDEN_THRESHOLDS = 3;

/** What a process takes from the system in its first moments is its start, and grows in every program. */
const STARTING_MS = 20_000;

/**
 * A recording of a test, or with a load that was marked, is judged by its load; any other as a
 * process is that somebody else has measured.
 */
export const judgeRecording: Judge = (recording, settings) =>
  recording.header.details.scenario !== undefined ||
  recording.phases().some(({ phase }) => phase === Phase.Load)
    ? judgeByCompetition(recording, settings)
    : judgeProgram(recording, settings);

const judgeProgram: Judge = (recording, settings) => {
  const series = processSeriesOf(recording);
  const floorCount = series.liveAfterGc?.timesMs.length ?? 0;
  if (floorCount < settings.minSamples && recording.endMs < STARTING_MS) {
    return {
      ...inconclusive(
        `${floorCount} full collections were seen in ${formatDuration(recording.endMs)}, and what a process takes from the system in so short a time says nothing`,
        { remedy: 'record for longer, or have collections forced more often' },
      ),
      samples: floorCount,
      neededSeconds: STARTING_MS / 1000,
    };
  }
  return {
    ...judgeProcess(series, settings),
    growingSeries: growingSeries(recording, { startMs: 0, endMs: recording.endMs }),
  };
};

/**
 * Decides about the load of a test by letting explanations compete for what
 * was live, and what the allocator had handed out, each time that the load was
 * held and everything collected.
 *
 * Peaks that were gone two floor points later are taken off first. What is
 * more at rest after the load than before it bounds every leak: what the load
 * merely kept warm is given back by then.
 */
export const judgeByCompetition: Judge = (recording, settings) => {
  const found = evidenceOf(recording, settings);
  if ('verdict' in found) return found;
  return withCompanions(verdictOn(found.judged, settings), recording, found.floor);
};

/** The same of a test that still runs, with what a sequential judge wants to know; undefined: too little yet. */
export function judgeSoFar(recording: Recording, settings: JudgeSettings): SoFar | undefined {
  const found = evidenceOf(recording, settings);
  const window = loadWindow(recording);
  if ('verdict' in found || window === undefined) return undefined;
  return soFarOf(found.judged, settings, { elapsedMs: window.endMs - window.startMs, isAtRest: true });
}

interface Found {
  judged: JudgedCase;
  floor: FloorSeries;
}

/** What the signals of a recording say, or why they say nothing. */
function evidenceOf(recording: Recording, settings: JudgeSettings): Found | LeakDetectionResult {
  const floor = floorSeries(recording, 'floor_live_bytes');
  if (floor === undefined || floor.timesMs.length === 0) {
    return inconclusive('there is no load phase with floor points in the recording', {
      remedy: 'let the test reach its load phase',
    });
  }
  if (floor.timesMs.length < settings.minSamples) return tooFewPoints(floor, settings);
  const smooth = withoutSpikes(floor);
  const signals = signalsOf(recording, smooth);
  const operations = signals.floor?.operations ?? 0;
  const judged: JudgedCase = {
    evidence: weighSignals(signals, operations, settings),
    names: CHANNELS,
    notes: [],
    floorCount: floor.timesMs.length,
    hiddenThresholds: HIDDEN_THRESHOLDS,
    smallGrowth: SMALL_GROWTH,
  };
  return { judged, floor: smooth };
}

/** The verdict, and what else of the recording grows. */
function withCompanions(
  result: LeakDetectionResult,
  recording: Recording,
  floor: FloorSeries,
): LeakDetectionResult {
  const window = loadWindow(recording);
  if (window === undefined) return result;
  const grown = growingSeries(recording, window);
  return {
    ...result,
    growingSeries: grown,
    ...(result.leakDetected && { suspectedSources: suspectedSources(recording, floor, grown.growing) }),
  };
}

function signalsOf(recording: Recording, floor: FloorSeries): Signals {
  const malloc = floorSeries(recording, 'floor_malloc_in_use_bytes');
  const rss = malloc?.timesMs.length ? undefined : floorSeries(recording, 'floor_rss_bytes');
  return {
    floor: pointsOf(recording, 'floor', floor),
    ...(malloc?.timesMs.length && { malloc: pointsOf(recording, 'malloc', withoutSpikes(malloc)) }),
    // Resident memory at a floor holds the heap that is committed for the load: only its growth beyond that tells.
    ...(rss?.timesMs.length && { resident: pointsOf(recording, 'resident', outsideTheFloor(rss, floor)) }),
  };
}

/** Resident memory without what is live: where the allocator cannot be asked. */
function outsideTheFloor(rss: FloorSeries, floor: FloorSeries): FloorSeries {
  const liveAt = new Map(floor.timesMs.map((ms, i) => [ms, floor.liveBytes[i] as number]));
  return {
    ...rss,
    liveBytes: rss.liveBytes.map((bytes, i) => bytes - (liveAt.get(rss.timesMs[i] as number) ?? 0)),
  };
}

function pointsOf(recording: Recording, signal: JudgedSignal, given: FloorSeries): JudgedPoints {
  const series = inBlocks(given);
  const first = series.operations[0] ?? 0;
  const operations = (series.operations.at(-1) ?? 0) - first;
  const runMs = Math.max(1, series.loadMs);
  const x = Float64Array.from(series.timesMs, (ms) => ms / runMs);
  const retainedBytes = retained(recording, series.channel);
  return {
    signal,
    precision: SIGNAL_PRECISION[signal],
    values: Float64Array.from(series.liveBytes),
    x,
    age: x,
    ...(operations > 0 && {
      worked: Float64Array.from(series.operations, (count) => (count - first) / operations),
    }),
    loads: [],
    begins: [0],
    runSeconds: runMs / 1000,
    operations,
    observed: given.timesMs.length,
    ...(retainedBytes !== undefined && { retainedBytes }),
  };
}

/**
 * The channel's last value at rest before the load, and its lowest at rest
 * after it, before the target is stopped: how much more there is.
 */
function retained(recording: Recording, channel: string): number | undefined {
  const load = loadWindow(recording);
  const series = recording.series(channel);
  if (load === undefined || series === undefined) return undefined;
  const resting = recording.phases().filter(({ phase }) => phase === Phase.Settle);
  const before = resting.findLast(({ endMs }) => endMs <= load.startMs);
  const after = resting.find(({ startMs }) => startMs >= load.endMs);
  if (before === undefined || after === undefined) return undefined;
  const settled = recording.window(series, before.startMs, before.endMs).values.at(-1);
  const left = recording.window(series, after.startMs, after.endMs).values;
  return settled === undefined || left.length === 0 ? undefined : Math.min(...left) - settled;
}

function tooFewPoints(floor: FloorSeries, settings: JudgeSettings): LeakDetectionResult {
  const points = floor.timesMs.length;
  const eachSeconds = floor.loadMs / 1000 / Math.max(1, points);
  return {
    ...inconclusive(
      `${points} floor points in ${formatDuration(floor.loadMs)} of load are fewer than the ${settings.minSamples} that a verdict needs`,
      {
        remedy:
          'let the load last longer, or force collections more often (leakDetection.samplingIntervalMs)',
      },
    ),
    signal: floor.channel,
    samples: points,
    neededSeconds: Math.max(1, Math.ceil(eachSeconds * settings.minSamples * 1.2)),
  };
}
