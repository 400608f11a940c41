import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { labelledSeries } from '../../../scripts/truth/corpus.js';
import { CLEAN_FAMILIES, LEAK_FAMILIES } from '../../../scripts/truth/families.js';
import { Random } from '../../../scripts/truth/random.js';
import { TRUTH_SETTINGS } from '../../../scripts/truth/settings.js';
import { falseDiscoveryRates } from '../../../src/detect/false-discovery.js';
import { Fleet } from '../../../src/detect/fleet.js';
import { FALSE_DISCOVERY_RATE, growingSeries, seriesPoints } from '../../../src/detect/grown-series.js';
import { inconclusive } from '../../../src/detect/judge.js';
import { weighProcess } from '../../../src/detect/process-evidence.js';
import { judgeByCompetition } from '../../../src/detect/recording-judge.js';
import { sanitise } from '../../../src/detect/sanitise.js';
import { processSeriesOf } from '../../../src/recording/recorded-process.js';
import { MIB } from '../../../src/units.js';
import { noise, recordingOf } from '../../fixtures/test-recordings.js';

describe('the false discovery rate at which a series is still named', () => {
  test("is that of Benjamini and Hochberg's own example", () => {
    // Benjamini and Hochberg 1995, section 3.2: at 5 % the first four of fifteen are named.
    const pValues = [
      0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528,
      0.759, 1,
    ];
    const rates = falseDiscoveryRates(pValues, 'positive');
    assert.equal(rates.filter((rate) => rate <= 0.05).length, 4);
    assert.ok(Math.abs((rates[3] ?? 0) - (15 * 0.0095) / 4) < 1e-12);
  });

  test('names what the step-up procedure names, for any p-values and any level', () => {
    const given = fc.tuple(
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 }),
      fc.double({ min: 0.001, max: 0.5, noNaN: true }),
    );
    fc.assert(
      fc.property(given, ([pValues, level]) => {
        const sorted = pValues.toSorted((a, b) => a - b);
        let limit = -1;
        sorted.forEach((p, i) => {
          if ((p * sorted.length) / (i + 1) <= level) limit = p;
        });
        const rates = falseDiscoveryRates(pValues, 'positive');
        assert.deepEqual(
          rates.map((rate) => rate <= level),
          pValues.map((p) => p <= limit),
        );
      }),
    );
  });

  test('is higher by the harmonic sum for series that depend on each other in any way', () => {
    const [positive] = falseDiscoveryRates([0.001, 0.9, 0.9], 'positive');
    const [any] = falseDiscoveryRates([0.001, 0.9, 0.9], 'any');
    assert.ok(Math.abs((any ?? 0) / (positive ?? 1) - (1 + 1 / 2 + 1 / 3)) < 1e-12);
  });
});

describe('a fleet of simulated processes', () => {
  const pValuesOf = (families: typeof CLEAN_FAMILIES, seeds: number) =>
    [...labelledSeries('dev', seeds, families)].map(
      ({ series }) => weighProcess(sanitise(series), TRUTH_SETTINGS).pValue,
    );
  const clean = pValuesOf(CLEAN_FAMILIES, 10);
  const leaking = pValuesOf(LEAK_FAMILIES, 2);
  const draw = (from: number[], random: Random) => from[random.whole(0, from.length - 1)] as number;

  /** Mean share of clean processes among those that are named, over many fleets drawn from the two. */
  function realisedRate(
    cleanCount: number,
    leakCount: number,
    level: number,
  ): { rate: number; found: number } {
    const random = new Random(5);
    const fleets = 400;
    let [share, found] = [0, 0];
    for (let fleet = 0; fleet < fleets; fleet++) {
      const pValues = [
        ...Array.from({ length: cleanCount }, () => draw(clean, random)),
        ...Array.from({ length: leakCount }, () => draw(leaking, random)),
      ];
      const named = falseDiscoveryRates(pValues, 'positive').map((rate) => rate <= level);
      const wrong = named.slice(0, cleanCount).filter(Boolean).length;
      const right = named.slice(cleanCount).filter(Boolean).length;
      share += wrong / Math.max(1, wrong + right);
      found += right / Math.max(1, leakCount);
    }
    return { rate: share / fleets, found: found / fleets };
  }

  test('that are all clean is found to leak in at most the stated share of cases', () => {
    for (const level of [0.05, 0.1, 0.2]) {
      const { rate } = realisedRate(50, 0, level);
      assert.ok(rate <= level, `${rate} at ${level}`);
    }
  });

  test('of which a tenth leaks keeps the rate, and most of the leaks', () => {
    const { rate, found } = realisedRate(90, 10, 0.05);
    assert.ok(rate <= 0.05, String(rate));
    assert.ok(found >= 0.75, String(found));
  });
});

describe('what is said of a fleet', () => {
  const result = (pValue: number, leakDetected: boolean) => ({
    ...inconclusive('', { remedy: '' }),
    pValue,
    leakDetected,
  });

  test('confirms leaks that stand out from their number, and doubts the others', () => {
    const fleet = new Fleet(0.05);
    for (let i = 0; i < 998; i++) fleet.add(`clean ${i}`, result(0.3 + i / 2000, false));
    fleet.add('sure', result(1e-8, true));
    fleet.add('by chance', result(0.004, true));
    assert.deepEqual(fleet.conclude(), {
      series: 1000,
      leaks: 2,
      falseDiscoveryRate: 0.05,
      confirmed: 1,
      doubtful: ['by chance'],
    });
  });
});

describe('the other series of a recording', () => {
  const wobbling = (seed: number, level: number, each: (seconds: number) => number = () => 0) => {
    const wobble = noise(seed);
    return (seconds: number) => Math.round(level + each(seconds) + wobble() * 3);
  };
  const grownIn = (counted: Record<string, (seconds: number) => number>) => {
    const recording = recordingOf({ loadSeconds: 20, counted });
    return growingSeries(recording, { startMs: 1000, endMs: 21_000 });
  };

  test('are named when they grow, with growth by operation and a rate of false discoveries', () => {
    const { growing, judged } = grownIn({
      'custom.sessions': wobbling(2, 50, (seconds) => 20 * seconds),
      'custom.tasks': wobbling(3, 50),
      'counter.listeners': (seconds) => 10 + Math.floor(seconds),
    });
    assert.deepEqual(growing.map(({ channel }) => channel).sort(), ['counter.listeners', 'custom.sessions']);
    const sessions = growing.find(({ channel }) => channel === 'custom.sessions');
    assert.ok(Math.abs((sessions?.perOperation ?? 0) - 0.2) < 0.01, String(sessions?.perOperation));
    assert.ok(growing.every(({ qValue, pValue }) => pValue <= qValue && qValue <= FALSE_DISCOVERY_RATE));
    assert.ok(judged >= 3);
  });

  test('are not named for warming up, filling or being a count that only ever rises', () => {
    const { growing } = grownIn({
      'custom.pool': (seconds) => 40 * (1 - Math.exp(-seconds)),
      'custom.cache': (seconds) => Math.min(300, 30 * seconds),
      'custom.requests_total': (seconds) => 100 * seconds,
      'arc.model.created_count': (seconds) => 100 * seconds,
    });
    assert.deepEqual(growing, []);
  });

  test('are named wrongly in at most the stated share of recordings when all of them are clean', () => {
    let namedSomewhere = 0;
    const recordings = 40;
    for (let i = 0; i < recordings; i++) {
      const counted = Object.fromEntries(
        Array.from({ length: 8 }, (_, k) => [`custom.c${k}`, wobbling(1 + 8 * i + k, 100)]),
      );
      if (grownIn(counted).growing.length > 0) namedSomewhere++;
    }
    assert.ok(namedSomewhere <= FALSE_DISCOVERY_RATE * recordings, String(namedSomewhere));
  });

  test('stand in the result of a judged load, beside the verdict', () => {
    const recording = recordingOf({
      floorBytes: (seconds) => 20 * MIB + seconds * MIB,
      counted: { 'custom.sessions': (seconds) => 100 * seconds },
    });
    const result = judgeByCompetition(recording, { ...TRUTH_SETTINGS, leakThresholdBytes: MIB });
    assert.equal(result.verdict, 'leak');
    const grown = result.growingSeries?.growing.map(({ channel }) => channel) ?? [];
    assert.ok(grown.includes('custom.sessions'), String(grown));
    assert.match(result.suspectedSources[0] ?? '', /^objects on the V8 heap: 100 % of the growth$/);
    assert.match(
      result.suspectedSources.join('\n'),
      /sessions: 1000 more .*, (1|0\.99\d|1\.0\d*) with every operation/,
    );
  });
});

describe('what judging a long recording costs', () => {
  const samplesPerSecond = (residentPerSecond: number) =>
    recordingOf({ loadSeconds: 60, residentPerSecond, counted: { 'custom.sessions': (at) => at } });

  test('is that of 4,000 samples, however many there are', () => {
    for (const perSecond of [50, 500, 2000]) {
      const { timesMs, signals } = processSeriesOf(samplesPerSecond(perSecond));
      assert.ok(timesMs.length <= 4000, String(timesMs.length));
      assert.ok((signals.rss?.length ?? 0) <= 4000);
    }
  });

  test('is a hundred points for every other series', () => {
    const recording = samplesPerSecond(2000);
    const rss = recording.series('rss_bytes');
    assert.equal(rss?.values.length, 122_001);
    const points = rss && seriesPoints(rss, { startMs: 0, endMs: 61_000 }, 'level');
    assert.ok((points?.values.length ?? 1000) <= 110);
    assert.equal(points?.observed, 122_001);
  });
});
