import type { LeakPatternType } from '../../src/diagnosis/index.js';
import type { ProcessSeries } from '../../src/recording/process-series.js';
import { CLEAN_FAMILIES, type Family, LEAK_FAMILIES } from './families.js';
import { healthyWorld, observe } from './world.js';

/** A series of which everything is known. */
export interface LabelledSeries {
  series: ProcessSeries;
  family: string;
  /** Undefined: clean. */
  leak?: { pattern: LeakPatternType; bytesPerSecond: number };
}

/** What is tuned on and what is judged by share no seed. */
export const SETS = { dev: 1_000_000, public: 2_000_000, calibration: 3_000_000, clean: 4_000_000 } as const;
export type SetName = keyof typeof SETS;

export const FAMILIES: readonly Family[] = [...CLEAN_FAMILIES, ...LEAK_FAMILIES];

/** One after the other, so that a whole set never lies in memory. */
export function* labelledSeries(
  set: SetName,
  seedsPerFamily: number,
  families: readonly Family[] = FAMILIES,
): Generator<LabelledSeries> {
  for (const family of families) {
    const number = FAMILIES.indexOf(family);
    for (let seed = 0; seed < seedsPerFamily; seed++) yield made(family, SETS[set] + number * 10_000 + seed);
  }
}

function made(family: Family, seed: number): LabelledSeries {
  const world = healthyWorld(seed);
  const leakedBytes = family.change(world);
  const series = observe(world, `${family.name}/${seed}`);
  if (leakedBytes === undefined || family.pattern === undefined) return { series, family: family.name };
  const seconds = (world.samples * world.intervalMs) / 1000;
  return {
    series,
    family: family.name,
    leak: { pattern: family.pattern, bytesPerSecond: leakedBytes / seconds },
  };
}

/** As a monitor without the allocator's and V8's own figures would have seen it. */
export function onlyThreeSignals(labelled: LabelledSeries): LabelledSeries {
  const { rss, heapUsed } = labelled.series.signals;
  return {
    ...labelled,
    series: { ...labelled.series, signals: { ...(rss && { rss }), ...(heapUsed && { heapUsed }) } },
  };
}
