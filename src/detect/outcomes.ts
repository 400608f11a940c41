import { z } from 'zod';
import {
  type CleanupOutcome,
  CleanupOutcomeSchema,
  type ExhaustionOutcome,
  ExhaustionOutcomeSchema,
  type LargePayload,
  LargePayloadSchema,
  LeakVerdict,
  type StoppedEarly,
} from '../diagnosis/index.js';
import { RecordedEvents } from '../recording/channels.js';
import type { Recording } from '../recording/recording.js';
import { loadWindow } from './floor.js';

const milliseconds = z.number().nullable();

/** What the load wrote about itself when it ended; see LoadOutcome in scenarios/. */
const RecordedOutcomeSchema = z.object({
  completed: z.number(),
  failed: z.number(),
  payloadBytes: z.number(),
  activeMs: z.number(),
  targetRatePerSecond: z.number().nullable(),
  latency: z.object({
    meanMs: milliseconds,
    p50Ms: milliseconds,
    p95Ms: milliseconds,
    p99Ms: milliseconds,
    maxMs: milliseconds,
  }),
});
export type RecordedOutcome = z.infer<typeof RecordedOutcomeSchema>;

/** Undefined when the load did not end: then the channels alone tell how far it came. */
export function recordedOutcome(recording: Recording): RecordedOutcome | undefined {
  return RecordedOutcomeSchema.safeParse(recording.events(RecordedEvents.LoadOutcome).at(-1)?.detail).data;
}

/**
 * Where growing payloads were stopped. When the process died of one, the last
 * attempt that was announced is the payload that killed it.
 */
export function exhaustionOutcome(
  recording: Recording,
  crashReason: string | null,
): ExhaustionOutcome | undefined {
  const written = ExhaustionOutcomeSchema.safeParse(
    recording.events(RecordedEvents.Exhaustion).at(-1)?.detail,
  );
  if (written.success) return written.data;
  const attempts = recording
    .events(RecordedEvents.Attempt)
    .map(({ detail }) => AttemptSchema.safeParse(detail).data);
  const last = attempts.at(-1);
  if (last === undefined || crashReason === null) return undefined;
  return {
    memoryLimitBytes: last.memoryLimitBytes ?? null,
    largestPayloadBytes: attempts.at(-2)?.payloadBytes ?? null,
    refusedPayloadBytes: last.payloadBytes,
    ending: 'crashed',
    reason: crashReason,
    recovered: false,
  };
}

const AttemptSchema = z.object({
  payloadBytes: z.number(),
  memoryLimitBytes: z.number().nullable().optional(),
});

const RecordedStopSchema = z.object({
  verdict: LeakVerdict,
  reason: z.string(),
  plannedMs: z.number().positive(),
});

/** Absent when the load had its time. */
export function stoppedEarly(recording: Recording): StoppedEarly | undefined {
  const written = RecordedStopSchema.safeParse(recording.events(RecordedEvents.StoppedEarly).at(-1)?.detail);
  const load = loadWindow(recording);
  if (!written.success || load === undefined) return undefined;
  const { plannedMs, ...found } = written.data;
  return { afterSeconds: (load.endMs - load.startMs) / 1000, plannedSeconds: plannedMs / 1000, ...found };
}

/** Absent in the scenarios without large operations. */
export function largePayload(recording: Recording): LargePayload | undefined {
  return LargePayloadSchema.safeParse(recording.events(RecordedEvents.Payload).at(-1)?.detail).data;
}

export function cleanupOutcome(recording: Recording): CleanupOutcome | undefined {
  return CleanupOutcomeSchema.safeParse(recording.events(RecordedEvents.Cleanup).at(-1)?.detail).data;
}
