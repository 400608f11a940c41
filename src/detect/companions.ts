import type { Recording } from '../recording/recording.js';
import { formatPercent } from '../units.js';
import { type FloorSeries, loadSeries } from './floor.js';
import { fitTrend } from './trend.js';

const COMPANIONS = [
  ['cache_bytes', "the target's caches"],
  ['connection_bytes', 'connection buffers'],
  ['arc_ref_count', 'Arc references'],
  ['open_connections', 'open connections'],
  ['queue_length', 'a queue'],
  ['floor_external_bytes', 'memory outside the V8 heap (buffers)'],
  ['floor_heap_used_bytes', 'objects on the V8 heap'],
] as const;

/** Less straight than this, and it did not grow along. */
const STRAIGHT = 0.8;
/** A smaller share of the growth is none of its sources. */
const LEAST_SHARE = 0.1;

/** What grew steadily along with the floor, by the target's own books and by the kind of memory. */
export function companions(recording: Recording, floor: FloorSeries): string[] {
  const growthBytes = (floor.liveBytes.at(-1) ?? 0) - (floor.liveBytes[0] ?? 0);
  const sources: string[] = [];
  for (const [channel, words] of COMPANIONS) {
    const series = loadSeries(recording, channel);
    if (series === undefined || series.values.length < 3) continue;
    const trend = fitTrend(series.timesMs, series.values);
    const rise = (series.values.at(-1) ?? 0) - (series.values[0] ?? 0);
    if (trend === undefined || rise <= 0 || trend.rSquared < STRAIGHT) continue;
    if (!channel.endsWith('_bytes')) sources.push(`${words}: ${rise} more at the end than at the beginning`);
    else if (rise >= LEAST_SHARE * growthBytes)
      sources.push(`${words}: ${formatPercent(Math.min(1, rise / growthBytes))} of the growth`);
  }
  return sources;
}
