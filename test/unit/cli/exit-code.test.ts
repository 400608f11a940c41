import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitCodeOf, exitCodeOfError } from '../../../src/cli/exit-code.js';
import { CrucibleMemoryError } from '../../../src/errors.js';
import { aFailure, aLeak, anInconclusive, aReport, aResult } from '../../fixtures/results.js';

test('0 when nothing was found, also where it could not be judged', () => {
  assert.equal(exitCodeOf(aReport([aResult(), anInconclusive()])), 0);
});

test('1 for a leak or a violation', () => {
  assert.equal(exitCodeOf(aReport([aResult(), aLeak()])), 1);
  assert.equal(exitCodeOf(aReport([aResult({ status: 'violated' })])), 1);
});

test('3 when a test could not be carried out; but a leak is not hidden by that', () => {
  assert.equal(exitCodeOf(aReport([aResult(), aFailure()])), 3);
  assert.equal(exitCodeOf(aReport([aLeak(), aFailure()])), 1);
});

test('130 when interrupted, whatever was found until then', () => {
  assert.equal(exitCodeOf(aReport([aLeak()], {}, 3)), 130);
});

test('2 for what the user typed, 3 for what the machine lacks', () => {
  const parts = { what: 'x', why: 'y', fix: 'z' };
  for (const code of [
    'CONFIG_INVALID',
    'CONFIG_UNREADABLE',
    'UNKNOWN_NAME',
    'UNKNOWN_NODE',
    'OUTPUT_UNWRITABLE',
    'SNAPSHOT_TRUNCATED',
    'SNAPSHOT_UNREADABLE',
  ] as const) {
    assert.equal(exitCodeOfError(new CrucibleMemoryError(code, parts)), 2, code);
  }
  assert.equal(exitCodeOfError(new CrucibleMemoryError('ADDON_MISSING', parts)), 3);
  assert.equal(exitCodeOfError(new Error('unexpected')), 3);
  assert.equal(exitCodeOfError(new CrucibleMemoryError('INTERRUPTED', parts)), 130);
});
