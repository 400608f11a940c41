import { z } from 'zod';
import type { SamplingReport } from '../diagnosis/index.js';
import { RecordedEvents, RSS_CHANNEL } from '../recording/channels.js';
import type { Recording } from '../recording/recording.js';
import { formatDuration } from '../units.js';
import { loadValues, loadWindow } from './floor.js';

const SamplerSchema = z.object({
  missedTicks: z.number(),
  cpuNs: z.number(),
  elapsedNs: z.number(),
});
const NoteSchema = z.object({ text: z.string() });

/** What the sampling did and cost, from the recording's own account. Null: nothing asked for a rate. */
export function samplingReport(recording: Recording): SamplingReport | null {
  const requestedRateHz = z.number().positive().safeParse(recording.header.details.rateHz).data;
  if (requestedRateHz === undefined) return null;
  const window = loadWindow(recording);
  const loadSeconds = window === undefined ? 0 : (window.endMs - window.startMs) / 1000;
  const ended = SamplerSchema.safeParse(recording.events(RecordedEvents.Sampler).at(-1)?.detail).data;
  const notes = recording
    .events(RecordedEvents.Note)
    .flatMap(({ detail }) => NoteSchema.safeParse(detail).data?.text ?? []);
  return {
    requestedRateHz,
    reachedRateHz: loadSeconds > 0 ? (loadValues(recording, RSS_CHANNEL)?.length ?? 0) / loadSeconds : 0,
    samples: recording.count(RSS_CHANNEL),
    missedTicks: ended?.missedTicks ?? 0,
    droppedSamples: recording.recordsDropped,
    samplerCpuShare: ended === undefined || ended.elapsedNs <= 0 ? null : ended.cpuNs / ended.elapsedNs,
    problems: [...recording.problems, ...notes, ...summarised(recording)],
  };
}

/** Old samples of a recording that was kept to a size are fewer; the judge counts on what stands for them. */
function summarised({ summarisedUntilMs }: Recording): string[] {
  if (summarisedUntilMs === undefined) return [];
  return [
    `samples of up to ${formatDuration(summarisedUntilMs)} after the start were summarised to keep the recording to its size`,
  ];
}
