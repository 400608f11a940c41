import type { ProcessSeries } from '../../src/recording/process-series.js';
import { MIB } from '../../src/units.js';
import { autoregressive, Random } from './random.js';

/**
 * A Node process as a mechanism: load -> live objects -> garbage and
 * collections -> committed heap -> resident memory. A family changes one part
 * of it; everything else is drawn anew for every process, in every family from
 * the same distributions, so that no family can be told by its noise.
 */
export interface World {
  random: Random;
  samples: number;
  intervalMs: number;
  /** Operations a second, before its own noise; x is the share of the run that is over, 0 to 1. */
  load: (x: number) => number;
  loadNoise: { deviation: number; memory: number; bursts: number };
  /** Live JavaScript memory beyond base, noise and what is in flight, bytes. */
  keptLive: (at: Moment) => number;
  /** Allocated outside the V8 heap beyond its base, bytes. */
  keptNative: (at: Moment) => number;
  /** Resident beyond everything in use: fragmentation, arenas, huge pages; bytes. */
  unusedResident: (at: Moment) => number;
  baseLiveBytes: number;
  /** In flight for each operation a second, bytes. */
  inFlightBytes: number;
  inFlightLag: number;
  warmUp: { bytes: number; tau: number; shape: 'exponential' | 'logarithmic' };
  liveNoise: { share: number; memory: number };
  /** Full collections over the run; 0: none happens. */
  collections: number;
  /** How much more garbage there is before a collection at the end than at the beginning. */
  garbageGrowth: number;
  floatingShare: number;
  baseNativeBytes: number;
  nativeNoise: { share: number; memory: number };
  residentNoise: { bytes: number; memory: number; walkBytes: number };
  quantumBytes: number;
  /** Shares of the run at which the process starts anew. */
  restarts: number[];
  /** Shares of the run at which samples are missing, and for how long. */
  gaps: { at: number; length: number }[];
  /** Shares of the run at which the clock is set, by how many milliseconds. */
  clockJumps: { at: number; byMs: number }[];
}

/** When it is, as the process itself knows it. */
export interface Moment {
  /** Share of the run that is over, 0 to 1. */
  x: number;
  /** The same since the process last started. */
  age: number;
  /** Operations since then, as a share of all that a whole run has. */
  worked: number;
  /** Operations a second now over the mean of the run. */
  busy: number;
}

/** An ordinary, healthy process. */
export function healthyWorld(seed: number): World {
  const random = new Random(seed);
  const baseLiveBytes = random.logBetween(15, 200) * MIB;
  const rate = random.logBetween(5, 400);
  const mayWarmUp = random.chance(0.5);
  return {
    random,
    samples: Math.round(random.logBetween(480, 1900)),
    intervalMs: Math.round(random.logBetween(500, 15_000)),
    load: () => rate,
    loadNoise: {
      deviation: random.between(0.05, 0.3),
      memory: random.between(0.7, 0.985),
      bursts: random.chance(0.2) ? random.whole(1, 4) : 0,
    },
    keptLive: () => 0,
    keptNative: () => 0,
    unusedResident: () => 0,
    baseLiveBytes,
    inFlightBytes: (random.logBetween(0.005, 0.15) * baseLiveBytes) / rate,
    inFlightLag: random.between(0, 0.02),
    warmUp: {
      bytes: mayWarmUp ? random.between(0.01, 0.15) * baseLiveBytes : 0,
      tau: random.between(0.01, 0.06),
      shape: 'exponential',
    },
    liveNoise: { share: random.logBetween(0.003, 0.02), memory: random.between(0.5, 0.99) },
    collections: Math.round(random.logBetween(20, 250)),
    garbageGrowth: 1,
    floatingShare: random.logBetween(0.002, 0.05),
    baseNativeBytes: random.between(20, 70) * MIB,
    nativeNoise: { share: random.logBetween(0.002, 0.02), memory: random.between(0.5, 0.99) },
    residentNoise: {
      bytes: random.logBetween(0.3, 3) * MIB,
      memory: random.between(0.5, 0.99),
      walkBytes: random.logBetween(0.01, 0.12) * MIB,
    },
    quantumBytes: 4096,
    restarts: [],
    gaps: [],
    clockJumps: [],
  };
}

/** Runs the process. Operations count from 0 again at every restart. */
export function observe(world: World, id: string): ProcessSeries {
  const { random, samples: n } = world;
  const rates = loadOf(world);
  const moments = momentsOf(world, rates);
  const inFlight = smoothed(rates, world.inFlightLag * n).map((rate) => rate * world.inFlightBytes);
  const liveWobble = autoregressive(
    random,
    n,
    world.liveNoise.share * world.baseLiveBytes,
    world.liveNoise.memory,
  );
  const live = moments.map(
    (at, i) =>
      world.baseLiveBytes +
      warmUpAt(world, at.age) +
      (inFlight[i] as number) +
      (liveWobble[i] as number) +
      world.keptLive(at),
  );
  const heap = collect(world, live, rates);
  const nativeWobble = autoregressive(
    random,
    n,
    world.nativeNoise.share * world.baseNativeBytes,
    world.nativeNoise.memory,
  );
  const native = moments.map(
    (at, i) =>
      world.baseNativeBytes +
      0.3 * (inFlight[i] as number) +
      (nativeWobble[i] as number) +
      world.keptNative(at),
  );
  const rss = resident(world, moments, heap.total, native);
  return sampled(world, id, { moments, rates, heap, native, rss });
}

function loadOf(world: World): Float64Array {
  const { random, samples: n, loadNoise } = world;
  const wobble = autoregressive(random, n, loadNoise.deviation, loadNoise.memory);
  const rates = Float64Array.from({ length: n }, (_, i) => world.load(i / n) * Math.exp(wobble[i] as number));
  for (let burst = 0; burst < loadNoise.bursts; burst++) {
    const from = random.whole(0, n - 1);
    const times = random.between(1.5, 4);
    const until = Math.min(n, from + Math.ceil(n * random.between(0.005, 0.03)));
    for (let i = from; i < until; i++) rates[i] = (rates[i] as number) * times;
  }
  return rates;
}

function momentsOf(world: World, rates: Float64Array): Moment[] {
  const n = rates.length;
  const total = rates.reduce((sum, rate) => sum + rate, 0);
  let begun = 0;
  let worked = 0;
  return Array.from(rates, (rate, i) => {
    const x = i / n;
    const latest = world.restarts.findLast((at) => at <= x) ?? 0;
    if (latest !== begun) {
      begun = latest;
      worked = 0;
    }
    worked += rate / total;
    return { x, age: x - begun, worked, busy: (rate * n) / total };
  });
}

function warmUpAt({ warmUp }: World, age: number): number {
  if (warmUp.shape === 'exponential') return warmUp.bytes * (1 - Math.exp(-age / warmUp.tau));
  return (warmUp.bytes * Math.log1p(age / warmUp.tau)) / Math.log1p(1 / warmUp.tau);
}

interface Heap {
  used: Float64Array;
  total: Float64Array;
  /** Index of the sample and live bytes, for each full collection. */
  floor: [number, number][];
}

/** Garbage piles up with the work; at a limit it is collected, all but what floats; pages are given back slowly. */
function collect(world: World, live: number[], rates: Float64Array): Heap {
  const { random } = world;
  const n = live.length;
  const total = rates.reduce((sum, rate) => sum + rate, 0);
  const youngBytes = random.between(1, 12) * MIB;
  const amplitude = random.logBetween(0.3, 3) * world.baseLiveBytes;
  const used = new Float64Array(n);
  const committed = new Float64Array(n);
  const floor: [number, number][] = [];
  let garbage = 0;
  let limit = amplitude * random.between(0.7, 1.1);
  let pages = live[0] as number;
  for (let i = 0; i < n; i++) {
    const x = i / n;
    const grown = 1 + (world.garbageGrowth - 1) * x;
    const each = Math.max(1, world.collections);
    garbage += ((rates[i] as number) / total) * amplitude * each * ((1 + world.garbageGrowth) / 2);
    if (world.restarts.some((at) => at <= x && at > (i - 1) / n)) {
      garbage = 0;
      pages = live[i] as number;
    }
    if (world.collections > 0 && garbage >= limit) {
      const floating = world.floatingShare * (live[i] as number) * random.exponential(1);
      floor.push([i, (live[i] as number) + floating]);
      garbage = floating;
      limit = amplitude * grown * random.between(0.75, 1.15);
    }
    // Without full collections young ones still keep the garbage within bounds for long.
    if (world.collections === 0) garbage = Math.min(garbage, 2.5 * amplitude * x + youngBytes);
    used[i] = (live[i] as number) + garbage + youngBytes * random.uniform();
    const wanted = (used[i] as number) + 2 * MIB;
    pages = wanted > pages ? wanted : pages - 0.015 * (pages - wanted);
    committed[i] = Math.ceil(pages / (256 * 1024)) * 256 * 1024;
  }
  return { used, total: committed, floor };
}

function resident(world: World, moments: Moment[], heapTotal: Float64Array, native: number[]): Float64Array {
  const { random, residentNoise } = world;
  const wobble = autoregressive(random, native.length, residentNoise.bytes, residentNoise.memory);
  const codeBytes = random.between(30, 50) * MIB;
  const touched = random.between(0.9, 1);
  let walk = 0;
  return Float64Array.from(native, (bytes, i) => {
    walk += residentNoise.walkBytes * random.normal();
    const all =
      codeBytes +
      touched * (heapTotal[i] as number) +
      1.05 * bytes +
      (wobble[i] as number) +
      walk +
      world.unusedResident(moments[i] as Moment);
    return Math.max(world.quantumBytes, Math.round(all / world.quantumBytes) * world.quantumBytes);
  });
}

interface Happened {
  moments: Moment[];
  rates: Float64Array;
  heap: Heap;
  native: number[];
  rss: Float64Array;
}

/** What a monitor writes down of it: the clock as it is set, samples lost, counts since the start. */
function sampled(world: World, id: string, { moments, rates, heap, native, rss }: Happened): ProcessSeries {
  const { random, samples: n, intervalMs } = world;
  const seconds = intervalMs / 1000;
  const clock = (i: number) => {
    const set = world.clockJumps.filter(({ at }) => at <= i / n).reduce((sum, { byMs }) => sum + byMs, 0);
    return Math.round(1.7e12 + i * intervalMs + set);
  };
  const isLost = (i: number) => world.gaps.some(({ at, length }) => i / n >= at && i / n < at + length);
  const operations = new Float64Array(n);
  let done = 0;
  for (let i = 0; i < n; i++) {
    const starts = i === 0 || (moments[i] as Moment).age < (moments[i - 1] as Moment).age;
    done = (starts ? 0 : done) + (rates[i] as number) * seconds;
    operations[i] = Math.round(done);
  }
  const kept = Array.from({ length: n }, (_, i) => i).filter((i) => !isLost(i));
  const pick = (values: ArrayLike<number>) => Float64Array.from(kept, (i) => Math.round(values[i] as number));
  const floor = heap.floor.filter(([i]) => !isLost(i));
  const inUse = native.map((bytes) => bytes * (1 + 0.0004 * random.normal()));
  const handles = Array.from(rates, (rate) => 12 + rate * 0.05);
  return {
    id,
    timesMs: Float64Array.from(kept, (i) =>
      Math.round(clock(i) + intervalMs * 0.03 * (random.uniform() - 0.5)),
    ),
    operations: pick(operations),
    signals: {
      rss: pick(rss),
      heapUsed: pick(heap.used),
      heapTotal: pick(heap.total),
      external: pick(native.map((bytes) => 0.2 * bytes)),
      mallocInUse: pick(inUse),
      handles: pick(handles),
    },
    liveAfterGc: {
      timesMs: Float64Array.from(floor, ([i]) => clock(i)),
      liveBytes: Float64Array.from(floor, ([, bytes]) => Math.round(bytes)),
    },
  };
}

/** Exponentially weighted mean with the given lag in samples. */
function smoothed(values: Float64Array, lag: number): number[] {
  let state = values[0] as number;
  return Array.from(values, (value) => {
    state += (value - state) / (1 + lag);
    return state;
  });
}
