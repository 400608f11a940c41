import type { LeakDetectionResult } from '../diagnosis/index.js';
import type { ProcessSeries } from '../recording/process-series.js';
import { fragmentationOf } from './fragmentation.js';
import { inconclusive, type JudgeSettings } from './judge.js';
import { weighProcess } from './process-evidence.js';
import { type CleanSeries, sanitise } from './sanitise.js';
import type { SoFar } from './sequential-judge.js';
import { soFarOf } from './so-far.js';
import { type JudgedCase, type SignalNames, verdictOn } from './verdict.js';

const IMPORTED_NAMES: SignalNames = { floor: 'liveAfterGc', malloc: 'mallocInUse', resident: 'rss' };

/** A monitor's series are noisier than a test's, and there is no running it again. */
const HIDDEN_THRESHOLDS = 12;

/** Judges a series from anywhere: mends it, lets the explanations compete, and says what came out. */
export function judgeProcess(given: ProcessSeries, settings: JudgeSettings): LeakDetectionResult {
  const series = sanitise(given);
  const judged = caseOf(series, settings);
  return judged === undefined ? tooLittle(series, settings) : verdictOn(judged, settings);
}

/** The same of a process that still runs, for a sequential judge; undefined: too little yet. */
export function judgeProcessSoFar(given: ProcessSeries, settings: JudgeSettings): SoFar | undefined {
  const series = sanitise(given);
  const judged = caseOf(series, settings);
  if (judged === undefined) return undefined;
  return soFarOf(judged, settings, { elapsedMs: series.timesMs.at(-1) ?? 0, isAtRest: false });
}

function caseOf(series: CleanSeries, settings: JudgeSettings): JudgedCase | undefined {
  const evidence = weighProcess(series, settings);
  if (evidence.loudest === undefined) return undefined;
  return {
    evidence,
    names: IMPORTED_NAMES,
    notes: series.notes,
    floorCount: series.liveAfterGc.timesMs.length,
    hiddenThresholds: HIDDEN_THRESHOLDS,
    fragmentation: fragmentationOf(evidence, series, settings.leakThresholdBytes),
  };
}

function tooLittle(series: CleanSeries, settings: JudgeSettings): LeakDetectionResult {
  const samples = Math.max(series.timesMs.length, series.liveAfterGc.timesMs.length);
  const known = Object.keys(series.signals);
  const { rss, mallocInUse } = series.signals;
  const holdsNothing = known.length > 0 && rss === undefined && mallocInUse === undefined;
  const explanation =
    samples < settings.minSamples
      ? `${samples} samples are fewer than the ${settings.minSamples} that a verdict needs`
      : holdsNothing
        ? `of ${known.join(', ')} alone nothing can be said: garbage moves it more than leaks do`
        : 'none of the signals that can leak has enough values';
  const { floor, malloc, resident } = IMPORTED_NAMES;
  return {
    ...inconclusive(explanation, {
      remedy: `record ${floor} (memory right after full collections), ${malloc} or ${resident} for longer`,
    }),
    samples,
    ...(series.notes.length > 0 && { notes: series.notes }),
  };
}
