import assert from 'node:assert/strict';
import { test } from 'node:test';
import { screenOf } from '../../../src/cli/terminal.js';

const terminal = { isTTY: true, columns: 90, rows: 30 };
const pipe = { isTTY: undefined, columns: undefined };

test('a terminal has colours, a pipe has none', () => {
  assert.deepEqual(screenOf(terminal, undefined, {}), {
    isTerminal: true,
    redraws: true,
    colour: true,
    width: 90,
  });
  assert.deepEqual(screenOf(pipe, undefined, {}), {
    isTerminal: false,
    redraws: false,
    colour: false,
    width: 100,
  });
  assert.equal(screenOf(terminal, undefined, { TERM: 'dumb' }).colour, false);
});

test('--color and --no-color win over NO_COLOR, which wins over FORCE_COLOR', () => {
  assert.equal(screenOf(terminal, undefined, { NO_COLOR: '1', FORCE_COLOR: '1' }).colour, false);
  assert.equal(screenOf(pipe, undefined, { FORCE_COLOR: '1' }).colour, true);
  assert.equal(screenOf(terminal, undefined, { FORCE_COLOR: '0' }).colour, false);
  assert.equal(screenOf(pipe, true, { NO_COLOR: '1' }).colour, true);
  assert.equal(screenOf(terminal, false, { FORCE_COLOR: '1' }).colour, false);
  assert.equal(
    screenOf(terminal, undefined, { NO_COLOR: '' }).colour,
    true,
    'an empty NO_COLOR counts as unset',
  );
});

test('lines are no wider than the terminal, and never so wide that they are hard to read', () => {
  assert.equal(screenOf({ ...terminal, columns: 300 }, undefined, {}).width, 120);
  assert.equal(
    screenOf({ ...terminal, columns: 0 }, undefined, {}).width,
    80,
    'a terminal that does not say',
  );
});

test('nothing is drawn over on a terminal that cannot move its cursor, or that has no size', () => {
  assert.equal(screenOf(terminal, undefined, { TERM: 'dumb' }).redraws, false);
  assert.equal(screenOf({ ...terminal, rows: 0 }, undefined, {}).redraws, false);
});
