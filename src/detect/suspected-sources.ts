import type { SeriesGrowth } from '../diagnosis/index.js';
import { CUSTOM_CHANNEL_PREFIX } from '../recording/channels.js';
import type { Recording } from '../recording/recording.js';
import { formatPercent } from '../units.js';
import { type FloorSeries, floorSeries, withoutSpikes } from './floor.js';

const WORDS: Readonly<Record<string, string>> = {
  cache_bytes: "the target's caches",
  cache_entries: 'cache entries',
  connection_bytes: 'connection buffers',
  arc_ref_count: 'Arc references',
  open_connections: 'open connections',
  queue_length: 'a queue',
};

/** The kinds of which live memory is the sum. */
const KINDS = {
  floor_external_bytes: 'memory outside the V8 heap (buffers)',
  floor_heap_used_bytes: 'objects on the V8 heap',
} as const;

/** A smaller share of the growth is none of its sources. */
const LEAST_SHARE = 0.1;
const LISTED_AT_MOST = 8;

/**
 * What may hold the growth of live memory, in words: the kinds of memory, which
 * sum up to it, and of the other series those that grow along and are large enough.
 */
export function suspectedSources(
  recording: Recording,
  floor: FloorSeries,
  growing: readonly SeriesGrowth[],
): string[] {
  const grownBytes = riseOf(floor);
  const shareOf = (words: string, bytes: number) =>
    bytes >= LEAST_SHARE * grownBytes
      ? [`${words}: ${formatPercent(Math.min(1, bytes / grownBytes))} of the growth`]
      : [];
  const kinds = (Object.keys(KINDS) as (keyof typeof KINDS)[]).flatMap((channel) => {
    const kind = floorSeries(recording, channel);
    return kind === undefined ? [] : shareOf(KINDS[channel], riseOf(withoutSpikes(kind)));
  });
  const books = growing
    .filter(({ channel, unit }) => unit === 'bytes' && !(channel in KINDS))
    .sort((a, b) => b.growth - a.growth)
    .flatMap(({ channel, growth }) => shareOf(wordsOf(channel), growth));
  const counted = growing
    .filter(({ unit, growth }) => unit !== 'bytes' && growth >= 1)
    .map(({ channel, growth, perOperation }) => {
      const each =
        perOperation === null ? '' : `, ${Number(perOperation.toPrecision(3))} with every operation`;
      return `${wordsOf(channel)}: ${Math.round(growth)} more at the end than at the beginning${each}`;
    });
  return [...kinds, ...books, ...counted].slice(0, LISTED_AT_MOST);
}

function riseOf({ liveBytes }: FloorSeries): number {
  return (liveBytes.at(-1) ?? 0) - (liveBytes[0] ?? 0);
}

function wordsOf(channel: string): string {
  if (channel.startsWith(CUSTOM_CHANNEL_PREFIX)) return channel.slice(CUSTOM_CHANNEL_PREFIX.length);
  return WORDS[channel] ?? channel;
}
