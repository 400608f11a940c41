import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesAxis, timeAxis } from '../../../src/report/axis.js';
import { envelope } from '../../../src/report/envelope.js';
import { type Chart, memoryChart, renderChart } from '../../../src/report/index.js';
import { MIB } from '../../../src/units.js';
import { recordingOf } from '../../fixtures/test-recordings.js';

/** Names of the elements of an XML document; throws when it is not well-formed. */
function elementsOf(xml: string): string[] {
  const open: string[] = [];
  const names: string[] = [];
  const token = /<(\/?)([a-z]+)((?:\s+[a-zA-Z0-9:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
  let end = 0;
  for (let match = token.exec(xml); match; match = token.exec(xml)) {
    end = token.lastIndex;
    const [, closing, name, attributes, selfClosing, text] = match;
    assert.doesNotMatch(
      `${text ?? ''}${attributes ?? ''}`,
      /&(?!(amp|lt|gt|quot);)/,
      'an unescaped ampersand',
    );
    if (name === undefined) continue;
    if (closing) assert.equal(open.pop(), name);
    else names.push(name);
    if (!closing && !selfClosing) open.push(name);
  }
  assert.equal(end, xml.length, `not XML from here: ${xml.slice(end, end + 80)}`);
  assert.deepEqual(open, []);
  return names;
}

function aChart(samples: number, overrides: Partial<Chart> = {}): Chart {
  const timesMs = Float64Array.from({ length: samples }, (_, index) => (index / samples) * 10_000);
  const bytes = timesMs.map((timeMs) => 60 * MIB + timeMs * 100);
  return {
    title: 'ScriptEngine / SingleOperation',
    durationMs: 10_000,
    rss: { timesMs, bytes },
    floor: [1, 2, 3].map((second) => ({ timeMs: second * 1000, bytes: (6 + second / 10) * MIB })),
    phases: [
      { name: 'setup', startMs: 0, endMs: 200 },
      { name: 'warm-up', startMs: 200, endMs: 2000 },
      { name: 'load', startMs: 2000, endMs: 9000 },
    ],
    ...overrides,
  };
}

test('a chart is well-formed, with axes, floor points and phases', () => {
  const svg = renderChart(aChart(10_000));
  const names = elementsOf(svg);
  assert.equal(names[0], 'svg');
  assert.equal(names.filter((name) => name === 'circle').length, 3);
  assert.match(svg, />60\.0 MiB</);
  assert.match(svg, />6\.0 MiB</);
  assert.match(svg, />10 s</);
  assert.match(svg, />load</);
  assert.match(svg, /prefers-color-scheme: dark/);
});

test('names from outside cannot break out of the document', () => {
  const svg = renderChart(aChart(10, { title: '<script>"a" & b\u0000</script>', subtitle: ']]> & <b>' }));
  assert.doesNotMatch(svg, /<script|<b>/);
  elementsOf(svg);
});

test('the size depends on the width and not on the number of samples', () => {
  const small = renderChart(aChart(10_000)).length;
  const large = renderChart(aChart(1_000_000)).length;
  assert.ok(large < 1.05 * small, `${small} and ${large} characters`);
  assert.ok(large < 64 * 1024, `${large} characters`);
  const floor = Array.from({ length: 100_000 }, (_, index) => ({ timeMs: index / 10, bytes: MIB + index }));
  assert.ok(renderChart(aChart(10_000, { floor })).length < 96 * 1024);
});

test('a chart of almost nothing is still a chart', () => {
  const nothing = { timesMs: [], bytes: [] };
  elementsOf(renderChart(aChart(0, { rss: nothing, floor: [], phases: [], durationMs: 0 })));
  elementsOf(renderChart(aChart(1)));
  const gaps = { timesMs: [0, 1, 2], bytes: [Number.NaN, 5, Number.NaN] };
  assert.doesNotMatch(renderChart(aChart(0, { rss: gaps })), /NaN|Infinity/);
});

test('an envelope keeps the peak of one sample in a million', () => {
  const bytes = new Float64Array(1_000_000).fill(10);
  bytes[123_456] = 99;
  bytes[654_321] = 1;
  const times = bytes.map((_, index) => index);
  const stretches = envelope(times, bytes, { fromMs: 0, toMs: 1_000_000, stretches: 100 });
  assert.equal(stretches.length, 100);
  assert.deepEqual(stretches[12], { index: 12, low: 10, high: 99 });
  assert.deepEqual(stretches[65], { index: 65, low: 1, high: 10 });
});

test('an envelope agrees with the slow and obvious way', () => {
  const times = Array.from({ length: 997 }, (_, index) => index * 1.7);
  const values = times.map((time) => Math.sin(time) * 100);
  const range = { fromMs: 100, toMs: 1500, stretches: 37 };
  for (const { index, low, high } of envelope(times, values, range)) {
    const inside = values.filter((_, i) => {
      const time = times[i] ?? 0;
      return time >= 100 && time <= 1500 && Math.min(36, Math.floor(((time - 100) / 1400) * 37)) === index;
    });
    assert.equal(low, Math.min(...inside));
    assert.equal(high, Math.max(...inside));
  }
});

test('an axis covers its values with round steps', () => {
  for (const [low, high] of [
    [0, 1],
    [58 * MIB, 61 * MIB],
    [5 * MIB, 900 * MIB],
    [7, 7],
    [0, 0],
  ] as const) {
    const axis = bytesAxis(low, high);
    assert.ok(axis.low <= low && axis.high >= high && axis.high > axis.low, `${low} to ${high}`);
    assert.ok(
      axis.ticks.length >= 2 && axis.ticks.length <= 12,
      `${low} to ${high}: ${axis.ticks.length} ticks`,
    );
  }
  assert.deepEqual(
    timeAxis(8000).ticks.map(({ label }) => label),
    ['0 s', '1 s', '2 s', '3 s', '4 s', '5 s', '6 s', '7 s', '8 s'],
  );
  assert.deepEqual(timeAxis(86_400_000).ticks.at(-1)?.label, '24 h');
});

test("a recording's chart shows its resident memory, its floor points and its phases", () => {
  const recording = recordingOf({
    loadSeconds: 10,
    floorIntervalSeconds: 1,
    floorBytes: (seconds) => 20 * MIB + seconds * MIB,
  });
  const svg = memoryChart(recording, { title: 'leaky / LongRunningStability' });
  const names = elementsOf(svg);
  const floorPoints = recording.series('floor_live_bytes')?.values.length;
  assert.equal(names.filter((name) => name === 'circle').length, floorPoints);
  assert.equal(names.filter((name) => name === 'polygon').length, 1);
  assert.match(svg, />load</);
  assert.match(svg, />settle</);
});
