import { RSS_CHANNEL } from '../recording/channels.js';
import type { Recording } from '../recording/recording.js';
import { renderChart } from './chart.js';

/** The channel of live memory after forced collections. */
const FLOOR_CHANNEL = 'floor_live_bytes';

/** A recording's resident memory and live floor over time, as an SVG document. */
export function memoryChart(recording: Recording, options: { title: string; subtitle?: string }): string {
  const rss = recording.series(RSS_CHANNEL) ?? { timesMs: new Float64Array(), values: new Float64Array() };
  const floor = recording.series(FLOOR_CHANNEL);
  const phases = recording.phases().map(({ phase, startMs, endMs }) => ({ name: phase, startMs, endMs }));
  return renderChart({
    ...options,
    durationMs: Math.max(0, rss.timesMs.at(-1) ?? 0, ...phases.map(({ endMs }) => endMs)),
    rss: { timesMs: rss.timesMs, bytes: rss.values },
    floor: Array.from(floor?.values ?? [], (bytes, index) => ({ timeMs: floor?.timesMs[index] ?? 0, bytes })),
    phases,
  });
}
