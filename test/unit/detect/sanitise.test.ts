import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ANALYSIS_DEFAULTS } from '../../../src/detect/analysis-defaults.js';
import { judgeProcess } from '../../../src/detect/process-judge.js';
import { sanitise } from '../../../src/detect/sanitise.js';
import type { ProcessSeries } from '../../../src/recording/process-series.js';
import { MIB } from '../../../src/units.js';
import { processOf } from '../../fixtures/process-series.js';

const leaking = () => processOf({ live: (x) => 40 * MIB + 40 * MIB * x });

/** The series with other times, on the samples and on the floor alike. */
function withClock(series: ProcessSeries, clock: (ms: number, share: number) => number): ProcessSeries {
  const [first, last] = [series.timesMs[0] as number, series.timesMs.at(-1) as number];
  const set = (times: Float64Array) => times.map((ms) => clock(ms, (ms - first) / (last - first)));
  const { timesMs = new Float64Array(), liveBytes = new Float64Array() } = series.liveAfterGc ?? {};
  return { ...series, timesMs: set(series.timesMs), liveAfterGc: { timesMs: set(timesMs), liveBytes } };
}

function rows(series: ProcessSeries, order: number[]): ProcessSeries {
  const pick = (values: Float64Array) => Float64Array.from(order, (i) => values[i] as number);
  return {
    ...series,
    timesMs: pick(series.timesMs),
    ...(series.operations && { operations: pick(series.operations) }),
    signals: Object.fromEntries(Object.entries(series.signals).map(([name, values]) => [name, pick(values)])),
  };
}

const everyRow = (series: ProcessSeries) => Array.from(series.timesMs, (_, i) => i);
const HOUR_MS = 3_600_000;

describe('sanitising', () => {
  test('a healthy series stays as it is, but begins at 0', () => {
    const given = leaking();
    const clean = sanitise(given);
    assert.deepEqual(clean.notes, []);
    assert.equal(clean.timesMs[0], 0);
    assert.equal(clean.timesMs.at(-1), 899_000);
    assert.deepEqual(clean.signals.rss, given.signals.rss);
    assert.equal(clean.liveAfterGc.timesMs.length, 90);
  });

  for (const [what, byMs] of [
    ['forward', HOUR_MS],
    ['back', -HOUR_MS],
  ] as const) {
    test(`a clock that was set ${what} changes neither the length nor the rate`, () => {
      const clean = sanitise(withClock(leaking(), (ms, share) => ms + (share > 0.5 ? byMs : 0)));
      assert.equal(clean.timesMs.at(-1), 899_000);
      assert.match(clean.notes.join(), /clock was set 1 times/);
      assert.ok(Math.abs((clean.liveAfterGc.timesMs.at(-1) as number) - 890_000) < 1000);
      const result = judgeProcess(
        withClock(leaking(), (ms, share) => ms + (share > 0.5 ? byMs : 0)),
        ANALYSIS_DEFAULTS,
      );
      assert.ok(Math.abs((result.leakRate ?? 0) - (40 * MIB) / 900) < 0.1 * ((40 * MIB) / 900));
    });
  }

  test('a gap in which operations went on is time that has passed', () => {
    const given = leaking();
    const clean = sanitise(
      rows(
        given,
        everyRow(given).filter((i) => i < 300 || i >= 500),
      ),
    );
    assert.equal(clean.timesMs.at(-1), 899_000);
    assert.deepEqual(clean.notes, []);
  });

  test('rows out of order are sorted, and rows that are there twice count once', () => {
    const given = leaking();
    const shuffled = everyRow(given).sort((a, b) => ((a * 7919) % 900) - ((b * 7919) % 900));
    const clean = sanitise(rows(given, [...shuffled, ...shuffled.slice(0, 40)]));
    assert.deepEqual(clean.timesMs, sanitise(given).timesMs);
    assert.deepEqual(clean.signals.rss, given.signals.rss);
    assert.equal(clean.notes.length, 2);
  });

  test('a count of operations that begins anew is a restart, and the growth of each life counts', () => {
    const given = processOf({ live: (x) => 40 * MIB + 60 * MIB * (x % 0.5) });
    const half = given.operations?.[449] as number;
    const restarted = {
      ...given,
      operations: (given.operations as Float64Array).map((count, i) => (i < 450 ? count : count - half)),
    };
    const clean = sanitise(restarted);
    assert.deepEqual(clean.begins, [0, 450]);
    const result = judgeProcess(restarted, ANALYSIS_DEFAULTS);
    assert.equal(result.verdict, 'leak', result.explanation);
    assert.ok(
      Math.abs((result.leakRate ?? 0) - (60 * MIB) / 900) < 0.15 * ((60 * MIB) / 900),
      String(result.leakRate),
    );
  });

  test('without operations, resident memory that collapses is a restart', () => {
    const rss = Float64Array.from({ length: 400 }, (_, i) => 100 * MIB + (i % 200) * MIB);
    const clean = sanitise({ id: 'a', timesMs: rss.map((_, i) => i * 1000), signals: { rss } });
    assert.deepEqual(clean.begins, [0, 200]);
  });

  test('a floor that was timed by another clock keeps its own', () => {
    const given = leaking();
    const floor = given.liveAfterGc as NonNullable<ProcessSeries['liveAfterGc']>;
    const clean = sanitise({
      ...given,
      liveAfterGc: { ...floor, timesMs: floor.timesMs.map((ms) => ms - 1.7e12) },
    });
    assert.equal(clean.liveAfterGc.timesMs.length, 90);
    assert.equal(clean.liveAfterGc.timesMs.at(-1), 890_000);
  });

  test('values that can be no memory become missing', () => {
    const values = Float64Array.from([-5, 1e18, Number.POSITIVE_INFINITY, 1e8]);
    const clean = sanitise({ id: 'a', timesMs: Float64Array.from([0, 1, 2, 3]), signals: { rss: values } });
    assert.deepEqual(Array.from(clean.signals.rss ?? []), [Number.NaN, Number.NaN, Number.NaN, 1e8]);
  });

  test('a channel that holds nothing is as good as absent', () => {
    const clean = sanitise({
      id: 'a',
      timesMs: Float64Array.from([0, 1]),
      signals: { rss: Float64Array.from([1, 2]), mallocInUse: Float64Array.from([Number.NaN, Number.NaN]) },
    });
    assert.deepEqual(Object.keys(clean.signals), ['rss']);
  });
});
