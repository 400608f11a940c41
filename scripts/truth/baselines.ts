import { linearRegression, quantile } from 'simple-statistics';
import { normalCumulative } from '../../src/detect/normal.js';
import type { ProcessSeries } from '../../src/recording/process-series.js';
import { MIB } from '../../src/units.js';

/**
 * The usual methods, each with the settings it comes with, on the same series.
 * They get the series as recorded: mending clocks is part of what is compared.
 */
export interface Baseline {
  name: string;
  judge: (series: ProcessSeries) => { leak: boolean; bytesPerSecond?: number };
}

const LEAST_BYTES = 5 * MIB;
const LEVEL = 0.05;
/** Mann-Kendall compares every two points: more than these would take seconds. */
const RANKED_AT_MOST = 400;

export const BASELINES: Baseline[] = [
  {
    name: 'OLS heapUsed p<.05',
    judge: (series) => overTime(series, series.signals.heapUsed, leastSquares),
  },
  {
    name: 'OLS heapUsed p<.05, >= 5 MiB',
    judge: (series) => atLeast(series, overTime(series, series.signals.heapUsed, leastSquares)),
  },
  { name: 'Mann-Kendall rss p<.05', judge: (series) => overTime(series, series.signals.rss, mannKendall) },
  {
    name: 'Mann-Kendall rss p<.05, >= 5 MiB',
    judge: (series) => atLeast(series, overTime(series, series.signals.rss, mannKendall)),
  },
  { name: 'Precog-like rss', judge: precogLike },
  { name: 'memwatch rule, floor', judge: memwatchRule },
  {
    name: 'Mann-Kendall floor, >= 5 MiB',
    judge: (series) => {
      const { timesMs, liveBytes } = series.liveAfterGc ?? { timesMs: [], liveBytes: [] };
      return atLeast(
        series,
        timesMs.length < 4 ? { leak: false } : mannKendall(seconds(timesMs), Array.from(liveBytes)),
      );
    },
  },
];

type Verdict = ReturnType<Baseline['judge']>;
type Method = (seconds: number[], values: number[]) => Verdict;

function overTime(series: ProcessSeries, values: Float64Array | undefined, method: Method): Verdict {
  return values === undefined ? { leak: false } : method(seconds(series.timesMs), Array.from(values));
}

function seconds(timesMs: ArrayLike<number>): number[] {
  return Array.from(timesMs, (ms) => (ms - (timesMs[0] as number)) / 1000);
}

function atLeast(series: ProcessSeries, verdict: Verdict): Verdict {
  const lasted = ((series.timesMs.at(-1) as number) - (series.timesMs[0] as number)) / 1000;
  return { ...verdict, leak: verdict.leak && (verdict.bytesPerSecond ?? 0) * lasted >= LEAST_BYTES };
}

/** Slope of a straight line, its t compared with the normal distribution. */
function leastSquares(at: number[], values: number[]): Verdict {
  const n = at.length;
  const { m, b } = linearRegression(at.map((x, i) => [x, values[i] as number]));
  const mean = at.reduce((sum, x) => sum + x, 0) / n;
  const spread = at.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  const unexplained = at.reduce((sum, x, i) => sum + ((values[i] as number) - b - m * x) ** 2, 0);
  const z = m / Math.sqrt(unexplained / (n - 2) / spread);
  return { leak: m > 0 && 2 * (1 - normalCumulative(z)) < LEVEL, bytesPerSecond: m };
}

/** Kendall's rank test for a trend, with the slope of Theil and Sen. */
function mannKendall(at: number[], values: number[]): Verdict {
  const every = Math.ceil(at.length / RANKED_AT_MOST);
  const x = at.filter((_, i) => i % every === 0);
  const y = values.filter((_, i) => i % every === 0);
  const n = x.length;
  let score = 0;
  const slopes: number[] = [];
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      const rise = (y[j] as number) - (y[i] as number);
      score += Math.sign(rise);
      if (x[j] !== x[i]) slopes.push(rise / ((x[j] as number) - (x[i] as number)));
    }
  }
  const z = (score - Math.sign(score)) / Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  return { leak: z > 0 && 2 * (1 - normalCumulative(z)) < LEVEL, bytesPerSecond: quantile(slopes, 0.5) };
}

/** Five full collections in a row, each with more left than the one before (node-memwatch). */
function memwatchRule({ liveAfterGc }: ProcessSeries): Verdict {
  let inARow = 0;
  const live = liveAfterGc?.liveBytes ?? new Float64Array();
  for (let i = 1; i < live.length; i++) {
    inARow = (live[i] as number) > (live[i - 1] as number) ? inARow + 1 : 0;
    if (inARow >= 5) return { leak: true };
  }
  return { leak: false };
}

/** Change points, then a line through each window back from the end that is nearly straight (Jindal 2021). */
function precogLike(series: ProcessSeries): Verdict {
  const rss = Array.from(series.signals.rss ?? []);
  const at = seconds(series.timesMs);
  const changes = rss.slice(1).map((bytes, i) => Math.abs(bytes - (rss[i] as number)));
  if (changes.length < 10) return { leak: false };
  const middle = quantile(changes, 0.5);
  const deviation =
    quantile(
      changes.map((change) => Math.abs(change - middle)),
      0.5,
    ) || 1;
  const points = [
    0,
    ...changes.flatMap((change, i) => ((0.6745 * (change - middle)) / deviation > 3.5 ? [i + 1] : [])),
  ];
  const least = Math.max(30, rss.length / 4);
  for (const from of points.filter((point) => rss.length - point >= least)) {
    const x = at.slice(from);
    const y = rss.slice(from);
    const { m, b } = linearRegression(x.map((value, i) => [value, y[i] as number]));
    const mean = y.reduce((sum, value) => sum + value, 0) / y.length;
    const all = y.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    const left = y.reduce((sum, value, i) => sum + (value - b - m * (x[i] as number)) ** 2, 0);
    const reachesLimit = m * 7 * 86_400 > 1024 * MIB;
    if (m > 0 && reachesLimit && 1 - left / all > 0.8) return { leak: true, bytesPerSecond: m };
  }
  return { leak: false };
}
