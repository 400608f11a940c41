import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { renderText } from '../../../src/report/index.js';
import { aFailure, aLeak, anInconclusive, aReport, aResult } from '../../fixtures/results.js';

const overLimit = aResult({
  scenario: 'IdleBaseline',
  status: 'violated',
  performanceMetrics: { operationsPerSecond: null, p95ResponseTimeMs: null },
  thresholdViolations: [
    {
      violationType: 'BaselineExceeded',
      threshold: 1,
      actual: 2,
      severity: 'Medium',
      description: 'Baseline memory 300 MiB is above the limit of 256 MiB',
    },
  ],
});

const advice = 'raise loadTesting.operationsPerSecond: the target was idle for most of the load';

const everything = aReport([
  aResult(),
  anInconclusive({ scenario: 'LargeDataProcessing', recommendations: [advice] }),
  overLimit,
  aLeak({ recommendations: [advice] }),
  aFailure(),
]);

test('a leak that was planted is said to have been', () => {
  const report = aReport([aLeak({ injectedFault: 'arc-cycle' }), aResult({ injectedFault: 'arc-cycle' })]);
  assert.match(renderText(report), /^LEAK .*\n {2}planted on purpose: arc-cycle\n\n/);
});

test('a run in which everything happened: the leak first, then a line a test, then the reasons', () => {
  assert.equal(
    `\n${renderText(everything)}\n`,
    `
LEAK  leaky leaves 10.0 KiB per operation behind (LongRunningStability, 99.9 % sure)

target        scenario              result          RSS peak  floor/op  ops/s      p95
ScriptEngine  SingleOperation       ✓ no leak       72.0 MiB       3 B    500  1.23 ms
              LargeDataProcessing   ~ inconclusive  72.0 MiB       3 B    500  1.23 ms
              IdleBaseline          ✗ over limit    72.0 MiB       3 B      –        –
leaky         LongRunningStability  ✗ leak          72.0 MiB  10.0 KiB    500  1.23 ms
DataStore     SingleOperation       ! failed               –         –      –        –

Leaks
  leaky / LongRunningStability  99.9 % sure
    the live floor changed by 39.1 MiB in 8s (4.9 MiB/s, 10.0 KiB per operation) and kept growing to
    the end
    pattern: linear
    - objects on the V8 heap: 100 % of the growth

Over limit
  Medium    ScriptEngine / IdleBaseline
            Baseline memory 300 MiB is above the limit of 256 MiB

Could not be carried out
  DataStore / SingleOperation
    SERVICE_UNAVAILABLE during load: the database does not answer: connect ECONNREFUSED
    127.0.0.1:5432
    | first line
    | last line

Not judged
  - load of up to 12s would settle ScriptEngine: LargeDataProcessing

Recommendations
  - raise loadTesting.operationsPerSecond: the target was idle for most of the load (ScriptEngine:
    LargeDataProcessing; leaky: LongRunningStability)
`,
  );
});

test('on a narrow terminal figures give way before names and verdicts do', () => {
  assert.equal(
    `\n${renderText(aReport([aResult(), anInconclusive({ scenario: 'LargeDataProcessing' })]), { width: 60 })}\n`,
    `
NOTHING FOUND  2 tests: 1 without a leak, 1 too short or too
  noisy to judge

target        scenario             result          floor/op
ScriptEngine  SingleOperation      ✓ no leak            3 B
              LargeDataProcessing  ~ inconclusive       3 B

Not judged
  - load of up to 12s would settle ScriptEngine:
    LargeDataProcessing
`,
  );
});

test('no line is wider than the terminal, down to 60 characters', () => {
  for (let width = 60; width <= 140; width++) {
    for (const line of renderText(everything, { width }).split('\n')) {
      assert.ok([...line].length <= width, `${width}: ${line}`);
    }
  }
});

const verdictOf = (...given: Parameters<typeof aReport>) =>
  renderText(aReport(...given), { width: 200 }).split('\n')[0];

test('the first line says the worst that happened', () => {
  assert.equal(verdictOf([aResult(), aResult()]), 'CLEAN  2 tests: 2 without a leak');
  assert.equal(
    verdictOf([aResult(), overLimit]),
    'OVER LIMIT  1 of 2 tests broke a threshold; 2 without a leak',
  );
  assert.equal(
    verdictOf([aResult(), aFailure()]),
    'FAILED  1 of 2 tests could not be carried out; of the others 1 without a leak',
  );
  assert.equal(verdictOf([aFailure()]), 'FAILED  1 of 1 test could not be carried out');
  assert.equal(verdictOf([overLimit, aFailure(), aLeak(), aLeak()])?.slice(0, 4), 'LEAK');
});

test('a lack of data is never called clean', () => {
  assert.equal(verdictOf([anInconclusive()]), 'INCONCLUSIVE  1 test: 1 too short or too noisy to judge');
  assert.equal(
    verdictOf([aResult(), anInconclusive()]),
    'NOTHING FOUND  2 tests: 1 without a leak, 1 too short or too noisy to judge',
  );
  assert.match(verdictOf([]) ?? '', /none judged/);
});

test('an interrupted run says what is missing, and still names a leak first', () => {
  assert.equal(
    verdictOf([aResult()], {}, 7),
    'INTERRUPTED  1 test finished, 7 not carried out; 1 without a leak',
  );
  assert.match(verdictOf([aLeak()], {}, 7) ?? '', /^LEAK .*; interrupted with 7 tests not carried out$/);
});

test('of several leaks the fastest is named', () => {
  const slow = aLeak({ serviceType: 'slow', leakDetection: { leakRate: 10 } });
  assert.match(verdictOf([slow, aLeak()]) ?? '', /^LEAK {2}leaky leaves .*, and 1 more test leaks$/);
});

test('colours change nothing but colours', () => {
  const coloured = renderText(everything, { colour: true });
  assert.notEqual(coloured, renderText(everything));
  assert.equal(stripVTControlCharacters(coloured), renderText(everything));
});

test("a target's own escape codes do not reach the terminal", () => {
  const failure = {
    ...aFailure().failure,
    code: 'TEST_CRASHED',
    reason: 'x',
    phase: null,
    exitCode: 1,
    signal: null,
  };
  const report = aReport([aFailure({ failure: { ...failure, stderr: '\u001b[2J\u001b[31mred' } })]);
  assert.match(renderText(report), / {4}\| red$/m);
});
