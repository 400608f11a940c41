import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { RecordedEvents } from './channels.js';
import type { Recording } from './recording.js';

/**
 * What was measured to find out who leaks: rounds of equal work, a reading of memory at both ends of each, a
 * heap snapshot before the first round and after each, and what was allocated meanwhile and is still alive.
 *
 * A round begins after a snapshot was written and ends before the next one, so that what a snapshot itself
 * leaves behind (V8's table of ids, line tables) counts nowhere.
 */

const figure = z.number().nullable();

const ReadingSchema = z.object({
  round: z.number().int().positive(),
  edge: z.enum(['begin', 'end']),
  /** Completed in the test until then. */
  operations: z.number().nonnegative(),
  heapUsedBytes: z.number(),
  /** Of these, machine code and what belongs to it. */
  codeBytes: z.number(),
  externalBytes: z.number(),
  /** Part of external. */
  arrayBuffersBytes: z.number(),
  mallocInUseBytes: figure,
  stackBytes: figure,
});
/** Memory at one end of a round, with nothing in flight and everything collected. */
export type DiagnosisReading = z.infer<typeof ReadingSchema>;

const SnapshotSchema = z.object({
  path: z.string(),
  sizeBytes: z.number(),
  tookMs: z.number(),
  /** Completed in the test when it was taken. */
  operations: z.number().nonnegative(),
});
export type DiagnosisSnapshot = z.infer<typeof SnapshotSchema>;

const ProfileSchema = z.object({
  path: z.string(),
  intervalBytes: z.number().positive(),
  startedAtEpochMs: z.number(),
  durationMs: z.number(),
});
/** A .heapprofile of what was allocated in the rounds and is alive after the last one. */
export type DiagnosisProfile = z.infer<typeof ProfileSchema>;

const LackSchema = z.object({ text: z.string() });
const AddonsSchema = z.object({ paths: z.array(z.string()) });

export interface DiagnosisRecord {
  readings: DiagnosisReading[];
  /** In the order in which they were taken. */
  snapshots: DiagnosisSnapshot[];
  profile: DiagnosisProfile | null;
  /** Files of the native addons that were loaded, without this tool's own. */
  addons: string[];
  /** What could not be had, and why, in sentences. */
  lacks: string[];
}

/** Undefined when nothing was measured for a diagnosis, because nothing grew or nobody wanted it. */
export function diagnosisRecordOf(recording: Recording): DiagnosisRecord | undefined {
  const readings = parsed(recording, RecordedEvents.DiagnosisReading, ReadingSchema);
  const snapshots = parsed(recording, RecordedEvents.DiagnosisSnapshot, SnapshotSchema);
  const lacks = parsed(recording, RecordedEvents.DiagnosisLack, LackSchema).map(({ text }) => text);
  const profile = parsed(recording, RecordedEvents.DiagnosisProfile, ProfileSchema).at(-1) ?? null;
  if (readings.length + snapshots.length + lacks.length === 0 && profile === null) return undefined;
  const addons = parsed(recording, RecordedEvents.DiagnosisAddons, AddonsSchema).at(-1)?.paths ?? [];
  return { readings, snapshots, profile, addons, lacks };
}

const LifeProfileSchema = ProfileSchema.omit({ path: true }).extend({ file: z.string() });

/** A .heapprofile of what a recorded program has allocated from its start on and still held at its end. */
export function lifeProfileOf(recording: Recording): DiagnosisProfile | null {
  const saved = parsed(recording, RecordedEvents.AllocationProfile, LifeProfileSchema).at(-1);
  if (saved === undefined) return null;
  const { file, ...about } = saved;
  // A name from a file is not believed to stay inside the folder.
  return { ...about, path: join(dirname(recording.path), basename(file)) };
}

/** What does not have the shape was written by another version, and says nothing here. */
function parsed<Schema extends z.ZodType>(
  recording: Recording,
  name: string,
  schema: Schema,
): z.infer<Schema>[] {
  return recording.events(name).flatMap(({ detail }) => {
    const result = schema.safeParse(detail);
    return result.success ? [result.data] : [];
  });
}
