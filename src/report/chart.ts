import { type Axis, bytesAxis, timeAxis } from './axis.js';
import { envelope } from './envelope.js';

/**
 * One test's memory over time as an SVG: resident memory above, the live floor
 * below, each with an axis of its own, because a leak that matters is often
 * small beside the whole process. Both share the time axis and the phases.
 *
 * The file needs nothing from outside and follows the reader's light or dark
 * setting. Its size depends on its width, not on the number of samples.
 */

export interface Chart {
  title: string;
  /** What was concluded, in a line. */
  subtitle?: string;
  /** Milliseconds since the recording began. */
  durationMs: number;
  rss: { timesMs: ArrayLike<number>; bytes: ArrayLike<number> };
  /** Live memory right after forced collections. */
  floor: readonly { timeMs: number; bytes: number }[];
  phases: readonly { name: string; startMs: number; endMs: number }[];
}

const WIDTH = 960;
const LEFT = 84;
const RIGHT = 20;
const PLOT_WIDTH = WIDTH - LEFT - RIGHT;
const RSS_PANEL = { top: 84, height: 220 };
const FLOOR_PANEL = { top: 348, height: 130 };
const HEIGHT = FLOOR_PANEL.top + FLOOR_PANEL.height + 44;
/** Width of a character of the small labels; what does not fit is left to the tooltip. */
const LABEL_CHARACTER = 6.2;

interface Panel {
  top: number;
  height: number;
}

/** A complete SVG document. */
export function renderChart(chart: Chart): string {
  const time = timeAxis(Math.max(chart.durationMs, 1));
  const panels = chart.floor.length === 0 ? [RSS_PANEL] : [RSS_PANEL, FLOOR_PANEL];
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-labelledby="title description">`,
    `<title id="title">${escapeXml(chart.title)}</title>`,
    `<desc id="description">${escapeXml(chart.subtitle ?? 'Memory over time')}</desc>`,
    STYLE,
    `<rect class="page" width="${WIDTH}" height="${HEIGHT}"/>`,
    text(LEFT, 28, 'title', chart.title),
    text(LEFT, 48, 'subtitle', chart.subtitle ?? ''),
    ...panels.map((panel) => phaseBands(chart.phases, time, panel, panel === RSS_PANEL)),
    rssPanel(chart, time),
    chart.floor.length === 0 ? '' : floorPanel(chart, time),
    timeLabels(time, panels.at(-1) ?? RSS_PANEL),
    '</svg>',
  ]
    .filter((part) => part !== '')
    .join('\n')}\n`;
}

/** No CSS variables: viewers other than browsers do not know them, nor the media query. */
const STYLE = `<style>
  svg { font-family: system-ui, sans-serif; }
  text { fill: #59636e; font-size: 11px; }
  .page { fill: #ffffff; }
  .title { fill: #1f2328; font-size: 16px; font-weight: 600; }
  .subtitle { font-size: 12px; }
  .panel { fill: #1f2328; font-weight: 600; }
  .end { text-anchor: end; }
  .middle { text-anchor: middle; }
  .grid { stroke: #d1d9e0; stroke-width: 1; }
  .band { fill: #818b98; fill-opacity: 0.06; }
  .odd { fill-opacity: 0.16; }
  .load { fill: #0969da; fill-opacity: 0.09; }
  .envelope { fill: #0969da; stroke: #0969da; stroke-width: 1.2; stroke-linejoin: round; }
  .floor { fill: none; stroke: #bc4c00; stroke-width: 1.5; }
  .point { fill: #bc4c00; }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1; }
    .page { fill: #0d1117; }
    .title, .panel { fill: #f0f6fc; }
    .grid { stroke: #3d444d; }
    .load { fill: #4493f8; }
    .envelope { fill: #4493f8; stroke: #4493f8; }
    .floor { stroke: #f0883e; }
    .point { fill: #f0883e; }
  }
</style>`;

function rssPanel({ rss, durationMs }: Chart, time: Axis): string {
  const stretches = envelope(rss.timesMs, rss.bytes, { fromMs: 0, toMs: durationMs, stretches: PLOT_WIDTH });
  const title = text(LEFT, RSS_PANEL.top - 22, 'panel', 'Resident memory (RSS)');
  if (stretches.length === 0) return title;
  const axis = bytesAxis(
    Math.min(...stretches.map(({ low }) => low)),
    Math.max(...stretches.map(({ high }) => high)),
  );
  const x = (index: number) => xOf(time, ((index + 0.5) / PLOT_WIDTH) * durationMs);
  const along = stretches.map(({ index, high }) => `${x(index)},${yOf(axis, RSS_PANEL, high)}`);
  const back = stretches.toReversed().map(({ index, low }) => `${x(index)},${yOf(axis, RSS_PANEL, low)}`);
  return [
    title,
    grid(axis, RSS_PANEL),
    `<polygon class="envelope" points="${[...along, ...back].join(' ')}"/>`,
  ].join('\n');
}

/** At most this many points are drawn as dots; more would run together. */
const MOST_DOTS = 300;

function floorPanel({ floor, durationMs }: Chart, time: Axis): string {
  const stretches = envelope(
    floor.map(({ timeMs }) => timeMs),
    floor.map(({ bytes }) => bytes),
    { fromMs: 0, toMs: durationMs, stretches: PLOT_WIDTH },
  );
  const axis = bytesAxis(
    Math.min(...stretches.map(({ low }) => low)),
    Math.max(...stretches.map(({ high }) => high)),
    3,
  );
  // Few points stand where they were measured; many are drawn as their lowest and highest a pixel.
  const points =
    floor.length <= MOST_DOTS
      ? floor.map(({ timeMs, bytes }) => [xOf(time, timeMs), yOf(axis, FLOOR_PANEL, bytes)] as const)
      : stretches.flatMap(({ index, low, high }) => {
          const x = xOf(time, ((index + 0.5) / PLOT_WIDTH) * durationMs);
          return [[x, yOf(axis, FLOOR_PANEL, low)] as const, [x, yOf(axis, FLOOR_PANEL, high)] as const];
        });
  const dots =
    floor.length <= MOST_DOTS
      ? points.map(([x, y]) => `<circle class="point" cx="${x}" cy="${y}" r="2.2"/>`)
      : [];
  return [
    text(LEFT, FLOOR_PANEL.top - 10, 'panel', 'Live memory after full collections (floor)'),
    grid(axis, FLOOR_PANEL),
    `<polyline class="floor" points="${points.map((point) => point.join(',')).join(' ')}"/>`,
    ...dots,
  ].join('\n');
}

function grid(axis: Axis, panel: Panel): string {
  return axis.ticks
    .map(({ at, label }) => {
      const y = yOf(axis, panel, at);
      return `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>${text(LEFT - 8, y + 4, 'end', label)}`;
    })
    .join('\n');
}

function timeLabels(time: Axis, lowest: Panel): string {
  const y = lowest.top + lowest.height + 18;
  return [
    ...time.ticks.map(({ at, label }) => text(xOf(time, at), y, 'middle', label)),
    text(WIDTH - RIGHT, y + 18, 'end', 'time since the test began'),
  ].join('\n');
}

function phaseBands(phases: Chart['phases'], time: Axis, panel: Panel, labelled: boolean): string {
  return phases
    .map(({ name, startMs, endMs }, index) => {
      const x = xOf(time, startMs);
      const width = round(xOf(time, endMs) - x);
      const kind = name === 'load' ? ' load' : index % 2 === 1 ? ' odd' : '';
      const band = `<rect class="band${kind}" x="${x}" y="${panel.top}" width="${Math.max(0, width)}" height="${panel.height}"><title>${escapeXml(name)}</title></rect>`;
      const fits = labelled && name.length * LABEL_CHARACTER <= width;
      return fits ? band + text(round(x + width / 2), panel.top - 6, 'middle', name) : band;
    })
    .join('\n');
}

function text(x: number, y: number, kind: string, content: string): string {
  return content === '' ? '' : `<text class="${kind}" x="${x}" y="${y}">${escapeXml(content)}</text>`;
}

function xOf(time: Axis, ms: number): number {
  return round(LEFT + (Math.min(Math.max(ms, 0), time.high) / time.high) * PLOT_WIDTH);
}

function yOf(axis: Axis, panel: Panel, value: number): number {
  return round(panel.top + panel.height * (1 - (value - axis.low) / (axis.high - axis.low)));
}

/** A tenth of a pixel is finer than any screen shows. */
function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}

/** Also drops the control characters that XML cannot hold at all. */
function escapeXml(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are forbidden in XML
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
      .replace(/&/g, '&amp;')
      .replace(/</g, '&lt;')
      .replace(/>/g, '&gt;')
      .replace(/"/g, '&quot;')
  );
}
