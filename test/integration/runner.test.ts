import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { MemoryTestConfigInput } from '../../src/config/index.js';
import { type MemoryTestResult, RunReportSchema } from '../../src/diagnosis/index.js';
import { readRecording } from '../../src/recording/index.js';
import type { ArcCycles, HeldGuard, LeakedReferences, ReferenceCount } from '../../src/refcount/index.js';
import { renderText } from '../../src/report/index.js';
import { MemoryTestRunner, type RunnerOptions } from '../../src/runner/memory-test-runner.js';
import { ServiceType, TestScenario } from '../../src/vocabulary.js';

const PROGRAMS = join(import.meta.dirname, '../../../test/fixtures/programs');
const output = mkdtempSync(join(tmpdir(), 'crucible-runner-test-'));
after(() => rmSync(output, { recursive: true, force: true }));

/** Long enough for a verdict, short enough for a test. */
const QUICK: MemoryTestConfigInput = {
  testDurations: {
    shortTestSeconds: 1.5,
    mediumTestSeconds: 1.5,
    longTestSeconds: 1.5,
    warmUpSeconds: 0.3,
    drainSeconds: 0.1,
    measurementIntervalMs: 50,
    operationTimeoutSeconds: 3,
  },
  thresholds: {
    leakThresholdBytes: 1024 * 1024,
    maxBaselineMemoryBytes: 1024 ** 3,
    cleanupTimeoutSeconds: 1,
  },
  loadTesting: {
    operationsPerSecond: 400,
    concurrentOperations: 10,
    largeDataSizeBytes: 4 * 1024 * 1024,
    exhaustionMemoryLimitBytes: 96 * 1024 * 1024,
  },
  leakDetection: { samplingIntervalMs: 80 },
  reporting: { generateCharts: false, outputDirectory: output },
};

async function runOne(
  program: string,
  scenario: TestScenario = TestScenario.HighFrequencyOperations,
  options: RunnerOptions = {},
): Promise<MemoryTestResult> {
  const runner = await MemoryTestRunner.create(QUICK, {
    targets: [join(PROGRAMS, program)],
    scenarios: [scenario],
    ...options,
  });
  const [result] = await runner.runComprehensiveTests();
  assert.ok(result, 'there is a result');
  return result;
}

describe('a target that keeps 10 KiB of every operation', () => {
  test('is called leaking, with bytes per operation within a tenth of the truth', async () => {
    const result = await runOne('leaking.mjs');
    assert.equal(result.serviceType, 'leaking');
    assert.equal(result.status, 'violated');
    assert.equal(result.leakDetection.verdict, 'leak');
    assert.ok(result.leakDetection.confidence >= 0.95);
    const perOperation = result.leakDetection.bytesPerOperation ?? 0;
    assert.ok(Math.abs(perOperation - 10_240) <= 1024, `${perOperation} bytes per operation`);
    assert.equal(result.leakDetection.patternAnalysis?.patternType, 'linear');
    assert.ok(result.thresholdViolations.some(({ violationType }) => violationType === 'MemoryLeak'));
  });

  test('shows its growth as buffers outside the V8 heap', async () => {
    const { leakDetection } = await runOne('leaking.mjs');
    assert.match(leakDetection.suspectedSources.join('\n'), /memory outside the V8 heap/);
  });
});

describe('a load that may end early', () => {
  test('ends soon after it has clearly leaked, and says after how much of its time', async () => {
    const looks: boolean[] = [];
    const runner = await MemoryTestRunner.create(
      {
        ...QUICK,
        testDurations: { ...QUICK.testDurations, longTestSeconds: 600, stopEarly: 'leak' },
        loadTesting: { ...QUICK.loadTesting, operationsPerSecond: 1000 },
        leakDetection: { samplingIntervalMs: 100, expectedGrowthBytes: 2 * 1024 * 1024 },
      },
      { targets: [join(PROGRAMS, 'leaking.mjs')], scenarios: [TestScenario.LongRunningStability] },
    );
    runner.on('look', (_, { provisional }) => looks.push(provisional));
    const [result] = await runner.runComprehensiveTests();
    assert.equal(result?.leakDetection.verdict, 'leak', result?.leakDetection.explanation);
    assert.notEqual(result.leakDetection.provisional, true);
    assert.equal(result.stoppedEarly?.plannedSeconds, 600);
    assert.ok((result.stoppedEarly?.afterSeconds ?? 600) < 120, JSON.stringify(result.stoppedEarly));
    assert.equal(looks.at(-1), false);
    assert.ok(looks.slice(0, -1).every((provisional) => provisional));
    const perOperation = result.leakDetection.bytesPerOperation ?? 0;
    assert.ok(Math.abs(perOperation - 10_240) <= 1024, `${perOperation} bytes per operation`);
    assert.match(
      renderText(runner.report([result])),
      /stopped after \d+s of 10m 0s: leak, it has grown beyond/,
    );
    const recording = await readRecording(result.recording ?? '');
    const phases = recording.phases().map(({ phase }) => phase);
    const courses = phases.filter((phase) => phase !== 'drain' && phase !== 'diagnosis');
    assert.deepEqual(courses.slice(-4), ['load', 'settle', 'teardown', 'cleanup']);
  });
});

describe('a clean target', () => {
  for (const scenario of Object.values(TestScenario)) {
    test(`is never called leaking in ${scenario}, and its test is carried out`, async () => {
      const result = await runOne('clean.mjs', scenario);
      assert.notEqual(result.leakDetection.verdict, 'leak', result.leakDetection.explanation);
      assert.equal(result.status, 'passed', JSON.stringify(result.failure ?? result.thresholdViolations));
      assert.ok((result.sampling?.samples ?? 0) > 500);
    });
  }

  test('has its own books in the measurements, and nothing that it does not report', async () => {
    const { measurements } = await runOne('clean.mjs');
    const last = measurements.at(-1);
    assert.ok((last?.totalMemoryBytes ?? 0) > 10_000_000);
    assert.ok((last?.heapMemoryBytes ?? 0) > 1_000_000);
    assert.ok((last?.customMetrics.operations_count ?? 0) > 100);
    assert.equal(last?.customMetrics.cache_entries, 3);
    assert.equal(last?.cacheMemoryBytes, undefined);
  });

  test('marks every phase in the recording, in order', async () => {
    const result = await runOne('clean.mjs');
    assert.ok(result.recording);
    const recording = await readRecording(result.recording);
    assert.deepEqual(
      recording.phases().map(({ phase, complete }) => `${phase}${complete ? '' : ' (incomplete)'}`),
      ['settle', 'setup', 'warm-up', 'drain', 'settle', 'load', 'drain', 'settle', 'teardown', 'cleanup'],
    );
    assert.deepEqual(recording.problems, []);
  });

  test('reports the rate it reached beside the rate it was asked for', async () => {
    const { performanceMetrics } = await runOne('clean.mjs');
    assert.equal(performanceMetrics.targetOperationsPerSecond, 400);
    assert.ok((performanceMetrics.operationsPerSecond ?? 0) > 200);
    assert.equal(performanceMetrics.errorRate, 0);
    assert.ok((performanceMetrics.throughput ?? 0) > 100_000);
  });
});

describe('a child that goes wrong', () => {
  const cases: [program: string, code: string, reason: RegExp][] = [
    ['crashing.mjs', 'TEST_CRASHED', /the wheels came off/],
    ['blocking.mjs', 'TEST_HUNG', /event loop is blocked/],
    ['never-ending.mjs', 'OPERATION_TIMEOUT', /operation 20 .* did not end/],
    ['out-of-memory.mjs', 'TEST_OUT_OF_MEMORY', /ran out of memory/],
    ['exiting.mjs', 'TEST_CRASHED', /exit code 7/],
    ['without-operation.mjs', 'TARGET_INVALID', /no function operation\(\)/],
    ['failing-setup.mjs', 'TARGET_SETUP_FAILED', /no database at/],
    ['failing-operations.mjs', 'OPERATIONS_FAILED', /connection refused/],
    ['does-not-exist.mjs', 'TARGET_INVALID', /does not exist/],
  ];
  // A small heap fills within a second; the default one would take minutes.
  before(() => {
    process.env.NODE_OPTIONS = '--max-old-space-size=128';
  });
  after(() => {
    delete process.env.NODE_OPTIONS;
  });
  for (const [program, code, reason] of cases) {
    test(`${program} fails its test with ${code} and keeps the recording`, async () => {
      const result = await runOne(program);
      assert.equal(result.status, 'failed');
      assert.equal(result.failure?.code, code, result.failure?.reason);
      assert.match(result.failure?.reason ?? '', reason);
      assert.ok(result.recording && existsSync(result.recording), 'the recording is there');
      const recording = await readRecording(result.recording);
      assert.ok(recording.count('rss_bytes') > 0, 'and holds samples');
    });
  }

  test('does not keep the other targets from being tested', async () => {
    const runner = await MemoryTestRunner.create(QUICK, {
      targets: ['crashing.mjs', 'clean.mjs'].map((program) => join(PROGRAMS, program)),
      scenarios: [TestScenario.HighFrequencyOperations],
    });
    const results = await runner.runComprehensiveTests();
    assert.deepEqual(
      results.map(({ status }) => status),
      ['failed', 'passed'],
    );
  });
});

describe('resource exhaustion', () => {
  test('says which payload was refused, and that the target recovered', async () => {
    const { exhaustion, status } = await runOne('refusing.mjs', TestScenario.ResourceExhaustion);
    assert.equal(status, 'passed');
    assert.equal(exhaustion?.ending, 'refused');
    assert.equal(exhaustion.recovered, true);
    assert.equal(exhaustion.largestPayloadBytes, 4 * 1024 * 1024);
    assert.equal(exhaustion.refusedPayloadBytes, 8 * 1024 * 1024);
    assert.match(exhaustion.reason ?? '', /no more than/);
  });

  test('says at which payload the memory limit was met, whether or not the process survived it', async () => {
    const { exhaustion, status, failure } = await runOne('hungry.mjs', TestScenario.ResourceExhaustion);
    assert.ok(exhaustion);
    // A buffer that cannot be allocated is an error on Node 20 to 24, and the end of the process on Node 26.
    if (exhaustion.ending === 'crashed') {
      assert.equal(status, 'failed');
      assert.equal(failure?.code, 'TEST_OUT_OF_MEMORY');
    } else {
      assert.equal(status, 'passed');
      assert.equal(exhaustion.recovered, true);
    }
    assert.equal(exhaustion.refusedPayloadBytes, 2 * (exhaustion.largestPayloadBytes ?? 0));
    // Eight buffers of the payload do not fit into 96 MiB from 16 MiB on at the latest.
    assert.ok((exhaustion.refusedPayloadBytes ?? 0) <= 16 * 1024 * 1024);
  });
});

describe('cleanup validation', () => {
  test('finds what is still held after teardown', async () => {
    const result = await runOne('keeping-after-teardown.mjs', TestScenario.CleanupValidation);
    assert.equal(result.cleanup?.returnedToBaseline, true, 'the cache was full after the first life already');
    const leaking = await runOne('leaking.mjs', TestScenario.CleanupValidation);
    assert.equal(leaking.cleanup?.returnedToBaseline, false);
    assert.ok((leaking.cleanup?.efficiency ?? 1) < 0.5);
    assert.ok(leaking.thresholdViolations.some(({ violationType }) => violationType === 'CleanupTimeout'));
  });
});

describe('kinds of target modules', () => {
  for (const program of ['typed.ts', 'plain-commonjs.cjs', 'chatty.mjs']) {
    test(`${program} is a target`, async () => {
      const result = await runOne(program);
      assert.equal(result.status, 'passed', result.failure?.reason);
      assert.ok(result.performanceMetrics.operations > 100);
    });
  }
});

describe('too little time', () => {
  test('gives no verdict but the time that it would take', async () => {
    const runner = await MemoryTestRunner.create(
      { ...QUICK, testDurations: { ...QUICK.testDurations, mediumTestSeconds: 0.3 } },
      { targets: [join(PROGRAMS, 'clean.mjs')], scenarios: [TestScenario.HighFrequencyOperations] },
    );
    const [result] = await runner.runComprehensiveTests();
    assert.equal(result?.leakDetection.verdict, 'inconclusive');
    assert.ok((result.leakDetection.neededSeconds ?? 0) > 0.3);
  });
});

describe('a run', () => {
  test('stops at the signal, keeps what was finished and counts the rest as not run', async () => {
    const stop = new AbortController();
    const runner = await MemoryTestRunner.create(QUICK, {
      targets: [join(PROGRAMS, 'clean.mjs')],
      scenarios: [TestScenario.IdleBaseline, TestScenario.SingleOperation, TestScenario.LongRunningStability],
      signal: stop.signal,
    });
    runner.on('testEnd', () => setTimeout(() => stop.abort(), 300));
    const results = await runner.runComprehensiveTests();
    assert.equal(results.length, 1);
    const report = runner.report(results);
    assert.equal(report.interrupted, true);
    assert.equal(report.summary.notRun, 2);
  });

  test('makes a report that fits its own schema', async () => {
    const runner = await MemoryTestRunner.create(QUICK, {
      targets: [join(PROGRAMS, 'leaking.mjs')],
      scenarios: [TestScenario.ConcurrentOperations],
    });
    const results = await runner.runComprehensiveTests();
    const report = JSON.parse(JSON.stringify(runner.report(results))) as unknown;
    assert.deepEqual(RunReportSchema.parse(report), report);
  });

  test("records what a service counts: every kind of reference, from the service's own process", async () => {
    const runner = await MemoryTestRunner.create(QUICK);
    const result = await runner.runTestScenario(
      ServiceType.DataStore,
      TestScenario.HighFrequencyOperations,
      {},
    );
    assert.ok(result.recording);
    const recording = await readRecording(result.recording);
    const created = recording.series('arc.DataStore.connection.created_count')?.values;
    const { operations } = result.performanceMetrics;
    // Of 16 operations 2 write and 1 streams; the others mostly find their rows in the cache.
    assert.ok(
      operations > 0 && (created?.at(-1) ?? 0) > (3 / 16) * operations,
      'a connection is taken for each',
    );
    assert.ok(recording.series('resource.DataStore.statement.open_count')?.values.includes(48));
    for (const name of ['arc.DataStore.connection.strong_count', 'mutex.DataStore.lifecycle.holders_count'])
      assert.equal(recording.series(name)?.values.at(-1), 0, `${name} when the service was stopped`);
    const inLoad = result.measurements.filter(({ phase }) => phase === 'load');
    assert.ok(inLoad.length > 5 && inLoad.every(({ arcRefCount = 0 }) => arcRefCount >= 8));
    assert.equal(inLoad.at(-1)?.customMetrics['resource.DataStore.statement.open_count'], 48);
  });

  test('records rings of Arcs, guards that are never released and references that are never dropped', async () => {
    const { recording: path } = await runOne('forgetting-references.mjs');
    assert.ok(path);
    const recording = await readRecording(path);
    const [event, ...others] = recording.events('references');
    assert.ok(event && others.length === 0);
    const { counts, leaked, held, cycles } = event.detail as {
      counts: ReferenceCount[];
      leaked: LeakedReferences[];
      held: HeldGuard[];
      cycles: ArcCycles;
    };
    const count = (name: string) => counts.find((each) => each.name === `forgetting.${name}`);
    const rings = count('a')?.values ?? 0;
    assert.ok(rings > 20);
    assert.deepEqual(cycles.cycles, [
      {
        description: 'forgetting.a.other -> forgetting.b.other -> forgetting.a',
        count: rings,
        withoutOwners: rings,
      },
    ]);
    assert.deepEqual([count('clean')?.strong, count('clean')?.leaked], [0, 0]);
    // Those of the last moments may not have been collected yet.
    for (const name of ['config', 'model']) {
      assert.ok((count(name)?.leaked ?? 0) > 3, name);
      const place = leaked.find((each) => each.name === `forgetting.${name}` && each.stack !== undefined);
      assert.match(place?.stack ?? '', /forgetting-references\.mjs/, name);
    }
    assert.ok(
      held.length > 3 && held.every(({ name, isLeaked }) => name === 'forgetting.config' && isLeaked),
    );
    const strong = recording.series('arc.forgetting.a.strong_count')?.values;
    assert.equal(strong?.at(-1), rings, 'and the sampler has seen them come');
  });

  test('runs one test with test data of its own', async () => {
    const runner = await MemoryTestRunner.create(QUICK);
    const result = await runner.runTestScenario(
      join(PROGRAMS, 'clean.mjs'),
      TestScenario.LargeDataProcessing,
      {
        payload_size_mb: 2,
        iterations: 5,
      },
    );
    assert.equal(result.performanceMetrics.operations, 5);
    assert.equal((result.performanceMetrics.throughput ?? 0) > 0, true);
    await assert.rejects(runner.runTestScenario('ScriptEngin', TestScenario.IdleBaseline), /ScriptEngine/);
    await assert.rejects(
      runner.runTestScenario(join(PROGRAMS, 'clean.mjs'), TestScenario.IdleBaseline, { iteration: 5 }),
      /iterations/,
    );
  });
});
