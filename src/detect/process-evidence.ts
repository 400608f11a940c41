import { type ChannelSet, calibrated } from './calibration.js';
import { pValueOf } from './clean-odds.js';
import type { JudgedSignal } from './points.js';
import type { CleanSeries } from './sanitise.js';
import { type SignalEvidence, weighSignal } from './signal-evidence.js';
import { type Signals, signalsOf } from './signals.js';

/** What all signals of a process say together. */
export interface ProcessEvidence {
  signals: Signals;
  /** Of each signal that was judged. */
  bySignal: Partial<Record<JudgedSignal, SignalEvidence>>;
  /** The signal that speaks loudest for a leak; without any, undefined. */
  loudest?: JudgedSignal;
  /** Log odds for a leak in any signal, as the models see it. */
  logOdds: number;
  /** Probability of a leak, calibrated. */
  probability: number;
  /** Chance that a clean process gives odds as high as these; 1 when no signal was judged. */
  pValue: number;
  /** Live JavaScript memory could not be judged: too few full collections, and resident memory grew. */
  lacksFloor: boolean;
}

/**
 * Log odds for a leak before anything was seen. Live memory after collections
 * holds nothing but live memory; what the allocator holds may be pools; what
 * is resident may be anything.
 */
const PRIOR_LOG_ODDS: Record<JudgedSignal, number> = { floor: 0, malloc: -0.85, resident: -1.7 };

/** What a leak has to be more than. */
export interface LeastLeak {
  leakThresholdBytes: number;
  /** Bytes for each operation below which growth does not count either. */
  minBytesPerOperation?: number;
  /** Points of a signal below which it is not judged. */
  minSamples: number;
}

/**
 * Weighs every signal that can leak. Resident memory is judged only where the
 * allocator was not asked: what it holds more of without more being in use is
 * fragmentation.
 */
export function weighProcess(series: CleanSeries, least: LeastLeak): ProcessEvidence {
  return weighSignals(signalsOf(series), series.operations?.at(-1) ?? 0, least);
}

/** The same for signals that are reduced already. */
export function weighSignals(signals: Signals, operations: number, least: LeastLeak): ProcessEvidence {
  const leastBytes = Math.max(least.leakThresholdBytes, (least.minBytesPerOperation ?? 0) * operations);
  const bySignal: ProcessEvidence['bySignal'] = {};
  for (const name of ['floor', 'malloc', 'resident'] as const) {
    const points = signals[name];
    if (points === undefined || points.observed < least.minSamples) continue;
    if (name === 'resident' && bySignal.malloc !== undefined) continue;
    const evidence = weighSignal(
      points,
      leastBytes + (name === 'resident' ? (signals.heapDoubtBytes ?? 0) : 0),
    );
    if (evidence) bySignal[name] = evidence;
  }
  const evidence = together(signals, bySignal);
  return { ...evidence, lacksFloor: bySignal.floor === undefined && !isLevelAsAWhole(signals, leastBytes) };
}

/** Without a floor, only what does not grow at all is known to be clean: resident memory, heap and all. */
function isLevelAsAWhole({ whole }: Signals, leastBytes: number): boolean {
  const evidence = whole && weighSignal(whole, leastBytes);
  return evidence !== undefined && evidence.logOdds + PRIOR_LOG_ODDS.resident < LEVEL_LOG_ODDS;
}

const LEVEL_LOG_ODDS = -4;

/** There is no leak when no signal has one: the chances against it multiply. */
function together(
  signals: Signals,
  bySignal: ProcessEvidence['bySignal'],
): Omit<ProcessEvidence, 'lacksFloor'> {
  let logNone = 0;
  let loudest: JudgedSignal | undefined;
  let most = Number.NEGATIVE_INFINITY;
  for (const [name, { logOdds }] of Object.entries(bySignal) as [JudgedSignal, SignalEvidence][]) {
    const odds = logOdds + PRIOR_LOG_ODDS[name];
    logNone -= softPlus(odds);
    if (odds <= most) continue;
    most = odds;
    loudest = name;
  }
  const logOdds = logNone === 0 ? -50 : logNone < -30 ? -logNone : Math.log(Math.expm1(-logNone));
  const channels: ChannelSet = bySignal.malloc ? 'withAllocator' : 'withoutAllocator';
  return {
    signals,
    bySignal,
    ...(loudest && { loudest }),
    logOdds,
    probability: loudest === undefined ? 0.5 : calibrated(logOdds, channels),
    pValue: loudest === undefined ? 1 : pValueOf(logOdds, channels),
  };
}

/** log(1 + exp(x)) without overflow; -log of the probability against. */
function softPlus(x: number): number {
  return x > 30 ? x : Math.log1p(Math.exp(x));
}

/** Share of the evidence that each contender of a signal has. */
export function shares({ contenders }: SignalEvidence): number[] {
  const most = contenders[0]?.evidence ?? 0;
  const weights = contenders.map(({ evidence }) => Math.exp(evidence - most));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}
