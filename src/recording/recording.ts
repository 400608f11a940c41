import type { ChannelDefinition } from '../native.js';
import type { ChannelSummary } from './record-listener.js';

/** What the application and the machine said when the recording began. */
export interface RecordingHeader {
  /** Wall-clock time of elapsed 0, epoch milliseconds. */
  startedAtEpochMs: number;
  /** process.hrtime.bigint() of elapsed 0. */
  startNs: bigint;
  pid: number;
  /** "1.0" */
  formatVersion: string;
  /** As given to whoever began the recording. */
  details: Record<string, unknown>;
}

/** One channel over time. The arrays are shared: not to be written to. */
export interface Series {
  /** Elapsed since the start of the recording, ascending. */
  timesMs: Float64Array;
  values: Float64Array;
}

export interface RecordedEvent {
  name: string;
  elapsedMs: number;
  detail: unknown;
}

export interface RecordedPhase {
  phase: string;
  startMs: number;
  endMs: number;
  /** false: it never ended, and endMs is the end of the recording. */
  complete: boolean;
}

/** What is kept of consecutive samples of a group. */
export interface GroupSummary {
  firstMs: number;
  lastMs: number;
  /** One a channel. */
  channels: ChannelSummary[];
}

/** What is kept of consecutive values of one channel in a recording that was kept to a size. */
export interface SeriesSummary {
  /** Times of the first and the last sample, elapsed milliseconds. */
  firstMs: number;
  lastMs: number;
  /** How many values there were, above 0; of one, it is all four of the others. */
  count: number;
  min: number;
  max: number;
  mean: number;
  last: number;
}

/** Channels that were sampled together: value i of each was taken at timesMs[i]. */
export interface RecordedGroup {
  name: string;
  channels: ChannelDefinition[];
  /** Elapsed since the start of the recording, ascending. */
  timesMs: Float64Array;
  /** One array a channel; NaN: absent. */
  values: Float64Array[];
}

/** What a reader collects of a group. */
export interface GroupSamples extends RecordedGroup {
  /** Whether any value is NaN. */
  hasAbsent: boolean;
  /** Where old samples were summarised, what of; in any order. */
  summaries: GroupSummary[];
}

export interface RecordingContents {
  path: string;
  header: RecordingHeader;
  groups: GroupSamples[];
  /** In order of time. */
  events: RecordedEvent[];
  /** Time of the last record. */
  endMs: number;
  isClosed: boolean;
  recordsDropped: number;
  problems: string[];
}

/**
 * What was observed: named channels of samples, and events, on one clock.
 * Holds 8 bytes for each value and 8 for each time of a group.
 */
export class Recording {
  readonly path: string;
  readonly header: RecordingHeader;
  readonly channels: ChannelDefinition[];
  /** Elapsed time of the last record, milliseconds. */
  readonly endMs: number;
  /** false: the process died before it could close the file, or still writes to it. */
  readonly isClosed: boolean;
  /** Records for which there was no room; `problems` says why. */
  readonly recordsDropped: number;
  /** Sentences about what could not be read or was not written; empty when all is well. */
  readonly problems: string[];
  readonly #events: RecordedEvent[];
  readonly #groups: GroupSamples[];
  readonly #columnsByChannel = new Map<string, Series & { hasAbsent: boolean }>();
  readonly #seriesByChannel = new Map<string, Series>();

  constructor(contents: RecordingContents) {
    this.path = contents.path;
    this.header = contents.header;
    this.channels = contents.groups.flatMap((group) => group.channels);
    this.endMs = contents.endMs;
    this.isClosed = contents.isClosed;
    this.recordsDropped = contents.recordsDropped;
    this.problems = contents.problems;
    this.#events = contents.events;
    this.#groups = contents.groups;
    for (const group of contents.groups)
      group.channels.forEach((channel, i) => {
        const values = group.values[i];
        if (values)
          this.#columnsByChannel.set(channel.name, {
            timesMs: group.timesMs,
            values,
            hasAbsent: group.hasAbsent,
          });
      });
  }

  /**
   * One channel, absent values left out; undefined when the recording has no such channel.
   *
   * Where old samples were summarised to keep the recording to a size, a summary stands in the series as one
   * sample: the last that was taken, at the time of the last. Every point was measured; there are fewer of
   * them, the older the fewer. What else is known of the rest: summaries().
   */
  series(name: string): Series | undefined {
    const known = this.#seriesByChannel.get(name);
    if (known) return known;
    const columns = this.#columnsByChannel.get(name);
    if (!columns) return undefined;
    const { timesMs, values, hasAbsent } = columns;
    const series = hasAbsent ? withoutAbsent(timesMs, values) : { timesMs, values };
    this.#seriesByChannel.set(name, series);
    return series;
  }

  /** Where samples of a channel were summarised, in order of time; empty where all were kept. */
  summaries(name: string): SeriesSummary[] {
    for (const { channels, summaries } of this.#groups) {
      const i = channels.findIndex((channel) => channel.name === name);
      if (i < 0) continue;
      return summaries
        .flatMap(({ firstMs, lastMs, channels }) => {
          const summary = channels[i];
          return summary && summary.count > 0 ? [{ firstMs, lastMs, ...summary }] : [];
        })
        .sort((a, b) => a.lastMs - b.lastMs);
    }
    return [];
  }

  /** Until when samples were summarised, elapsed milliseconds; undefined where all were kept. */
  get summarisedUntilMs(): number | undefined {
    let untilMs: number | undefined;
    for (const { summaries } of this.#groups)
      for (const { firstMs, lastMs } of summaries)
        if (lastMs > firstMs) untilMs = Math.max(untilMs ?? 0, lastMs);
    return untilMs;
  }

  /** The channels that were sampled together, with absent values as NaN. Shared arrays: not to be written to. */
  get groups(): RecordedGroup[] {
    return this.#groups.map(({ name, channels, timesMs, values }) => ({ name, channels, timesMs, values }));
  }

  /** How many values a channel has; 0 when the recording has no such channel. */
  count(name: string): number {
    return this.series(name)?.values.length ?? 0;
  }

  /** In order of time; all of them, or those of one name. */
  events(name?: string): RecordedEvent[] {
    return name === undefined ? this.#events : this.#events.filter((event) => event.name === name);
  }

  /** From the events named `phase`, whose detail is {phase, edge: 'begin' | 'end'}; in order of beginning. */
  phases(): RecordedPhase[] {
    const phases: RecordedPhase[] = [];
    for (const { elapsedMs, detail } of this.events('phase')) {
      const { phase, edge } = (detail ?? {}) as { phase?: string; edge?: string };
      if (typeof phase !== 'string') continue;
      if (edge === 'begin') {
        phases.push({ phase, startMs: elapsedMs, endMs: this.endMs, complete: false });
      } else {
        const begun = phases.findLast((one) => one.phase === phase && !one.complete);
        if (begun) Object.assign(begun, { endMs: elapsedMs, complete: true });
      }
    }
    return phases;
  }

  /** The part of a series from startMs to endMs, both included; shares its memory. */
  window(series: Series, startMs: number, endMs: number): Series {
    const first = firstIndex(series.timesMs, (timeMs) => timeMs >= startMs);
    const behind = firstIndex(series.timesMs, (timeMs) => timeMs > endMs);
    return {
      timesMs: series.timesMs.subarray(first, Math.max(first, behind)),
      values: series.values.subarray(first, Math.max(first, behind)),
    };
  }
}

function withoutAbsent(timesMs: Float64Array, values: Float64Array): Series {
  let present = 0;
  for (let i = 0; i < values.length; i++) if (!Number.isNaN(values[i])) present++;
  if (present === values.length) return { timesMs, values };
  const kept: Series = { timesMs: new Float64Array(present), values: new Float64Array(present) };
  let at = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue;
    kept.timesMs[at] = timesMs[i] as number;
    kept.values[at++] = values[i] as number;
  }
  return kept;
}

/** Binary search: the first index whose number passes; the length when none does. */
function firstIndex(ascending: Float64Array, passes: (value: number) => boolean): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (passes(ascending[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}
