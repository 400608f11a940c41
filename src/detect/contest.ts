import { KIB } from '../units.js';
import { ColumnSpace, type Fit } from './autoregression.js';
import { EXPLANATIONS, type ExplanationName, patternOf } from './explanations.js';
import { normalCumulative } from './normal.js';
import type { SeriesPoints } from './points.js';
import type { Shape } from './shapes.js';

/** One way to explain the points, with the best parameters of its kind. */
export interface Contender {
  name: ExplanationName;
  fit: Fit;
  /** Indices of the columns in the space, in the order of the coefficients. */
  columns: readonly number[];
  /** Logarithm of weight times likelihood, penalised for what was fitted. */
  evidence: number;
  /** What is leaked over a whole run, and its standard error, in the unit of the series; absent for what is no leak. */
  growth?: { bytes: number; error: number };
  /** Whether the load is part of it. */
  followsLoad: boolean;
  /** What the kind itself wants to remember: knots, periods, places. */
  details: {
    cycles?: number;
    waves?: number;
    onset?: number;
    full?: number;
    repetition?: number;
    steps?: number[];
    doublings?: number;
  };
}

/** A model to be tried: columns beside the constant, and what they must be like. */
export interface Candidate {
  name: ExplanationName;
  columns: readonly number[];
  /** 1: must not be negative, -1: must not be positive, 0: either; one a column. */
  signs: readonly (-1 | 0 | 1)[];
  /** How many of the columns, from the last one back, are leaked memory. */
  leaking: number;
  /** Parameters besides the coefficients: knots, times, periods. */
  searched: number;
  /** The least of the leaking coefficients must be this share of the largest. */
  leastShare?: number;
  /** Logarithm of how well the kind fits for reasons that no regression sees. */
  bonus?: number;
  details?: Contender['details'];
}

/**
 * The models of one series, as they are tried: keeps the best of each kind.
 *
 * Models are compared by the Bayesian information criterion (Schwarz 1978) with
 * every knot, period and step place counted as a parameter, and with the
 * correction for few points (as in AICc: Hurvich and Tsai 1989). Each is tried
 * as it is and on top of the load.
 */
export class Contest {
  readonly space: ColumnSpace;
  readonly points: SeriesPoints;
  readonly best = new Map<ExplanationName, Contender>();
  readonly #constant: number;
  readonly #leastBytes: number;
  /** Columns that come before a model's own: none, or one way of following the load. */
  #nuisances: number[][] = [[]];

  /** @param leastBytes what is leaked over a run must be more than this to be a leak */
  constructor(points: SeriesPoints, leastBytes: number) {
    this.points = points;
    this.#leastBytes = leastBytes;
    const origin = points.values[0] as number;
    const { scale, rounding } = points.precision;
    // Around 0 and of moderate size, so that no digits are lost in the products.
    const scaled = points.values.map((value) => (value - origin) / scale);
    this.space = new ColumnSpace(scaled, rounding / scale, points.begins);
    this.#constant = this.space.add(new Float64Array(points.values.length).fill(1));
    this.#nuisances = [[], ...this.#waysOfFollowingTheLoad()];
  }

  /** A shape over the age of the process. */
  column(shape: Shape): number {
    return this.space.add(this.points.age.map(shape));
  }

  /** A shape over the time of the run, whatever restarts there are. */
  columnOverTime(shape: Shape): number {
    return this.space.add(this.points.x.map(shape));
  }

  try(candidate: Candidate): void {
    for (const nuisance of this.#nuisances) this.#try(candidate, nuisance);
  }

  #try(
    { name, columns, signs, leaking, searched, leastShare, bonus, details }: Candidate,
    nuisance: readonly number[],
  ): void {
    const n = this.points.values.length;
    const all = [this.#constant, ...nuisance, ...columns];
    const parameters = all.length + searched + 2 + (nuisance.length > 0 ? 1 : 0);
    if (n - parameters - 1 < 2) return;
    const fit = this.space.fit(all);
    if (fit === undefined) return;
    const first = 1 + nuisance.length;
    if (nuisance.length > 0 && (fit.coefficients[1] as number) < 0) return;
    if (
      columns.some(
        (_, i) => signs[i] !== 0 && !((signs[i] as number) * (fit.coefficients[first + i] as number) > 0),
      )
    )
      return;
    const leaked = fit.coefficients.subarray(all.length - leaking);
    if (leastShare !== undefined && Math.min(...leaked) < leastShare * Math.max(...leaked)) return;
    const penalty = parameters * Math.log(n) * (n / (n - parameters - 1));
    const growth = leaking === 0 ? undefined : growthOf(fit, leaking, this.points.precision.scale);
    const evidence = Math.log(EXPLANATIONS[name].weight) - (fit.deviance + penalty) / 2 + (bonus ?? 0);
    const before = this.best.get(name);
    if (before !== undefined && before.evidence >= evidence) return;
    this.best.set(name, {
      name,
      fit,
      columns: all,
      evidence,
      followsLoad: nuisance.length > 0,
      details: details ?? {},
      ...(growth && { growth }),
    });
  }

  /** The way of following the load that explains most by itself, and beside steady growth. */
  #waysOfFollowingTheLoad(): number[][] {
    const loads = this.points.loads.filter((load) => load.some((value) => value !== 0));
    if (loads.length === 0) return [];
    const age = this.space.add(Float64Array.from(this.points.age));
    const columns = loads.map((load) => this.space.add(load));
    const chosen = [[this.#constant], [this.#constant, age]].map((base) => {
      const deviances = columns.map(
        (column) => this.space.fit([...base, column])?.deviance ?? Number.POSITIVE_INFINITY,
      );
      return columns[deviances.indexOf(Math.min(...deviances))] as number;
    });
    return [...new Set(chosen)].map((column) => [column]);
  }

  /**
   * Logarithms of the evidence for a leak of the least size or more and against
   * it; and of that for growth of any size that goes on, and against that.
   */
  weigh(): { leak: number; none: number; growing: number; bounded: number } {
    const leak: number[] = [];
    const none: number[] = [];
    const growing: number[] = [];
    const bounded: number[] = [];
    const stayed = this.#chanceThatEnoughStayed();
    for (const { name, evidence, growth } of this.best.values()) {
      if (patternOf(name) === undefined || growth === undefined) {
        none.push(evidence);
        bounded.push(evidence);
        continue;
      }
      growing.push(evidence);
      const enough = stayed * normalCumulative((growth.bytes - this.#leastBytes) / growth.error);
      leak.push(evidence + Math.log(enough));
      // Growth of less than what counts is no leak either.
      none.push(evidence + Math.log(1 - enough));
    }
    return { leak: logSum(leak), none: logSum(none), growing: logSum(growing), bounded: logSum(bounded) };
  }

  /** Standard error of steady growth over a run in this noise, in the unit of the series; undefined when no line can be fitted. */
  steadyErrorBytes(): number | undefined {
    const age = this.space.add(Float64Array.from(this.points.age));
    const fits = this.#nuisances
      .map((nuisance) => this.space.fit([this.#constant, ...nuisance, age]))
      .filter((fit) => fit !== undefined)
      .sort((a, b) => a.deviance - b.deviance);
    const error = fits[0]?.errors.at(-1);
    return error === undefined ? undefined : error * this.points.precision.scale;
  }

  /** What was given back when the run was over had not leaked. */
  #chanceThatEnoughStayed(): number {
    const { retainedBytes } = this.points;
    if (retainedBytes === undefined) return 1;
    return normalCumulative((retainedBytes - this.#leastBytes) / RESTING_DEVIATION_BYTES);
  }
}

/** By how much two floors at rest differ without reason: compiled code that comes and goes. Measured on our services. */
const RESTING_DEVIATION_BYTES = 160 * KIB;

/** No growth is known to more than this share of the scale; in bytes, to a byte. */
const LEAST_ERROR = 2 ** -20;

function growthOf(
  { coefficients, errors }: Fit,
  leaking: number,
  scale: number,
): { bytes: number; error: number } {
  let sum = 0;
  let variance = 0;
  for (let i = coefficients.length - leaking; i < coefficients.length; i++) {
    sum += coefficients[i] as number;
    variance += (errors[i] as number) ** 2;
  }
  return { bytes: sum * scale, error: Math.max(LEAST_ERROR, Math.sqrt(variance)) * scale };
}

/** Logarithm of the sum of exponentials. */
export function logSum(logs: readonly number[]): number {
  const most = Math.max(Number.NEGATIVE_INFINITY, ...logs);
  if (!Number.isFinite(most)) return most;
  return most + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - most), 0));
}
