import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ANALYSIS_DEFAULTS } from '../../../src/detect/analysis-defaults.js';
import type { JudgeSettings } from '../../../src/detect/judge.js';
import { weighProcess } from '../../../src/detect/process-evidence.js';
import { judgeProcess } from '../../../src/detect/process-judge.js';
import { sanitise } from '../../../src/detect/sanitise.js';
import { LeakDetectionResultSchema } from '../../../src/diagnosis/index.js';
import type { ProcessSeries } from '../../../src/recording/process-series.js';
import { MIB } from '../../../src/units.js';
import { type MadeUpProcess, processOf } from '../../fixtures/process-series.js';

const judge = (made: MadeUpProcess, change: Partial<JudgeSettings> = {}) =>
  judgeProcess(processOf(made), { ...ANALYSIS_DEFAULTS, ...change });

describe('the explanation that wins', () => {
  const base = 40 * MIB;
  const clean: [string, (x: number) => number, RegExp][] = [
    ['noise around a level', () => base, /^level$/],
    ['a warm-up', (x) => base + 20 * MIB * (1 - Math.exp(-x / 0.05)), /^(warmUp|warmUpAndFilling)$/],
    [
      'a warm-up of which each tenfold of the time adds as much',
      (x) => base + (20 * MIB * Math.log1p(x / 0.01)) / Math.log1p(100),
      /^(slowingWarmUp|warmUp)$/,
    ],
    [
      'a cache that is full at the middle',
      (x) => base + 40 * MIB * Math.min(1, x / 0.5),
      /^(filling|warmUpAndFilling)$/,
    ],
    [
      'a cache that is full late',
      (x) => base + 60 * MIB * Math.min(1, x / 0.85),
      /^(filling|warmUpAndFilling)$/,
    ],
    ['memory that is given back', (x) => base + 30 * MIB * Math.exp(-x / 0.2), /^falling$/],
    ['a step', (x) => base + (x > 0.4 ? 20 * MIB : 0), /^fewSteps$/],
    [
      'two steps after a warm-up',
      (x) => base + 15 * MIB * (1 - Math.exp(-x / 0.06)) + (x > 0.5 ? 12 * MIB : 0) + (x > 0.8 ? 9 * MIB : 0),
      /^fewSteps$/,
    ],
    ['cycles', (x) => base + 10 * MIB * Math.sin(2 * Math.PI * 6 * x), /^cycles$/],
  ];
  for (const [what, live, name] of clean) {
    test(`of ${what} is no leak`, () => {
      const result = judge({ live });
      assert.equal(result.verdict, 'no-leak', result.explanation);
      assert.match(result.winningExplanation?.name ?? '', name, result.explanation);
      assert.match(result.power ?? '', /a leak of less than .* per operation would not have been seen/);
    });
  }
  const nearlyLeaks: [string, MadeUpProcess][] = [
    [
      'two steps between the collections of one block',
      {
        live: (x) => base + (x >= 0.41 ? 14 * MIB : 0) + (x >= 0.815 ? 24 * MIB : 0),
        samplesPerCollection: 4,
      },
    ],
    [
      'two steps and a tiny third one at the time of the next',
      {
        live: (x) =>
          base + (x >= 0.52 ? 18 * MIB : 0) + (x >= 0.74 ? 13 * MIB : 0) + (x >= 0.92 ? 0.7 * MIB : 0),
        samplesPerCollection: 40,
        noiseBytes: 0.18 * MIB,
      },
    ],
    [
      'a cache that fills more and more slowly, and is full very late',
      {
        live: (x) => base + (40 * MIB * (1 - Math.exp(-1.8 * Math.min(1, x / 0.9)))) / (1 - Math.exp(-1.8)),
        samplesPerCollection: 4,
        noiseBytes: 0.2 * MIB,
      },
    ],
  ];
  for (const [what, made] of nearlyLeaks) {
    test(`of ${what} is no leak, whatever the noise`, () => {
      for (let seed = 1; seed <= 8; seed++) {
        const result = judge({ ...made, seed });
        assert.equal(result.verdict, 'no-leak', `noise ${seed}: ${result.explanation}`);
      }
    });
  }
  const times = [0.04, 0.09, 0.3, 0.36, 0.41, 0.7, 0.88];
  const leaks: [string, string, (x: number) => number][] = [
    ['steady growth', 'linear', (x) => base + 30 * MIB * x],
    ['growth that begins late', 'linear', (x) => base + 40 * MIB * Math.max(0, x - 0.5)],
    ['growth beside a cache', 'linear', (x) => base + 30 * MIB * Math.min(1, x / 0.3) + 30 * MIB * x],
    ['growth after a warm-up', 'linear', (x) => base + 20 * MIB * (1 - Math.exp(-x / 0.04)) + 30 * MIB * x],
    ['doubling', 'exponential', (x) => base + MIB * 2 ** (6 * x)],
    ['doubling in stairs', 'exponential', (x) => base + 2 * MIB * 2 ** Math.floor(5 * x)],
    ['even stairs', 'stepped', (x) => base + 6 * MIB * Math.floor(7 * x + 0.3)],
    ['stairs at odd times', 'sporadic', (x) => base + 6 * MIB * times.filter((at) => x >= at).length],
    ['rising troughs', 'cyclic', (x) => base + 30 * MIB * x + 12 * MIB * Math.sin(2 * Math.PI * 5 * x)],
  ];
  for (const [what, pattern, live] of leaks) {
    test(`of ${what} is a leak, and its pattern ${pattern}`, () => {
      const result = judge({ live });
      assert.equal(result.verdict, 'leak', result.explanation);
      assert.equal(result.patternAnalysis?.patternType, pattern, result.explanation);
      const truth = (live(0.999) - live(0)) / 900;
      if (pattern === 'linear' && !what.includes('cache') && !what.includes('warm-up'))
        assert.ok(Math.abs((result.leakRate ?? 0) - truth) < 0.1 * truth, `${result.leakRate} ${truth}`);
      assert.ok(result.runnerUpExplanation, 'and says what else it could have been');
    });
  }

  test('is one with a leak wherever a leak is found, however few and noisy the collections', () => {
    const live = (x: number) => base + (25 * MIB * Math.log1p(x / 0.006)) / Math.log1p(1 / 0.006);
    for (let seed = 40; seed <= 55; seed++) {
      const { verdict, winningExplanation, runnerUpExplanation, explanation } = judge({
        live,
        samplesPerCollection: 45,
        noiseBytes: 3 * MIB,
        seed,
      });
      if (verdict !== 'leak') continue;
      const [won, next] = [winningExplanation?.probability ?? 0, runnerUpExplanation?.probability ?? 0];
      assert.ok(won >= next, `noise ${seed}: ${explanation}, ${won} against ${next}`);
    }
  });

  test('of rising troughs tells their period', () => {
    const { patternAnalysis } = judge({
      live: (x) => base + 30 * MIB * x + 12 * MIB * Math.sin(2 * Math.PI * 5 * x),
    });
    const [pattern] = patternAnalysis?.timePatterns ?? [];
    assert.ok(Math.abs((pattern?.periodMs ?? 0) - 180_000) < 6000);
    assert.ok(Math.abs((pattern?.amplitudeBytes ?? 0) - 12 * MIB) < MIB);
  });

  test('is the load where memory follows it', () => {
    const rate = (x: number) => 100 * (1 + 2 * x + 0.4 * Math.sin(2 * Math.PI * 9 * x));
    const result = judge({ live: (x) => base + 0.1 * MIB * rate(x), operationsPerSecond: rate });
    assert.equal(result.verdict, 'no-leak', result.explanation);
    assert.match(result.explanation, /follows the load/);
  });
});

describe('the signals of a process', () => {
  test('memory outside the heap leaks where the allocator has ever more in use', () => {
    const result = judge({ malloc: (x) => 30 * MIB + 25 * MIB * x });
    assert.equal(result.verdict, 'leak');
    assert.equal(result.signal, 'mallocInUse');
  });

  test('resident memory tells where the allocator was not asked', () => {
    const result = judge({ malloc: null, unused: (x) => 40 * MIB * x });
    assert.equal(result.verdict, 'leak');
    assert.equal(result.signal, 'rss');
  });

  test('resident memory that the allocator does not use is fragmentation, with advice, and no leak', () => {
    const result = judge({ unused: (x) => 40 * MIB * x });
    assert.equal(result.verdict, 'no-leak', result.explanation);
    assert.match(result.fragmentation ?? '', /fragmentation, not a leak.*MALLOC_ARENA_MAX/);
  });

  test('the heap in use alone is never judged', () => {
    const { timesMs, signals } = processOf({ live: (x) => 40 * MIB + 100 * MIB * x });
    const result = judgeProcess(
      { id: 'a', timesMs, signals: { heapUsed: signals.heapUsed as Float64Array } },
      ANALYSIS_DEFAULTS,
    );
    assert.equal(result.verdict, 'inconclusive');
    assert.match(result.explanation, /heapUsed alone nothing can be said/);
    assert.match(result.remedy ?? '', /liveAfterGc/);
  });

  test('too few full collections give no verdict, with what would help', () => {
    const result = judge({ live: (x) => 40 * MIB + 30 * MIB * x, samplesPerCollection: 200 });
    assert.equal(result.verdict, 'inconclusive');
    assert.match(result.explanation, /5 full collections were seen, 10 are needed/);
  });

  test('growth of less than the threshold, or than the limit for each operation, is no leak', () => {
    const made = { live: (x: number) => 40 * MIB + 12 * MIB * x };
    assert.equal(judge(made).verdict, 'leak');
    assert.equal(judge(made, { leakThresholdBytes: 30 * MIB }).verdict, 'no-leak');
    assert.equal(
      judge(made, { minBytesPerOperation: 1000 }).verdict,
      'no-leak',
      '140 bytes for each of 90,000',
    );
  });

  test('a rate comes with intervals that hold the truth, by time and by operation', () => {
    const result = judge({ live: (x) => 40 * MIB + 30 * MIB * x });
    const within = (truth: number, [low, high]: [number, number] | null[]) =>
      assert.ok((low ?? 0) < truth && truth < (high ?? 0), `${low} ${truth} ${high}`);
    within((30 * MIB) / 900, result.leakRateInterval ?? []);
    within((30 * MIB) / 90_000, result.bytesPerOperationInterval ?? []);
  });
});

describe('bad input', () => {
  const bare = (values: number[], timesMs = values.map((_, i) => i * 1000)): ProcessSeries => ({
    id: 'bare',
    timesMs: Float64Array.from(timesMs),
    signals: { rss: Float64Array.from(values) },
  });

  test('two samples give no verdict', () => {
    const result = judgeProcess(bare([1e8, 2e8]), ANALYSIS_DEFAULTS);
    assert.equal(result.verdict, 'inconclusive');
    assert.match(result.explanation, /2 samples are fewer than the 10/);
  });

  test('a constant series is clean', () => {
    assert.equal(judgeProcess(bare(new Array(500).fill(1e8)), ANALYSIS_DEFAULTS).verdict, 'no-leak');
  });

  test('negative and huge values are missing values', () => {
    const values = Array.from({ length: 500 }, (_, i) => (i % 50 === 3 ? -1 : i % 50 === 9 ? 1e300 : 1e8));
    assert.equal(judgeProcess(bare(values), ANALYSIS_DEFAULTS).verdict, 'no-leak');
  });

  test('no result ever holds NaN, and every one fits the schema', () => {
    const value = fc.oneof(
      { weight: 6, arbitrary: fc.double({ min: 0, max: 1e9, noNaN: true }) },
      { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 1e300, 2 ** 53) },
    );
    const column = (length: number) =>
      fc.array(value, { minLength: length, maxLength: length }).map((all) => Float64Array.from(all));
    const series = fc.integer({ min: 0, max: 60 }).chain((length) =>
      fc.record({
        id: fc.string(),
        timesMs: fc.oneof(column(length), fc.constant(Float64Array.from({ length }, (_, i) => i * 500))),
        operations: column(length),
        signals: fc.record(
          { rss: column(length), heapUsed: column(length), mallocInUse: column(length) },
          { requiredKeys: [] },
        ),
        liveAfterGc: fc.record({ timesMs: column(20), liveBytes: column(20) }),
      }),
    );
    fc.assert(
      fc.property(series, (given) => {
        const result = judgeProcess(given, ANALYSIS_DEFAULTS);
        const numbers = (part: unknown): unknown[] =>
          part !== null && typeof part === 'object' ? Object.values(part).flatMap(numbers) : [part];
        assert.ok(
          numbers(result).every((leaf) => typeof leaf !== 'number' || Number.isFinite(leaf)),
          JSON.stringify(result),
        );
        assert.doesNotMatch(result.explanation, /NaN/);
        LeakDetectionResultSchema.parse(result);
      }),
      { numRuns: 60, examples: [[WITHOUT_KNOWN_ERROR]] },
    );
  });
});

/** Once judged with an interval of NaN: all but one point at the same moment. */
const NO = Number.NaN;
const WITHOUT_KNOWN_ERROR = {
  id: '',
  timesMs: Float64Array.from([
    ...[NO, 0, 0, 0, 0, 0, 0, 0, NO, 0, 0, 0, 0, 0, 0, NO, NO, 0, 0, 0, 0, 0, 0, 0, -1, 999999999.9995],
    ...[0, 0, 0, 0, 0, NO],
  ]),
  operations: Float64Array.from([
    ...[
      NO,
      1.6172702068832956e-153,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      NO,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      5e-324,
      0,
      5e-324,
    ],
    ...[0, 0, 0, 0, 0, 15996.965145543381, 5e-324, 0],
  ]),
  signals: {},
  liveAfterGc: {
    timesMs: Float64Array.from([NO, 0, 0, 0, 0, 0, 0, NO, 0, 0, 0.0005, 0, NO, 0, 0, 0, 0, 0, 0, NO]),
    liveBytes: Float64Array.from([
      ...new Array(11).fill(0),
      NO,
      ...new Array(6).fill(0),
      2.0445515983015267e-157,
      0,
    ]),
  },
} satisfies ProcessSeries;

describe('what a judgement costs', () => {
  const evaluations = (samples: number) => {
    const { bySignal } = weighProcess(
      sanitise(processOf({ samples, samplesPerCollection: samples / 90 })),
      ANALYSIS_DEFAULTS,
    );
    return Object.values(bySignal).reduce((sum, one) => sum + one.evaluations, 0);
  };

  test('is at most 45,000 likelihoods of a hundred points for each signal', () => {
    assert.ok(evaluations(1800) <= 2 * 45_000, String(evaluations(1800)));
  });

  test('does not grow with the number of samples', () => {
    assert.ok(evaluations(18_000) <= 1.2 * evaluations(1800));
  });
});
