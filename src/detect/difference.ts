import type { ComparedRound, ComparisonResult } from '../diagnosis/index.js';
import type { Recording } from '../recording/recording.js';
import { formatBytes, formatBytesPerSecond, formatDuration } from '../units.js';
import { ColumnSpace } from './autoregression.js';
import { type FloorSeries, floorSeries, inBlocks, withoutSpikes } from './floor.js';
import type { JudgeSettings } from './judge.js';
import { analyseShape } from './leak-shape.js';
import { type JudgedPoints, SIGNAL_PRECISION } from './points.js';
import { detectableGrowthBytes } from './power.js';
import { weighSignals } from './process-evidence.js';
import type { SignalEvidence } from './signal-evidence.js';
import { studentQuantile } from './student.js';
import { competingExplanations } from './verdict.js';

/** The same load on the known build and on the new one, one right after the other. */
export interface Round {
  base: Recording;
  head: Recording;
}

type Channel = 'floor_live_bytes' | 'floor_malloc_in_use_bytes';

/** Fewer rounds could be one machine's mood. */
const ROUNDS_AT_LEAST = 2;
/** Noise that would hide so many thresholds makes "no leak" worthless. */
const HIDDEN_THRESHOLDS = 3;
const GRID_POINTS = 60;
const POINTS_AT_LEAST = 8;

/**
 * Judges the difference of the floors of two builds under the same load.
 *
 * What both do cancels: warm-up, compiled code, a leak of a library that both
 * use. The difference, taken at equal counts of operations and averaged over
 * the rounds, goes through the same contest of explanations as the memory of a
 * single process; a larger cache of the new build is a cache that fills, not a
 * leak. How much more of every operation the new build keeps comes from each
 * round by itself, and the interval allows for the noise within rounds and
 * for what differs between them (Welch and Satterthwaite's degrees of freedom).
 * A leak has to show in every round (Matias et al. 2014: divergence from a
 * known build finds ageing better than any trend of the new one alone).
 */
export function judgeDifference(rounds: readonly Round[], settings: JudgeSettings): ComparisonResult {
  const live = differencesOf(rounds, 'floor_live_bytes');
  const malloc = differencesOf(rounds, 'floor_malloc_in_use_bytes');
  if (live.length === 0)
    return undecided(rounds, 'the recordings hold no floor under load that can be compared');
  const floor = meanOf(live, 'floor');
  const allocated = malloc.length === live.length ? meanOf(malloc, 'malloc') : undefined;
  const evidence = weighSignals({ floor, ...(allocated && { malloc: allocated }) }, floor.operations, {
    ...settings,
    minSamples: POINTS_AT_LEAST,
  });
  const loudest = evidence.loudest && evidence.bySignal[evidence.loudest];
  if (loudest === undefined) return undecided(rounds, 'too few floor points can be compared');
  const isLeaning = evidence.probability >= 0.5;
  const shown = isLeaning ? loudest : (evidence.bySignal.floor ?? loudest);
  const differences = shown.points.signal === 'malloc' ? malloc : live;
  const growth = pooled(differences);
  const known = describe(rounds, differences, shown, growth, settings);
  const everyRound = differences.every(({ growthBytes }) => growthBytes > 0);
  const { significanceThreshold: needed, leakThresholdBytes } = settings;
  if (evidence.probability >= needed) {
    const isEnough = rounds.length >= ROUNDS_AT_LEAST && everyRound && growth.low > 0;
    if (isEnough) return leak(known, shown, evidence.probability);
  }
  const hidden = known.detectableGrowthBytes ?? Number.POSITIVE_INFINITY;
  const isCleared = evidence.probability <= 1 - needed || growth.high < leakThresholdBytes;
  if (isCleared && hidden <= HIDDEN_THRESHOLDS * leakThresholdBytes && rounds.length >= ROUNDS_AT_LEAST)
    return {
      ...known,
      verdict: 'no-leak',
      confidence: 1 - evidence.probability,
      explanation: `the new build keeps no more and more than the known one: ${amountWords(known, shown)}`,
    };
  return {
    ...known,
    confidence: 1 - evidence.probability,
    explanation: `the difference is not clear: ${amountWords(known, shown)}`,
    remedy:
      rounds.length < ROUNDS_AT_LEAST
        ? `compare at least ${ROUNDS_AT_LEAST} rounds of both builds (--rounds)`
        : `compare more rounds (--rounds), or let each load last about ${formatDuration(2000 * shown.points.runSeconds)}`,
  };
}

/** Of one round: how the floors differ, at equal counts of operations. */
interface Difference {
  bytes: Float64Array;
  /** Operations that both builds did; 0: none were counted, and time is what they share. */
  operations: number;
  seconds: number;
  growthBytes: number;
  growthError: number;
}

function differencesOf(rounds: readonly Round[], channel: Channel): Difference[] {
  return rounds.flatMap(({ base, head }) => {
    const [before, after] = [floorOf(base, channel), floorOf(head, channel)];
    if (before === undefined || after === undefined) return [];
    const isCounted = span(before.operations) > 0 && span(after.operations) > 0;
    const axis = (floor: FloorSeries) => (isCounted ? floor.operations : floor.timesMs).map(fromFirst);
    const [beforeAxis, afterAxis] = [axis(before), axis(after)];
    const reach = Math.min(beforeAxis.at(-1) ?? 0, afterAxis.at(-1) ?? 0);
    const points = Math.min(GRID_POINTS, beforeAxis.length, afterAxis.length);
    if (!(reach > 0) || points < POINTS_AT_LEAST) return [];
    const bytes = Float64Array.from({ length: points }, (_, i) => {
      const at = (reach * i) / (points - 1);
      return interpolated(afterAxis, after.liveBytes, at) - interpolated(beforeAxis, before.liveBytes, at);
    });
    const seconds = (before.loadMs + after.loadMs) / 2000;
    return [{ bytes, operations: isCounted ? reach : 0, seconds, ...steadyGrowth(bytes) }];
  });
}

function floorOf(recording: Recording, channel: Channel): FloorSeries | undefined {
  const floor = floorSeries(recording, channel);
  return floor === undefined || floor.timesMs.length < POINTS_AT_LEAST
    ? undefined
    : inBlocks(withoutSpikes(floor));
}

function fromFirst(value: number, _: number, all: number[]): number {
  return value - (all[0] as number);
}

function span(values: readonly number[]): number {
  return (values.at(-1) ?? 0) - (values[0] ?? 0);
}

/** Linear between the two nearest; `axis` ascends. */
function interpolated(axis: readonly number[], values: readonly number[], at: number): number {
  const behind = axis.findIndex((value) => value >= at);
  if (behind <= 0) return (behind === 0 ? values[0] : values.at(-1)) as number;
  const [from, until] = [axis[behind - 1] as number, axis[behind] as number];
  const share = until > from ? (at - from) / (until - from) : 1;
  return (
    (values[behind - 1] as number) + share * ((values[behind] as number) - (values[behind - 1] as number))
  );
}

/** A straight line with noise that remembers: how much the difference grows over the run. */
function steadyGrowth(bytes: Float64Array): { growthBytes: number; growthError: number } {
  const { scale, rounding } = SIGNAL_PRECISION.floor;
  const space = new ColumnSpace(
    bytes.map((value) => (value - (bytes[0] as number)) / scale),
    rounding / scale,
  );
  const n = bytes.length;
  const fit = space.fit([
    space.add(new Float64Array(n).fill(1)),
    space.add(bytes.map((_, i) => i / (n - 1))),
  ]);
  if (fit === undefined) return { growthBytes: 0, growthError: Number.POSITIVE_INFINITY };
  return {
    growthBytes: (fit.coefficients[1] as number) * scale,
    growthError: (fit.errors[1] as number) * scale,
  };
}

/** The difference averaged over the rounds: what differs by chance averages out. */
function meanOf(differences: readonly Difference[], signal: 'floor' | 'malloc'): JudgedPoints {
  const n = Math.min(...differences.map(({ bytes }) => bytes.length));
  const mean = (value: (difference: Difference) => number) =>
    differences.reduce((sum, difference) => sum + value(difference), 0) / differences.length;
  const x = Float64Array.from({ length: n }, (_, i) => i / (n - 1));
  const operations = mean((difference) => difference.operations);
  return {
    signal,
    precision: SIGNAL_PRECISION[signal],
    values: x.map((share) => mean(({ bytes }) => bytes[Math.round(share * (bytes.length - 1))] as number)),
    x,
    age: x,
    ...(operations > 0 && { worked: x }),
    loads: [],
    begins: [0],
    runSeconds: mean(({ seconds }) => seconds),
    operations,
    observed: differences.reduce((sum, { bytes }) => sum + bytes.length, 0),
  };
}

interface Pooled {
  bytes: number;
  low: number;
  high: number;
}

/**
 * Mean growth of the rounds with its 95 % interval: noise within rounds, and
 * differences between them. Rounds differ in how much was done: each counts as
 * if it had been as long as the mean of them.
 */
function pooled(differences: readonly Difference[]): Pooled {
  const r = differences.length;
  const worked = ({ operations, seconds }: Difference) => (operations > 0 ? operations : seconds);
  const length = differences.reduce((sum, difference) => sum + worked(difference), 0) / r;
  const scaled = differences.map((difference) => {
    const times = length / worked(difference);
    return { growth: difference.growthBytes * times, error: difference.growthError * times };
  });
  const bytes = scaled.reduce((sum, { growth }) => sum + growth, 0) / r;
  const within = scaled.reduce((sum, { error }) => sum + error ** 2, 0) / r / r;
  const between =
    r < 2 ? 0 : scaled.reduce((sum, { growth }) => sum + (growth - bytes) ** 2, 0) / (r - 1) / r;
  const points = differences.reduce((sum, { bytes: all }) => sum + all.length - 2, 0);
  const degrees = (within + between) ** 2 / (within ** 2 / points + (r < 2 ? 0 : between ** 2 / (r - 1)));
  const reach = studentQuantile(0.05, Math.max(1, degrees)) * Math.sqrt(within + between);
  return { bytes, low: bytes - reach, high: bytes + reach };
}

function describe(
  rounds: readonly Round[],
  differences: readonly Difference[],
  shown: SignalEvidence,
  growth: Pooled,
  settings: JudgeSettings,
): ComparisonResult {
  const { operations, runSeconds, signal, values } = shown.points;
  const hidden = detectableGrowthBytes(shown, settings);
  return {
    ...undecided(rounds, ''),
    signal: signal === 'malloc' ? 'floor_malloc_in_use_bytes' : 'floor_live_bytes',
    bytesPerOperation: operations > 0 ? growth.bytes / operations : null,
    bytesPerOperationInterval: operations > 0 ? [growth.low / operations, growth.high / operations] : null,
    leakRate: growth.bytes / runSeconds,
    leakRateInterval: [growth.low / runSeconds, growth.high / runSeconds],
    levelBytes: values[0] ?? null,
    ...competingExplanations(shown),
    ...(hidden !== undefined && { detectableGrowthBytes: hidden }),
    rounds: rounds.map((round, i) => comparedRound(round, differences[i])),
  };
}

function comparedRound({ base, head }: Round, difference: Difference | undefined): ComparedRound {
  const { growthBytes = 0, operations = 0, seconds = 1 } = difference ?? {};
  return {
    base: base.path,
    head: head.path,
    bytesPerOperation: operations > 0 ? growthBytes / operations : null,
    bytesPerSecond: growthBytes / seconds,
  };
}

function leak(known: ComparisonResult, shown: SignalEvidence, probability: number): ComparisonResult {
  const pattern = analyseShape(shown)?.patternType;
  return {
    ...known,
    verdict: 'leak',
    leakDetected: true,
    confidence: probability,
    explanation: `the new build keeps more and more that the known one does not, in every round: ${amountWords(known, shown)}`,
    ...(pattern && { patternType: pattern }),
  };
}

function undecided(rounds: readonly Round[], explanation: string): ComparisonResult {
  const scenario = rounds[0]?.head.header.details.scenario;
  return {
    scenario: typeof scenario === 'string' ? scenario : '',
    verdict: 'inconclusive',
    leakDetected: false,
    confidence: 0,
    signal: null,
    bytesPerOperation: null,
    bytesPerOperationInterval: null,
    leakRate: null,
    leakRateInterval: null,
    levelBytes: null,
    explanation,
    rounds: rounds.map((round) => comparedRound(round, undefined)),
  };
}

function amountWords(known: ComparisonResult, { points }: SignalEvidence): string {
  const { bytesPerOperation, bytesPerOperationInterval, leakRate, winningExplanation } = known;
  const [low, high] = bytesPerOperationInterval ?? [0, 0];
  const amount =
    bytesPerOperation === null
      ? `${formatBytesPerSecond(leakRate ?? 0)} more`
      : `${formatBytes(bytesPerOperation)} more per operation (95 %: ${formatBytes(low)} to ${formatBytes(high)})`;
  const what =
    winningExplanation === undefined
      ? ''
      : `; the difference is explained best by ${winningExplanation.words}`;
  return `${amount} over ${formatDuration(points.runSeconds * 1000)}${what}`;
}
