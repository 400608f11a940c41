import type { LeakPatternType } from '../../src/diagnosis/index.js';
import { MIB } from '../../src/units.js';
import type { Random } from './random.js';
import type { Moment, World } from './world.js';

/** What makes a family: a change to an ordinary world, and what is true of it then. */
export interface Family {
  name: string;
  /** Changes the world; for a leak returns the bytes that are leaked over the whole run. */
  change: (world: World) => number | undefined;
  /** Undefined: clean. */
  pattern?: LeakPatternType;
}

type Kept = (at: Moment) => number;

const clean = (name: string, change: (world: World) => void): Family => ({
  name: `clean_${name}`,
  change: (world) => {
    change(world);
    return undefined;
  },
});

const leak = (name: string, pattern: LeakPatternType, change: (world: World) => number): Family => ({
  name: `leak_${name}`,
  pattern,
  change,
});

const HALF = 0.5;

/** Memory that is not given back for `bytes` over the run: with every operation, or with time. */
function leakedEvenly(random: Random, bytes: number): Kept {
  return random.chance(HALF) ? (at) => bytes * at.worked : (at) => bytes * at.age;
}

/** Where a leak or a cache lies: in JavaScript objects mostly, else outside the heap. */
function keepSomewhere(world: World, kept: Kept): void {
  if (world.random.chance(0.75)) world.keptLive = kept;
  else world.keptNative = kept;
}

/** Enough to be a leak, not enough to be obvious. */
function leakBytes({ random, baseLiveBytes }: World): number {
  return Math.max(random.logBetween(10, 50) * MIB, random.logBetween(0.06, 0.4) * baseLiveBytes);
}

function stepTimes(random: Random, count: number, irregularity: number): number[] {
  const gap = 1 / count;
  const first = random.between(0.1, 0.9) * gap;
  return Array.from(
    { length: count },
    (_, i) => first + gap * (i + irregularity * random.between(-0.5, 0.5)),
  ).filter((at) => at > 0 && at < 1);
}

/** Events at no regular time, the last of them not long before the end. */
function sporadicTimes(random: Random, count: number): number[] {
  for (;;) {
    const times = Array.from({ length: count }, () => random.uniform()).sort((a, b) => a - b);
    const gaps = times.slice(1).map((at, i) => at - (times[i] as number));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const variation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length) / mean;
    if (variation > 0.6 && (times.at(-1) as number) > 0.75) return times;
  }
}

function stairs(times: number[], heights: number[]): Kept {
  return ({ x }) => times.reduce((sum, at, i) => sum + (x >= at ? (heights[i] as number) : 0), 0);
}

function harmonic(random: Random, cycles: number, bytes: number): Kept {
  const phase = random.between(0, 2 * Math.PI);
  const sharpness = random.between(0, 0.4);
  return ({ x }) => {
    const angle = 2 * Math.PI * cycles * x + phase;
    return (bytes / 2) * (1 + Math.sin(angle) + sharpness * Math.sin(2 * angle));
  };
}

/** A cache that takes up what is new to it until its budget is reached at `full`. */
function cacheThatFills(random: Random, bytes: number, full: number): Kept {
  // Keys repeat: the fuller the cache, the rarer is a new one.
  const repetition = random.between(0, 2.5);
  const share = (x: number) =>
    repetition < 0.1 ? x : (1 - Math.exp(-repetition * x)) / (1 - Math.exp(-repetition));
  return ({ age }) => bytes * share(Math.min(1, age / full));
}

function quiet(world: World, collections = world.random.logBetween(60, 300)): void {
  world.collections = Math.round(Math.max(collections, world.collections));
  world.liveNoise.share = Math.min(world.liveNoise.share, (0.6 * MIB) / world.baseLiveBytes);
  world.floatingShare = Math.min(world.floatingShare, (0.5 * MIB) / world.baseLiveBytes);
  world.inFlightBytes *= 0.4;
}

function shiftedClock({ random, samples, intervalMs }: World): World['clockJumps'] {
  const runMs = samples * intervalMs;
  return Array.from({ length: random.whole(1, 3) }, () => ({
    at: random.uniform(),
    byMs: (random.chance(HALF) ? 1 : -1) * random.between(0.05, 0.5) * runMs,
  }));
}

function lostSamples(random: Random): World['gaps'] {
  return Array.from({ length: random.whole(1, 4) }, () => ({
    at: random.uniform(),
    length: random.between(0.005, 0.06),
  }));
}

const ramp = (world: World, until: number) => {
  const rate = world.load(0);
  world.load = (x) => rate * (1 + (until - 1) * x);
  world.loadNoise.deviation = Math.max(0.12, world.loadNoise.deviation);
};

const nativeLeak = (world: World, bytes: number): number => {
  world.keptNative = leakedEvenly(world.random, bytes);
  return bytes;
};

export const CLEAN_FAMILIES: Family[] = [
  clean('flat', () => {}),
  clean('warm_up', (world) => {
    const { random, baseLiveBytes } = world;
    world.warmUp = {
      bytes: random.between(0.1, 0.5) * baseLiveBytes,
      tau: random.between(0.03, 0.2),
      shape: 'exponential',
    };
  }),
  clean('warm_up_logarithmic', (world) => {
    const { random, baseLiveBytes } = world;
    world.warmUp = {
      bytes: random.between(0.05, 0.25) * baseLiveBytes,
      tau: random.between(0.002, 0.02),
      shape: 'logarithmic',
    };
  }),
  clean('cache_fills', (world) => {
    const { random } = world;
    keepSomewhere(world, cacheThatFills(random, leakBytes(world), random.between(0.25, 0.7)));
  }),
  clean('cache_fills_late', (world) => {
    const { random } = world;
    world.keptLive = cacheThatFills(random, leakBytes(world), random.between(0.8, 0.9));
    quiet(world);
  }),
  clean('cache_with_expiry', (world) => {
    const { random, baseLiveBytes } = world;
    const bytes = random.between(0.1, 0.4) * baseLiveBytes;
    const life = random.between(0.04, 0.2);
    // Entries live for a time: what is cached follows the load of that time.
    let held = 0;
    let before = 0;
    world.keptLive = ({ x, busy }) => {
      held += (bytes * busy - held) * (1 - Math.exp(-(x - before) / life));
      before = x;
      return held;
    };
  }),
  clean('diurnal_load', (world) => {
    const { random, inFlightBytes } = world;
    const rate = world.load(0);
    const cycles = random.between(0.7, 3.5);
    const phase = random.between(0, 2 * Math.PI);
    const depth = random.between(0.3, 0.8);
    world.load = (x) => rate * (1 + depth * Math.sin(2 * Math.PI * cycles * x + phase));
    world.inFlightBytes = inFlightBytes * random.between(1.5, 4);
  }),
  clean('load_ramp', (world) => {
    ramp(world, world.random.between(1.5, 4));
    world.inFlightBytes *= 2;
  }),
  clean('no_full_gc', (world) => {
    world.collections = 0;
  }),
  clean('few_full_gcs', (world) => {
    world.collections = world.random.whole(6, 16);
  }),
  clean('growing_garbage', (world) => {
    world.garbageGrowth = world.random.between(1.5, 4);
  }),
  clean('fragmentation', (world) => {
    const { random } = world;
    const bytes = random.between(15, 80) * MIB;
    const tau = random.between(0.05, 0.3);
    world.unusedResident = ({ age }) => bytes * (1 - Math.exp(-age / tau));
  }),
  clean('arenas', (world) => {
    const { random } = world;
    const count = random.whole(2, 6);
    const times = Array.from({ length: count }, () => random.between(0.02, 0.6));
    world.unusedResident = stairs(
      times,
      times.map(() => random.between(4, 16) * MIB),
    );
  }),
  clean('resident_walk', (world) => {
    world.residentNoise.walkBytes = (world.random.between(3, 14) * MIB) / Math.sqrt(world.samples);
  }),
  clean('slow_wander', (world) => {
    const { random, samples, baseLiveBytes } = world;
    world.liveNoise = { share: random.between(0.01, 0.04), memory: 1 - random.between(8, 40) / samples };
    world.inFlightBytes = Math.min(world.inFlightBytes, (0.02 * baseLiveBytes) / world.load(0));
  }),
  clean('bursts', (world) => {
    world.loadNoise.bursts = world.random.whole(3, 10);
    world.inFlightBytes *= 2;
  }),
  clean('cycles', (world) => {
    const { random, baseLiveBytes } = world;
    keepSomewhere(world, harmonic(random, random.between(3, 14), random.between(0.08, 0.4) * baseLiveBytes));
  }),
  clean('one_or_two_steps', (world) => {
    const { random } = world;
    const count = random.whole(1, 2);
    const times = Array.from({ length: count }, () => random.between(0.08, 0.85));
    keepSomewhere(
      world,
      stairs(
        times,
        times.map(() => random.between(6, 30) * MIB),
      ),
    );
  }),
  clean('restarts', (world) => {
    const { random, baseLiveBytes } = world;
    world.restarts = Array.from(
      { length: random.whole(1, 3) },
      (_, i) => 0.25 * (i + 1) + random.between(-0.1, 0.1),
    );
    world.warmUp.bytes = random.between(0.05, 0.25) * baseLiveBytes;
  }),
  clean('gaps_and_clock', (world) => {
    world.gaps = lostSamples(world.random);
    world.clockJumps = shiftedClock(world);
  }),
  clean('draining', (world) => {
    const { random, baseLiveBytes } = world;
    const bytes = random.between(0.1, 0.5) * baseLiveBytes;
    const tau = random.between(0.15, 0.8);
    keepSomewhere(world, ({ age }) => bytes * Math.exp(-age / tau));
  }),
  clean('huge_pages', (world) => {
    world.quantumBytes = 2 * MIB;
    world.residentNoise = {
      bytes: world.random.between(2, 6) * MIB,
      memory: world.random.between(0.3, 0.95),
      walkBytes: 0.02 * MIB,
    };
  }),
];

export const LEAK_FAMILIES: Family[] = [
  leak('fast', 'linear', (world) => {
    const bytes = 3 * leakBytes(world);
    keepSomewhere(world, leakedEvenly(world.random, bytes));
    return bytes;
  }),
  leak('slow', 'linear', (world) => {
    const bytes = world.random.between(7, 11) * MIB;
    world.keptLive = leakedEvenly(world.random, bytes);
    quiet(world);
    return bytes;
  }),
  leak('under_sawtooth', 'linear', (world) => {
    const bytes = leakBytes(world);
    world.keptLive = leakedEvenly(world.random, bytes);
    world.collections = world.random.whole(20, 60);
    world.baseLiveBytes *= 1.5;
    return bytes;
  }),
  leak('native', 'linear', (world) => nativeLeak(world, world.random.logBetween(12, 60) * MIB)),
  leak('native_noisy', 'linear', (world) => {
    world.residentNoise.bytes = world.random.between(2, 5) * MIB;
    world.residentNoise.memory = world.random.between(0.2, 0.8);
    return nativeLeak(world, world.random.between(15, 60) * MIB);
  }),
  leak('late_onset', 'linear', (world) => {
    const bytes = leakBytes(world);
    const onset = world.random.between(0.3, 0.65);
    keepSomewhere(world, ({ x }) => (bytes * Math.max(0, x - onset)) / (1 - onset));
    return bytes;
  }),
  leak('after_warm_up', 'linear', (world) => {
    const { random, baseLiveBytes } = world;
    const bytes = leakBytes(world);
    world.warmUp = {
      bytes: random.between(0.1, 0.4) * baseLiveBytes,
      tau: random.between(0.03, 0.12),
      shape: 'exponential',
    };
    world.keptLive = leakedEvenly(random, bytes);
    return bytes;
  }),
  leak('few_steps', 'stepped', (world) => {
    const times = stepTimes(world.random, world.random.whole(3, 4), 0.2);
    const height = leakBytes(world) / times.length;
    keepSomewhere(
      world,
      stairs(
        times,
        times.map(() => height),
      ),
    );
    return height * times.length;
  }),
  leak('regular_steps', 'stepped', (world) => {
    const times = stepTimes(world.random, world.random.whole(5, 14), 0.1);
    const height = (1.3 * leakBytes(world)) / times.length;
    keepSomewhere(
      world,
      stairs(
        times,
        times.map(() => height),
      ),
    );
    return height * times.length;
  }),
  leak('exponential', 'exponential', (world) => {
    const bytes = 1.5 * leakBytes(world);
    const doublings = world.random.between(3, 8);
    keepSomewhere(world, ({ x }) => (bytes * (2 ** (doublings * x) - 1)) / (2 ** doublings - 1));
    return bytes;
  }),
  leak('doubling', 'exponential', (world) => {
    const bytes = 2 * leakBytes(world);
    const doublings = world.random.whole(4, 7);
    const last = 2 ** (doublings - 1);
    const phase = world.random.uniform();
    keepSomewhere(world, ({ x }) => (bytes * 2 ** Math.floor(doublings * x - phase)) / last);
    return bytes;
  }),
  leak('sporadic', 'sporadic', (world) => {
    const times = sporadicTimes(world.random, world.random.whole(5, 12));
    const bytes = 1.5 * leakBytes(world);
    const heights = times.map(() => world.random.between(0.5, 1.5));
    const sum = heights.reduce((total, height) => total + height, 0);
    keepSomewhere(
      world,
      stairs(
        times,
        heights.map((height) => (bytes * height) / sum),
      ),
    );
    return bytes;
  }),
  leak('cyclic', 'cyclic', (world) => {
    const { random } = world;
    const bytes = leakBytes(world);
    const cycle = harmonic(random, random.between(3, 12), random.between(0.5, 1.5) * bytes);
    keepSomewhere(world, (at) => bytes * at.x + cycle(at));
    world.collections = Math.max(world.collections, 80);
    return bytes;
  }),
  leak('with_load', 'linear', (world) => {
    const bytes = leakBytes(world);
    const rate = world.load(0);
    const cycles = world.random.between(0.7, 3);
    world.load = (x) => rate * (1 + 0.6 * Math.sin(2 * Math.PI * cycles * x));
    keepSomewhere(world, (at) => bytes * at.worked);
    return bytes;
  }),
  leak('falling_load', 'linear', (world) => {
    const bytes = leakBytes(world);
    ramp(world, world.random.between(0.25, 0.6));
    world.keptLive = leakedEvenly(world.random, bytes);
    world.inFlightBytes *= 2;
    return bytes;
  }),
  leak('restarts', 'linear', (world) => {
    const bytes = 2 * leakBytes(world);
    const { random } = world;
    world.restarts = Array.from(
      { length: random.whole(1, 2) },
      (_, i) => 0.33 * (i + 1) + random.between(-0.1, 0.1),
    );
    keepSomewhere(world, leakedEvenly(random, bytes));
    return bytes;
  }),
  leak('gaps_and_clock', 'linear', (world) => {
    const bytes = leakBytes(world);
    world.gaps = lostSamples(world.random);
    world.clockJumps = shiftedClock(world);
    keepSomewhere(world, leakedEvenly(world.random, bytes));
    return bytes;
  }),
  leak('beside_cache', 'linear', (world) => {
    const { random } = world;
    const bytes = leakBytes(world);
    const cache = cacheThatFills(random, random.between(0.5, 1.2) * bytes, random.between(0.2, 0.6));
    const leaked = leakedEvenly(random, bytes);
    world.keptLive = (at) => cache(at) + leaked(at);
    return bytes;
  }),
  leak('few_full_gcs', 'linear', (world) => {
    const bytes = 1.5 * leakBytes(world);
    world.collections = world.random.whole(11, 20);
    world.keptLive = leakedEvenly(world.random, bytes);
    return bytes;
  }),
  leak('huge_pages', 'linear', (world) => {
    world.quantumBytes = 2 * MIB;
    const bytes = leakBytes(world);
    keepSomewhere(world, leakedEvenly(world.random, bytes));
    return bytes;
  }),
];
