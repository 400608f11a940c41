import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunArguments } from '../../../src/cli/arguments.js';
import { nextStep } from '../../../src/cli/next-step.js';
import { SERVICE_TYPES, TEST_SCENARIOS } from '../../../src/vocabulary.js';
import { aFailure, aLeak, anInconclusive, aReport, aResult } from '../../fixtures/results.js';

const asked = (targets: string[] = [], given: Partial<RunArguments> = {}) => ({
  targets,
  given: { format: 'text' as const, ...given },
});
const commandAfter = (report: Parameters<typeof nextStep>[0], request = asked()) =>
  nextStep(report, request)?.command;

test('after a leak: the leaking test for longer, on the path that was typed and with the same load', () => {
  const report = aReport([aResult(), aLeak({ testId: 'leaky/LongRunningStability' })]);
  assert.equal(
    commandAfter(report, asked(['./my targets/leaky.mjs'], { rate: '200', set: ['sampling.rateHz=100'] })),
    "crucible-memory run './my targets/leaky.mjs' --scenario LongRunningStability --rate 200 --set sampling.rateHz=100 --duration 1m",
  );
});

test('a leak that was planted is planted again', () => {
  const report = aReport([aLeak({ testId: 'DataStore/LongRunningStability', serviceType: 'DataStore' })]);
  assert.equal(
    commandAfter(report, asked([], { inject: 'result-sets-kept' })),
    'crucible-memory run --service DataStore --scenario LongRunningStability --inject result-sets-kept --duration 1m',
  );
});

test('after a failure: what failed, as it was', () => {
  assert.equal(
    commandAfter(aReport([aResult(), aFailure()]), asked([], { profile: 'ci' })),
    'crucible-memory run --service DataStore --scenario SingleOperation --profile ci',
  );
});

test('after an inconclusive run: long enough to judge', () => {
  const report = aReport([aResult(), anInconclusive({ leakDetection: { neededSeconds: 133 } })]);
  assert.equal(
    commandAfter(report, asked([], { duration: '5s' })),
    'crucible-memory run --service ScriptEngine --scenario SingleOperation --duration 3m',
  );
});

test('after a clean smoke run of everything: the longer profile', () => {
  const results = SERVICE_TYPES.flatMap((serviceType) =>
    TEST_SCENARIOS.map((scenario) => aResult({ serviceType, scenario })),
  );
  assert.equal(commandAfter(aReport(results)), 'crucible-memory run --profile ci');
  assert.equal(commandAfter(aReport(results, { profile: 'ci' })), undefined, 'nothing is left to ask');
});

test('after an interruption without a finding nothing is proposed', () => {
  assert.equal(commandAfter(aReport([aResult()], {}, 3)), undefined);
});
