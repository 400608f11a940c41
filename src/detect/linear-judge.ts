import type { LeakDetectionResult, LeakVerdict } from '../diagnosis/index.js';
import type { Recording } from '../recording/recording.js';
import { formatBytes, formatBytesPerSecond, formatDuration, formatPercent } from '../units.js';
import { type FloorSeries, floorSeries, loadSeries, withoutSpikes } from './floor.js';
import { inconclusive, type Judge, type JudgeSettings } from './judge.js';
import { analysePattern } from './pattern.js';
import { fitTrend, probabilitySlopeAbove, slopeInterval, type Trend } from './trend.js';

/** The second half of a leak grows at least at this share of the whole's rate; what levels off does not. */
const SUSTAINED_SHARE = 0.5;
/** A slope that is steeper than this in any plausible reading is printed with no more certainty. */
const HIGHEST_CONFIDENCE = 0.999;

/**
 * Decides by a straight line through the post-GC floor of the load phase,
 * after peaks that were gone again two floor points later were taken off it.
 *
 * leak: the growth over the load exceeds the threshold with the confidence
 * asked for, and the second half grows on by itself. no-leak: the growth is
 * below the threshold with that confidence, and not even a small steady growth
 * shows. Everything between is inconclusive, with what would settle it.
 *
 * Cost: linear in the floor points. Given up: growth that is not roughly
 * straight (steps, doubling) is seen only when a line sees it too.
 */
export const judgeByLine: Judge = (recording, settings) => {
  const floor = floorSeries(recording, 'floor_live_bytes');
  if (floor === undefined || floor.timesMs.length === 0) {
    return inconclusive('there is no load phase with floor points in the recording', {
      remedy: 'let the test reach its load phase',
    });
  }
  return judgeFloor(recording, withoutSpikes(floor), settings);
};

function judgeFloor(recording: Recording, floor: FloorSeries, settings: JudgeSettings): LeakDetectionResult {
  const measured = { signal: floor.channel, samples: floor.timesMs.length };
  const seconds = floor.timesMs.map((ms) => ms / 1000);
  const whole = fitTrend(seconds, floor.liveBytes);
  if (floor.timesMs.length < settings.minSamples || whole === undefined) {
    return inconclusive(tooFewPoints(floor, settings), {
      ...measured,
      remedy: 'let the load last longer, or force collections more often (leakDetection.samplingIntervalMs)',
      neededSeconds: neededForPoints(floor, settings),
    });
  }
  const evidence = weigh(floor, whole, settings);
  const perOperation = fitTrend(floor.operations, floor.liveBytes);
  const verdict = decide(evidence, settings);
  const result: LeakDetectionResult = {
    verdict,
    leakDetected: verdict === 'leak',
    leakRate: whole.slope,
    leakRateInterval: slopeInterval(whole),
    bytesPerOperation: perOperation?.slope ?? null,
    bytesPerOperationInterval: perOperation ? slopeInterval(perOperation) : null,
    confidence: confidenceIn(verdict, evidence),
    ...measured,
    explanation: explain(verdict, evidence, perOperation),
    suspectedSources: [],
  };
  if (verdict === 'leak' && settings.enablePatternAnalysis)
    result.patternAnalysis = analysePattern(floor, whole);
  if (verdict === 'no-leak') result.power = power(evidence, perOperation);
  if (verdict === 'inconclusive') Object.assign(result, remedyFor(evidence, settings));
  return { ...result, suspectedSources: verdict === 'leak' ? companions(recording, floor) : [] };
}

interface Evidence {
  floor: FloorSeries;
  whole: Trend;
  seconds: number;
  /** Growth over the load along the line, bytes. */
  growthBytes: number;
  /** Highest growth that the points still allow (95 %), bytes. */
  growthBytesAtMost: number;
  /** Probability that the growth exceeds the threshold. */
  aboveThreshold: number;
  /** Probability that there is any growth. */
  growing: number;
  /** The second half grows by itself, at much the same rate. */
  sustained: boolean;
}

function weigh(floor: FloorSeries, whole: Trend, settings: JudgeSettings): Evidence {
  const seconds = floor.loadMs / 1000;
  const half = Math.floor(floor.timesMs.length / 2);
  const later = fitTrend(
    floor.timesMs.slice(half).map((ms) => ms / 1000),
    floor.liveBytes.slice(half),
  );
  return {
    floor,
    whole,
    seconds,
    growthBytes: whole.slope * seconds,
    growthBytesAtMost: slopeInterval(whole)[1] * seconds,
    aboveThreshold: probabilitySlopeAbove(whole, settings.leakThresholdBytes / seconds),
    growing: probabilitySlopeAbove(whole, 0),
    sustained:
      later !== undefined &&
      later.slope >= SUSTAINED_SHARE * whole.slope &&
      probabilitySlopeAbove(later, 0) >= settings.significanceThreshold,
  };
}

function decide(evidence: Evidence, { significanceThreshold }: JudgeSettings): LeakVerdict {
  const { aboveThreshold, growing, sustained } = evidence;
  if (aboveThreshold >= significanceThreshold) return sustained ? 'leak' : 'inconclusive';
  if (aboveThreshold > 1 - significanceThreshold) return 'inconclusive';
  return growing >= significanceThreshold && sustained ? 'inconclusive' : 'no-leak';
}

function confidenceIn(verdict: LeakVerdict, { aboveThreshold }: Evidence): number {
  const sure = verdict === 'leak' ? aboveThreshold : Math.max(aboveThreshold, 1 - aboveThreshold);
  return verdict === 'inconclusive' ? Math.min(sure, 0.5) : Math.min(HIGHEST_CONFIDENCE, sure);
}

function explain(verdict: LeakVerdict, evidence: Evidence, perOperation: Trend | undefined): string {
  const { growthBytes, seconds, whole, sustained } = evidence;
  const each = perOperation ? `, ${formatBytes(perOperation.slope)} per operation` : '';
  const growth = `the live floor changed by ${formatBytes(growthBytes)} in ${formatDuration(seconds * 1000)} (${formatBytesPerSecond(whole.slope)}${each})`;
  if (verdict === 'leak') return `${growth} and kept growing to the end`;
  if (verdict === 'no-leak') return growth;
  return sustained
    ? `${growth}: steady, but too little so far to call it a leak`
    : `${growth}, but the second half does not continue it: a cache that fills, a warm-up, or noise`;
}

function power({ growthBytesAtMost, floor }: Evidence, perOperation: Trend | undefined): string {
  const operations = (floor.operations.at(-1) ?? 0) - (floor.operations[0] ?? 0);
  const total = `growth of less than ${formatBytes(Math.max(0, growthBytesAtMost))} over this load would not have been seen`;
  if (perOperation === undefined || operations === 0) return total;
  return `a leak of less than ${formatBytes(Math.max(0, growthBytesAtMost) / operations)} per operation would not have been seen`;
}

/** How long it would take, at this rate or with this noise, to know. */
function remedyFor(
  evidence: Evidence,
  settings: JudgeSettings,
): Pick<LeakDetectionResult, 'remedy' | 'neededSeconds'> {
  const { whole, seconds, growthBytes, growthBytesAtMost, sustained } = evidence;
  const neededSeconds =
    sustained && whole.slope > 0
      ? (1.5 * settings.leakThresholdBytes) / whole.slope
      : // The error of the growth falls with the square root of the points.
        seconds * Math.max(3, ((growthBytesAtMost - growthBytes) / settings.leakThresholdBytes) ** 2);
  const longest = Math.max(neededSeconds, 2 * seconds);
  return { remedy: `let the load last about ${formatDuration(longest * 1000)}`, neededSeconds: longest };
}

function tooFewPoints(floor: FloorSeries, settings: JudgeSettings): string {
  return `${floor.timesMs.length} floor points in ${formatDuration(floor.loadMs)} of load are fewer than the ${settings.minSamples} that a verdict needs`;
}

function neededForPoints(floor: FloorSeries, settings: JudgeSettings): number {
  const each = floor.loadMs / 1000 / Math.max(1, floor.timesMs.length);
  return Math.max(1, Math.ceil(each * settings.minSamples * 1.2));
}

const COMPANIONS = [
  ['cache_bytes', "the target's caches"],
  ['connection_bytes', 'connection buffers'],
  ['arc_ref_count', 'Arc references'],
  ['open_connections', 'open connections'],
  ['queue_length', 'a queue'],
  ['floor_external_bytes', 'memory outside the V8 heap (buffers)'],
  ['floor_heap_used_bytes', 'objects on the V8 heap'],
] as const;

/** What grew steadily along with the floor, by the target's own books and by the kind of memory. */
function companions(recording: Recording, floor: FloorSeries): string[] {
  const growthBytes = (floor.liveBytes.at(-1) ?? 0) - (floor.liveBytes[0] ?? 0);
  const sources: string[] = [];
  for (const [channel, words] of COMPANIONS) {
    const series = loadSeries(recording, channel);
    if (series === undefined || series.values.length < 3) continue;
    const trend = fitTrend(series.timesMs, series.values);
    const rise = (series.values.at(-1) ?? 0) - (series.values[0] ?? 0);
    if (trend === undefined || rise <= 0 || trend.rSquared < 0.8) continue;
    if (!channel.endsWith('_bytes')) sources.push(`${words}: ${rise} more at the end than at the beginning`);
    else if (rise >= 0.1 * growthBytes)
      sources.push(`${words}: ${formatPercent(Math.min(1, rise / growthBytes))} of the growth`);
  }
  return sources;
}
