import { parseArgs } from 'node:util';
import { judgeProcessSoFar } from '../../src/detect/process-judge.js';
import { LOOKS_APART, type Look, SequentialJudge, type SoFar } from '../../src/detect/sequential-judge.js';
import type { ProcessSeries } from '../../src/recording/process-series.js';
import { GIB, MIB } from '../../src/units.js';
import { CLEAN_FAMILIES, type Family, LEAK_FAMILIES } from './families.js';
import { TRUTH_SETTINGS } from './settings.js';
import { healthyWorld, observe, type World } from './world.js';

/**
 * `npm run truth:stopping`: simulated tests of known truth, looked at again and
 * again while they run. Says how often a clean one is stopped as a leak, a
 * leaking one as clean, and how soon leaks are stopped; beside it, what
 * stopping at the first verdict would have done. Exits 1 when a target is missed.
 *
 *   node dist/scripts/truth/stopping.js [--seeds 5]
 */
const { values: options } = parseArgs({ options: { seeds: { type: 'string', default: '5' } } });
const seeds = Number(options.seeds);
const FIRST_SEED = 5_000_000;
/** As many as a test forces collections. */
const COLLECTIONS = 600;
const SAMPLES = 1500;
const FIRST_LOOK = 0.02;
/** What the targets of the simulation may keep on purpose: nothing of theirs is larger. */
const BUDGETS_MIB = [8, 64] as const;

interface Test {
  family: string;
  isLeak: boolean;
  leakedBytes: number;
  looks: { share: number; soFar: SoFar }[];
  /** What memory in use grew by at most, of a clean process: what its owner would have declared. */
  ownGrowthBytes: number;
}

function testOf(family: Family, seed: number): Test {
  const world: World = healthyWorld(seed);
  const leakedBytes = family.change(world) ?? 0;
  return { ...looksAt(world, family.name), isLeak: family.pattern !== undefined, leakedBytes };
}

function looksAt(world: World, family: string): Pick<Test, 'family' | 'looks' | 'ownGrowthBytes'> {
  world.samples = SAMPLES;
  world.collections = COLLECTIONS;
  const series = observe(world, family);
  const looks: Test['looks'] = [];
  for (let share = FIRST_LOOK; share < 1; share *= LOOKS_APART) {
    const soFar = judgeProcessSoFar(beginningOf(series, share), TRUTH_SETTINGS);
    // The simulation measures its floor like a test: right after a collection.
    if (soFar) looks.push({ share, soFar: { ...soFar, isAtRest: true } });
  }
  const ownGrowthBytes = Math.max(
    rangeOf(series.liveAfterGc?.liveBytes),
    rangeOf(series.signals.mallocInUse),
  );
  return { family, looks, ownGrowthBytes };
}

const SOAK_MINUTES = 8 * 60;
/** The part of a soak test that is simulated for leaks that nobody would want to watch for longer. */
const WATCHED_SHARE = 1 / 20;

/** The first 24 minutes of eight hours in which so much would leak. */
function soakTestOf(seed: number): Test {
  const world = healthyWorld(FIRST_SEED + 900_000 + seed);
  const leakedBytes = world.random.logBetween(1, 16) * GIB;
  const kept = leakedBytes * WATCHED_SHARE;
  world.keptLive = ({ worked }) => kept * worked;
  return { ...looksAt(world, 'soak'), isLeak: true, leakedBytes };
}

function beginningOf(series: ProcessSeries, share: number): ProcessSeries {
  const { timesMs, operations, signals, liveAfterGc } = series;
  const n = Math.round(share * timesMs.length);
  const untilMs = timesMs[n - 1] ?? 0;
  const floors = liveAfterGc?.timesMs.filter((ms) => ms <= untilMs).length ?? 0;
  return {
    ...series,
    timesMs: timesMs.slice(0, n),
    ...(operations && { operations: operations.slice(0, n) }),
    signals: Object.fromEntries(Object.entries(signals).map(([name, values]) => [name, values.slice(0, n)])),
    ...(liveAfterGc && {
      liveAfterGc: {
        timesMs: liveAfterGc.timesMs.slice(0, floors),
        liveBytes: liveAfterGc.liveBytes.slice(0, floors),
      },
    }),
  };
}

function rangeOf(values: Float64Array | undefined): number {
  const known = (values ?? new Float64Array()).filter((value) => !Number.isNaN(value)).sort();
  return (known.at(-1) ?? 0) - (known[0] ?? 0);
}

/** The first look at which a test may stop, if there is one. */
function stopOf({ looks }: Test, expectedGrowthBytes: number): { share: number; look: Look } | undefined {
  const judge = new SequentialJudge({
    plannedMs: (looks.at(-1)?.soFar.elapsedMs ?? 0) / (looks.at(-1)?.share ?? 1),
    stopEarly: 'any',
    expectedGrowthBytes,
    leakThresholdBytes: TRUTH_SETTINGS.leakThresholdBytes,
  });
  for (const { share, soFar } of looks) {
    const look = judge.look(soFar);
    if (look.mayStop) return { share, look };
  }
  return undefined;
}

const tests = [...CLEAN_FAMILIES, ...LEAK_FAMILIES].flatMap((family, number) =>
  Array.from({ length: seeds }, (_, seed) => testOf(family, FIRST_SEED + number * 10_000 + seed)),
);
const clean = tests.filter(({ isLeak }) => !isLeak);
const leaking = tests.filter(({ isLeak }) => isLeak);
const share = (some: readonly Test[], of: readonly Test[]) =>
  `${((100 * some.length) / Math.max(1, of.length)).toFixed(1)} % (${some.length} of ${of.length})`;
const stoppedAs = (of: readonly Test[], verdict: string, budget: (test: Test) => number) =>
  of.filter((test) => stopOf(test, budget(test))?.look.verdict === verdict);
const alarmed = (needed: number, of: readonly Test[]) =>
  of.filter(({ looks }) =>
    looks.some(({ soFar }) => soFar.verdict === 'leak' && soFar.evidence.logOdds >= needed),
  );

console.log(
  `${tests.length} simulated tests, up to 22 looks each, every look after a fifth more of the run\n`,
);
console.log('clean tests called a leak at some look');
console.log(`  at the first verdict                              ${share(alarmed(0, clean), clean)}`);
console.log(`  at log odds above 10                              ${share(alarmed(10, clean), clean)}`);
const declared = stoppedAs(clean, 'leak', ({ ownGrowthBytes }) => ownGrowthBytes);
console.log(`  by the rules, with what it keeps declared         ${share(declared, clean)}`);
for (const mib of BUDGETS_MIB) {
  const stopped = stoppedAs(clean, 'leak', () => mib * MIB);
  const names = [...new Set(stopped.map(({ family }) => family))].join(', ');
  console.log(
    `  by the rules, with ${String(mib).padStart(2)} MiB whatever it keeps         ${share(stopped, clean)} ${names}`,
  );
}
console.log('\nleaking tests');
const missed = stoppedAs(leaking, 'no-leak', () => 64 * MIB);
console.log(
  `  stopped as clean                                  ${share(missed, leaking)} ${[...new Set(missed.map(({ family }) => family))].join(', ')}`,
);
const clear = leaking.filter(({ leakedBytes }) => leakedBytes >= 24 * MIB);
const stops = clear
  .map((test) => stopOf(test, 8 * MIB))
  .filter((stop) => stop?.look.verdict === 'leak')
  .map((stop) => stop?.share ?? 1)
  .sort((a, b) => a - b);
console.log(
  `  that would leak 3 times what they may keep: stopped ${((100 * stops.length) / Math.max(1, clear.length)).toFixed(0)} % of ${clear.length}, half of them by ${(100 * (stops[stops.length >> 1] ?? Number.NaN)).toFixed(0)} % of the planned time`,
);
const soaks = Array.from({ length: 4 * seeds }, (_, seed) => soakTestOf(seed));
const minutes = soaks
  .map((test) => stopOf(test, 64 * MIB))
  .filter((stop) => stop?.look.verdict === 'leak')
  .map((stop) => (stop?.share ?? 1) * WATCHED_SHARE * SOAK_MINUTES)
  .sort((a, b) => a - b);
console.log(
  `  8 hours that would leak 1 to 16 GiB: stopped in 24 minutes ${minutes.length} of ${soaks.length}, half of them within ${(minutes[minutes.length >> 1] ?? Number.NaN).toFixed(1)} minutes`,
);
const cleared = stoppedAs(clean, 'no-leak', () => 64 * MIB);
console.log(`\nclean tests stopped as clean                        ${share(cleared, clean)}`);
process.exitCode = declared.length <= 0.01 * clean.length && missed.length <= 0.05 * leaking.length ? 0 : 1;
