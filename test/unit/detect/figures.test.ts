import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { memoryMeasurements } from '../../../src/detect/measurements.js';
import { exhaustionOutcome } from '../../../src/detect/outcomes.js';
import { performanceMetrics } from '../../../src/detect/performance.js';
import { judgeByCompetition } from '../../../src/detect/recording-judge.js';
import { samplingReport } from '../../../src/detect/sampling.js';
import { memoryStatistics } from '../../../src/detect/statistics.js';
import { type Thresholds, thresholdViolations } from '../../../src/detect/thresholds.js';
import { RecordedEvents } from '../../../src/recording/channels.js';
import { KIB, MIB } from '../../../src/units.js';
import { TestScenario } from '../../../src/vocabulary.js';
import { type MadeUpTest, recordingOf } from '../../fixtures/test-recordings.js';

const LOAD_OUTCOME = {
  name: RecordedEvents.LoadOutcome,
  detail: {
    completed: 1000,
    failed: 250,
    payloadBytes: 5_000_000,
    activeMs: 10_000,
    targetRatePerSecond: 125,
    latency: { meanMs: 2, p50Ms: 1, p95Ms: 5, p99Ms: 8, maxMs: 20 },
  },
};

const nearTo = (actual: number | null, expected: number, share = 0.01) =>
  assert.ok(
    actual !== null && Math.abs(actual - expected) <= share * expected,
    `${actual} is not about ${expected}`,
  );

describe('memory statistics', () => {
  const rising: MadeUpTest = {
    rssBytes: (seconds) => 100 * MIB + seconds * 10 * MIB,
    events: [LOAD_OUTCOME],
    afterTeardownBytes: 20 * MIB,
  };

  test('have the baseline from the settling before the load, the peak and the mean from the load', () => {
    const statistics = memoryStatistics(recordingOf(rising));
    nearTo(statistics.baselineMemoryBytes, 100 * MIB);
    nearTo(statistics.peakMemoryBytes, 200 * MIB);
    nearTo(statistics.averageMemoryBytes, 150 * MIB);
  });

  test('have as volatility the deviation over the mean', () => {
    // A ramp of length L deviates by L / sqrt(12) around its middle.
    const { memoryVolatility } = memoryStatistics(recordingOf(rising));
    nearTo(memoryVolatility, 100 / Math.sqrt(12) / 150);
  });

  test('have the rise over the baseline divided by the operations', () => {
    nearTo(memoryStatistics(recordingOf(rising)).memoryPerOperation, (100 * MIB) / 1000);
  });

  test('have the growth rate of the floor, not of RSS', () => {
    nearTo(
      memoryStatistics(recordingOf({ ...rising, floorBytes: (s) => 20 * MIB + s * 50 * KIB }))
        .memoryGrowthRate,
      50 * KIB,
    );
  });

  test('have no cleanup efficiency when the target was not stopped, and the share given back when it was', () => {
    assert.equal(memoryStatistics(recordingOf({})).cleanupEfficiency, null);
    // In use under load: 1.5 times the floor of 20 MiB.
    nearTo(memoryStatistics(recordingOf({ afterTeardownBytes: 22.5 * MIB })).cleanupEfficiency, 0.75);
    assert.equal(memoryStatistics(recordingOf({ afterTeardownBytes: 10 * MIB })).cleanupEfficiency, 1);
  });

  test('are null, not zero, where nothing was recorded', () => {
    const { baselineMemoryBytes, memoryPerOperation } = memoryStatistics(recordingOf({}));
    assert.notEqual(baselineMemoryBytes, null);
    assert.equal(memoryPerOperation, null);
  });
});

describe('performance metrics', () => {
  test('come from what the load wrote when it ended', () => {
    const metrics = performanceMetrics(recordingOf({ events: [LOAD_OUTCOME] }), 200 * MIB);
    assert.equal(metrics.operationsPerSecond, 100);
    assert.equal(metrics.targetOperationsPerSecond, 125);
    assert.equal(metrics.errorRate, 0.2);
    assert.equal(metrics.p95ResponseTimeMs, 5);
    assert.equal(metrics.throughput, 500_000);
    nearTo(metrics.resourceUtilization.memoryUtilization, 0.5);
  });

  test('count the operations from the channels when the load never ended', () => {
    const metrics = performanceMetrics(recordingOf({ isCutOff: true, operationsPerSecond: 40 }), null);
    assert.equal(metrics.operations, 400);
    nearTo(metrics.operationsPerSecond, 40);
    assert.equal(metrics.p95ResponseTimeMs, null);
    assert.equal(metrics.resourceUtilization.memoryUtilization, null);
  });
});

describe('measurements', () => {
  test('hold one row for every reading of V8, with the latest value of every other channel', () => {
    const measurements = memoryMeasurements(recordingOf({ loadSeconds: 5 }));
    assert.equal(measurements.length, 11);
    assert.equal(measurements[4]?.totalMemoryBytes, 100 * MIB);
    assert.equal(measurements[4]?.heapMemoryBytes, 30 * MIB);
    assert.equal(measurements[4]?.phase, 'load');
    assert.equal(measurements[4]?.timestamp, new Date(1_800_000_000_000 + 3000).toISOString());
  });

  test('leave out what was not recorded', () => {
    const [first] = memoryMeasurements(recordingOf({}));
    assert.ok(first && !('stackMemoryBytes' in first) && !('cacheMemoryBytes' in first));
  });

  test('hold the sum of all strong references, and of each name what is held', () => {
    const measurements = memoryMeasurements(
      recordingOf({
        loadSeconds: 5,
        counted: {
          'arc.session.strong_count': (seconds) => 10 + 2 * seconds,
          'arc.session.created_count': (seconds) => 1000 * seconds,
          'arc.a.strong_count.values_count': () => 500,
          'arc.tool.strong_count': () => 7,
          'mutex.store.waiters_count': () => 3,
          'mutex.store.longest_hold_ns': () => 12_345,
          'counter.jobs': () => 99,
        },
      }),
    );
    assert.equal(measurements[4]?.arcRefCount, 10 + 2 * 2 + 7);
    assert.deepEqual(
      Object.entries(measurements[4]?.customMetrics ?? {}).filter(([name]) =>
        /^(arc|mutex|counter)/.test(name),
      ),
      [
        ['arc.session.strong_count', 14],
        ['arc.tool.strong_count', 7],
        ['mutex.store.waiters_count', 3],
        ['counter.jobs', 99],
      ],
    );
    assert.equal(memoryMeasurements(recordingOf({}))[4]?.arcRefCount, undefined);
  });

  test('are thinned out above two thousand', () => {
    const many = memoryMeasurements(recordingOf({ loadSeconds: 50, floorIntervalSeconds: 0.01 }));
    assert.ok(many.length > 1000 && many.length <= 2000, `${many.length}`);
  });
});

describe('the sampling report', () => {
  test('counts the samples of the load against the rate that was asked for', () => {
    const report = samplingReport(recordingOf({}));
    assert.equal(report?.requestedRateHz, 100);
    nearTo(report?.reachedRateHz ?? null, 100);
  });
});

describe('the outcome of an exhaustion', () => {
  const attempts = [1, 2, 4].map((mebibytes) => ({
    name: RecordedEvents.Attempt,
    detail: { payloadBytes: mebibytes * MIB, memoryLimitBytes: 64 * MIB },
  }));

  test('is, after a crash, the last attempt that was announced', () => {
    assert.deepEqual(exhaustionOutcome(recordingOf({ events: attempts }), 'killed'), {
      memoryLimitBytes: 64 * MIB,
      largestPayloadBytes: 2 * MIB,
      refusedPayloadBytes: 4 * MIB,
      ending: 'crashed',
      reason: 'killed',
      recovered: false,
    });
  });

  test('is absent in the other scenarios', () => {
    assert.equal(exhaustionOutcome(recordingOf({}), null), undefined);
  });
});

describe('threshold violations', () => {
  const limits: Thresholds = {
    maxBaselineMemoryBytes: 100 * MIB,
    maxMemoryGrowthRate: MIB,
    maxMemoryPerOperation: 10 * MIB,
    leakThresholdBytes: 5 * MIB,
    cleanupTimeoutSeconds: 60,
  };
  const measured = (made: MadeUpTest, scenario: string = TestScenario.HighFrequencyOperations) => {
    const recording = recordingOf(made);
    return {
      scenario,
      statistics: memoryStatistics(recording),
      leakDetection: judgeByCompetition(recording, {
        leakThresholdBytes: limits.leakThresholdBytes,
        minSamples: 10,
        significanceThreshold: 0.95,
        enablePatternAnalysis: false,
      }),
      loadSeconds: 10,
    };
  };
  const kinds = (given: Parameters<typeof thresholdViolations>[0]) =>
    thresholdViolations(given, limits).map(({ violationType, severity }) => `${violationType} ${severity}`);

  test('are none for a calm service', () => {
    assert.deepEqual(kinds(measured({ rssBytes: () => 90 * MIB })), []);
  });

  test('say a baseline above the limit, the graver the farther', () => {
    assert.deepEqual(kinds(measured({ rssBytes: () => 110 * MIB })), ['BaselineExceeded Low']);
    assert.deepEqual(kinds(measured({ rssBytes: () => 400 * MIB })), ['BaselineExceeded High']);
  });

  test('say a leak and its rate', () => {
    const leaking = measured({ rssBytes: () => 90 * MIB, floorBytes: (s) => 20 * MIB + s * 3 * MIB });
    assert.deepEqual(kinds(leaking), ['GrowthRateExceeded High', 'MemoryLeak High']);
    const [, leak] = thresholdViolations(leaking, limits);
    assert.match(
      leak?.description ?? '',
      /^Memory leak detected: 3\.0 MiB\/s, 30\.7 KiB per operation \(confidence: 99\.9 %\)$/,
    );
  });

  test('say memory per operation, except where payloads are large on purpose', () => {
    const greedy: MadeUpTest = {
      rssBytes: (s) => (s > 5 ? 200_000 * MIB : 90 * MIB),
      events: [LOAD_OUTCOME],
    };
    assert.deepEqual(kinds(measured(greedy)), ['MemoryPerOperationExceeded Critical']);
    assert.deepEqual(kinds(measured(greedy, TestScenario.LargeDataProcessing)), []);
  });

  test('say what was not given back, and what exhaustion broke', () => {
    const calm = measured({ rssBytes: () => 90 * MIB });
    const cleanup = {
      baselineLiveBytes: 10 * MIB,
      peakLiveBytes: 50 * MIB,
      finalLiveBytes: 40 * MIB,
      efficiency: 0.25,
      returnedToBaseline: false,
      seconds: 60,
    };
    assert.deepEqual(kinds({ ...calm, cleanup }), ['CleanupTimeout High']);
    const exhaustion = {
      memoryLimitBytes: 64 * MIB,
      largestPayloadBytes: MIB,
      refusedPayloadBytes: 2 * MIB,
      ending: 'refused' as const,
      reason: 'too large',
      recovered: false,
    };
    assert.deepEqual(kinds({ ...calm, exhaustion }), ['ResourceExhaustion High']);
    assert.deepEqual(kinds({ ...calm, exhaustion: { ...exhaustion, recovered: true } }), []);
  });
});
