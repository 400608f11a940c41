import type { Explanation, LeakDetectionResult } from '../diagnosis/index.js';
import { formatBytes, formatBytesPerSecond, formatDuration } from '../units.js';
import { calibrated } from './calibration.js';
import type { Contender } from './contest.js';
import { EXPLANATIONS, patternOf } from './explanations.js';
import type { JudgeSettings } from './judge.js';
import { analyseShape, leakRate } from './leak-shape.js';
import type { JudgedSignal } from './points.js';
import { detectableGrowthBytes } from './power.js';
import { type ProcessEvidence, shares } from './process-evidence.js';
import type { SignalEvidence } from './signal-evidence.js';

/** How the signals are called where the series comes from. */
export type SignalNames = Record<JudgedSignal, string>;

/** Everything that a verdict is made of. */
export interface JudgedCase {
  evidence: ProcessEvidence;
  names: SignalNames;
  /** What was mended before. */
  notes: string[];
  /** Full collections that were seen. */
  floorCount: number;
  fragmentation?: string | undefined;
  /** Noise that would hide so many times the threshold makes a clean verdict worthless. */
  hiddenThresholds: number;
  /** What growth below the threshold is still worth a longer test; absent: none. */
  smallGrowth?: SmallGrowth;
}

/** Growth that goes on is no clean verdict when it is more than both. */
export interface SmallGrowth {
  bytesPerOperation: number;
  /** Over the whole load: less comes and goes by itself. */
  bytes: number;
}

const SIGNAL_WORDS: Record<JudgedSignal, string> = {
  floor: 'live memory after full collections',
  malloc: "the allocator's memory in use",
  resident: 'resident memory outside the heap',
};

/** Growth below the threshold that is less likely than this to go on is passed over, unless it is large for an operation. */
const LIKELY = 0.2;
const LIKELY_IF_LARGE = 0.02;
const LARGE_BYTES_PER_OPERATION = 1024;

/** From the evidence to the verdict, its reasons, and what would help where there is none. At least one signal was judged. */
export function verdictOn(judged: JudgedCase, settings: JudgeSettings): LeakDetectionResult {
  const { evidence, notes } = judged;
  const loudest = evidence.loudest && evidence.bySignal[evidence.loudest];
  if (loudest === undefined) throw new Error('no signal was judged');
  return { ...decide(judged, loudest, settings), ...(notes.length > 0 && { notes }) };
}

function decide(judged: JudgedCase, loudest: SignalEvidence, settings: JudgeSettings): LeakDetectionResult {
  const { evidence } = judged;
  const { significanceThreshold } = settings;
  const isLeak = evidence.probability >= significanceThreshold;
  // Leaks of several kinds, none of which fits as well as what is no leak, do not outvote it.
  if (isLeak && loudest.contenders[0] === loudest.bestOther)
    return undecided(describe(loudest, judged, settings, true), loudest, 'torn', settings);
  // What is no leak is told by the floor, if there is one; what leaks by the signal that does.
  const shown = isLeak ? loudest : (evidence.bySignal.floor ?? loudest);
  const base = describe(shown, judged, settings, isLeak);
  if (isLeak) return leak(base, shown, evidence, settings);
  if (evidence.lacksFloor) return withoutFloor(base, judged, settings);
  if (isBlind(shown, base, judged, settings)) return undecided(base, shown, 'blind', settings);
  if (evidence.probability > 1 - significanceThreshold)
    return undecided(describe(loudest, judged, settings, true), loudest, 'torn', settings);
  const small = Object.values(evidence.bySignal).find((signal) => growsSlowly(signal, judged));
  if (small) return undecided(describe(small, judged, settings, true), small, 'small', settings);
  return cleared(base, shown, judged);
}

/** Noise hides what counts, and no rest before and after the load says otherwise. */
function isBlind(
  { points }: SignalEvidence,
  { detectableGrowthBytes: hidden = 0 }: LeakDetectionResult,
  { hiddenThresholds }: JudgedCase,
  { leakThresholdBytes }: JudgeSettings,
): boolean {
  const isBounded = points.retainedBytes !== undefined && points.retainedBytes < leakThresholdBytes / 2;
  return !isBounded && hidden > hiddenThresholds * leakThresholdBytes;
}

/** Growth below the threshold that goes on, and is worth a longer test. */
function growsSlowly(signal: SignalEvidence, { smallGrowth, evidence }: JudgedCase): boolean {
  const { operations, retainedBytes } = signal.points;
  if (smallGrowth === undefined || operations === 0) return false;
  const growth = Math.min(signal.bestLeak?.growth?.bytes ?? 0, retainedBytes ?? Number.POSITIVE_INFINITY);
  if (growth < leastWorthwhile(smallGrowth, operations)) return false;
  const channels = evidence.bySignal.malloc ? 'withAllocator' : 'withoutAllocator';
  const isLarge = growth / operations >= LARGE_BYTES_PER_OPERATION;
  return calibrated(signal.growingLogOdds, channels) > (isLarge ? LIKELY_IF_LARGE : LIKELY);
}

function leastWorthwhile({ bytesPerOperation, bytes }: SmallGrowth, operations: number): number {
  return Math.max(bytes, bytesPerOperation * operations);
}

/** What every verdict has in common. */
function describe(
  shown: SignalEvidence,
  { evidence, names, fragmentation }: JudgedCase,
  settings: JudgeSettings,
  isGrowing: boolean,
): LeakDetectionResult {
  const rate = leakRate(shown, isGrowing);
  const hidden = detectableGrowthBytes(shown, settings);
  return {
    verdict: 'inconclusive',
    leakDetected: false,
    leakRate: rate?.bytesPerSecond ?? null,
    leakRateInterval: rate?.interval ?? null,
    bytesPerOperation: rate?.bytesPerOperation ?? null,
    bytesPerOperationInterval: rate?.operationInterval ?? null,
    confidence: 1 - evidence.probability,
    pValue: evidence.pValue,
    signal: names[shown.points.signal],
    samples: shown.points.observed,
    explanation: '',
    suspectedSources: [],
    ...(hidden !== undefined && { detectableGrowthBytes: hidden }),
    ...(fragmentation !== undefined && { fragmentation }),
  };
}

function leak(
  base: LeakDetectionResult,
  shown: SignalEvidence,
  evidence: ProcessEvidence,
  settings: JudgeSettings,
): LeakDetectionResult {
  const pattern = settings.enablePatternAnalysis ? analyseShape(shown) : undefined;
  return {
    ...base,
    verdict: 'leak',
    leakDetected: true,
    confidence: evidence.probability,
    explanation: `${growthWords(shown, base)}: ${wordsOf(shown.bestLeak)}${againstWords(shown.bestOther)}`,
    ...explanations(shown, shown.bestLeak, shown.bestOther),
    ...(pattern && { patternAnalysis: pattern }),
  };
}

function cleared(base: LeakDetectionResult, shown: SignalEvidence, judged: JudgedCase): LeakDetectionResult {
  const { power } = powerWords(base, shown, judged.smallGrowth);
  return {
    ...base,
    verdict: 'no-leak',
    explanation: `${growthWords(shown, base)}: ${clearedBy(shown)}${againstWords(otherSide(shown))}`,
    ...explanations(shown, shown.contenders[0], otherSide(shown)),
    ...(power && { power }),
  };
}

/** The winner may be a leak too small to count: then that is what clears it. */
function clearedBy({ bestLeak, bestOther }: SignalEvidence): string {
  const small = bestLeak && (bestOther === undefined || bestLeak.evidence > bestOther.evidence);
  return small ? `${wordsOf(bestLeak)}, which is less than counts as a leak` : wordsOf(bestOther);
}

/** blind: noise hides the threshold. torn: leak and no leak are as likely. small: it grows, but too little so far. */
type Doubt = 'blind' | 'torn' | 'small';

function undecided(
  base: LeakDetectionResult,
  shown: SignalEvidence,
  doubt: Doubt,
  settings: JudgeSettings,
): LeakDetectionResult {
  const seconds = neededSeconds(base, shown, settings, doubt);
  const why = {
    blind: `the noise would hide growth of up to ${formatBytes(base.detectableGrowthBytes ?? 0)}`,
    torn: `${wordsOf(shown.bestLeak)} is about as likely as ${wordsOf(shown.bestOther)}`,
    small: `${wordsOf(shown.bestLeak)}, but too little so far to call it a leak`,
  }[doubt];
  return {
    ...base,
    explanation: `${growthWords(shown, base)}: ${why}`,
    ...explanations(shown, shown.contenders[0], otherSide(shown)),
    remedy: `let the load last about ${formatDuration(seconds * 1000)}`,
    neededSeconds: seconds,
  };
}

function otherSide({ contenders, bestLeak, bestOther }: SignalEvidence): Contender | undefined {
  return contenders[0] === bestLeak ? bestOther : bestLeak;
}

/** How long until growth at this rate, or a leak of the least size in this noise, would show. */
function neededSeconds(
  { leakRate: rate, detectableGrowthBytes: hidden }: LeakDetectionResult,
  { points }: SignalEvidence,
  settings: JudgeSettings,
  doubt: Doubt,
): number {
  const { runSeconds } = points;
  if (doubt === 'blind' && hidden !== undefined) {
    // The same leak grows on while the noise stays: what a run can show falls with its length to the power of 3/2.
    return runSeconds * Math.max(2, (hidden / (2 * settings.leakThresholdBytes)) ** (2 / 3));
  }
  const untilCounts = rate !== null && rate > 0 ? (1.5 * settings.leakThresholdBytes) / rate : 0;
  return Math.max(2 * runSeconds, Math.min(untilCounts, 50 * runSeconds));
}

function withoutFloor(
  base: LeakDetectionResult,
  { floorCount }: JudgedCase,
  settings: JudgeSettings,
): LeakDetectionResult {
  return {
    ...base,
    confidence: 0.5,
    leakRate: null,
    leakRateInterval: null,
    bytesPerOperation: null,
    bytesPerOperationInterval: null,
    explanation: `memory outside the heap does not leak; of JavaScript memory nothing can be said: ${floorCount} full collections were seen, ${settings.minSamples} are needed`,
    remedy:
      'let the process run until there were more full collections, or force some (crucible-memory run does)',
  };
}

/** What explains a series best, and the best of the other side. */
export function competingExplanations(evidence: SignalEvidence) {
  return explanations(evidence, evidence.contenders[0], otherSide(evidence));
}

function explanations(
  evidence: SignalEvidence,
  winner: Contender | undefined,
  other: Contender | undefined,
): Pick<LeakDetectionResult, 'winningExplanation' | 'runnerUpExplanation'> {
  const probabilities = shares(evidence);
  const of = (contender: Contender): Explanation => ({
    name: contender.name,
    words: wordsOf(contender),
    probability: probabilities[evidence.contenders.indexOf(contender)] ?? 0,
  });
  return {
    ...(winner && { winningExplanation: of(winner) }),
    ...(other && { runnerUpExplanation: of(other) }),
  };
}

function wordsOf(contender: Contender | undefined): string {
  if (contender === undefined) return 'no other explanation';
  const { words } = EXPLANATIONS[contender.name];
  return contender.followsLoad ? `${words}, on top of what follows the load` : words;
}

function againstWords(other: Contender | undefined): string {
  if (other === undefined) return '';
  const side = patternOf(other.name) === undefined ? '' : 'leak ';
  return ` (next best ${side}explanation: ${EXPLANATIONS[other.name].words})`;
}

function growthWords(
  { points }: SignalEvidence,
  { leakRate: rate, bytesPerOperation }: LeakDetectionResult,
): string {
  const what = SIGNAL_WORDS[points.signal];
  const lasted = formatDuration(points.runSeconds * 1000);
  const first = points.values[0] as number;
  const change = (points.values.at(-1) as number) - first;
  const each = bytesPerOperation === null ? '' : `, ${formatBytes(bytesPerOperation)} per operation`;
  const growing = rate === null ? '' : `; steady growth ${formatBytesPerSecond(rate)}${each}`;
  return `${what} changed by ${formatBytes(change)} in ${lasted}${growing}`;
}

function powerWords(
  { detectableGrowthBytes: hidden }: LeakDetectionResult,
  { points }: SignalEvidence,
  smallGrowth: SmallGrowth | undefined,
): Pick<LeakDetectionResult, 'power'> {
  if (hidden === undefined) return {};
  if (points.operations === 0)
    return { power: `a leak of less than ${formatBytes(hidden)} over this time would not have been seen` };
  // Steady growth below the threshold is not passed over either, where there is a limit for it.
  const least = smallGrowth ? Math.min(hidden, leastWorthwhile(smallGrowth, points.operations)) : hidden;
  return {
    power: `a leak of less than ${formatBytes(least / points.operations)} per operation would not have been seen`,
  };
}
