import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../errors.js';
import { decodeHeapProfile, encodeHeapProfile } from '../recording/allocation-profile.js';
import { type RecordedAllocationProfile, RecordedEvents } from '../recording/channels.js';
import type { Recording } from '../recording/index.js';
import { encodePprof } from '../recording/pprof.js';
import {
  nearLimitProfilePathOf,
  nearLimitSnapshotPathOf,
  pprofPathOf,
} from '../recording/recording-folder.js';
import { sourceMapped } from '../recording/source-mapped.js';
import { formatBytes } from '../units.js';

/** What lies beside a recording, for whoever looks further. */
export interface Evidence {
  /** Paths. */
  files: string[];
  /** Sentences: that memory was about to run out, what could not be saved. */
  incidents: string[];
}

const ProfileSchema: z.ZodType<RecordedAllocationProfile> = z.object({
  file: z.string(),
  samples: z.number(),
  intervalBytes: z.number(),
  startedAtEpochMs: z.number(),
  durationMs: z.number(),
  isCollected: z.boolean(),
});
const NearLimitSchema = z.object({
  trigger: z.enum(['heap', 'process', 'limit']),
  heapUsedBytes: z.number().optional(),
  heapLimitBytes: z.number().optional(),
  rssBytes: z.number().optional(),
  availableBytes: z.number().optional(),
  limitedBy: z.string(),
});
const SavedSchema = z.object({ path: z.string().optional(), missing: z.string().optional() });

/**
 * Finishes what the agent left beside a recording: the allocation profile gets the places of the sources that
 * were written, and a copy for pprof. Not in the program itself, which that would hold up.
 */
export function evidenceBeside(recording: Recording): Evidence {
  const evidence: Evidence = { files: [], incidents: [] };
  const profile = ProfileSchema.safeParse(
    recording.events(RecordedEvents.AllocationProfile).at(-1)?.detail,
  ).data;
  if (profile !== undefined) finishProfile(recording, profile, evidence);
  addNearLimit(recording, evidence);
  return evidence;
}

function finishProfile(recording: Recording, about: RecordedAllocationProfile, evidence: Evidence): void {
  // A name from a file is not believed to stay inside the folder.
  const path = join(dirname(recording.path), basename(about.file));
  try {
    const profile = sourceMapped(decodeHeapProfile(readFileSync(path, 'utf8'), about));
    writeFileSync(path, encodeHeapProfile(profile), { mode: 0o600 });
    const pprofPath = pprofPathOf(recording.path);
    writeFileSync(pprofPath, encodePprof(profile), { mode: 0o600 });
    evidence.files.push(path, pprofPath);
  } catch (error) {
    evidence.incidents.push(`the allocation profile ${path} is not finished: ${messageOf(error)}`);
  }
}

const SAVED_PATHS = {
  [RecordedEvents.NearOutOfMemoryProfile]: nearLimitProfilePathOf,
  [RecordedEvents.NearOutOfMemorySnapshot]: nearLimitSnapshotPathOf,
};

function addNearLimit(recording: Recording, { files, incidents }: Evidence): void {
  for (const { detail } of recording.events(RecordedEvents.NearOutOfMemory)) {
    const alarm = NearLimitSchema.safeParse(detail).data;
    if (alarm) incidents.push(`memory was about to run out: ${sentenceOf(alarm)}`);
  }
  for (const [name, pathOf] of Object.entries(SAVED_PATHS)) {
    const saved = recording.events(name).flatMap(({ detail }) => SavedSchema.safeParse(detail).data ?? []);
    if (saved.some(({ path }) => path !== undefined)) files.push(pathOf(recording.path));
  }
}

function sentenceOf(alarm: z.infer<typeof NearLimitSchema>): string {
  const bytes = (figure: number | undefined) => (figure === undefined ? 'unknown' : formatBytes(figure));
  if (alarm.trigger === 'process')
    return `${alarm.limitedBy} left ${bytes(alarm.availableBytes)}, with ${bytes(alarm.rssBytes)} resident`;
  const heap = `${bytes(alarm.heapUsedBytes)} of heap in use, its limit ${bytes(alarm.heapLimitBytes)}`;
  return alarm.trigger === 'limit' ? `V8 gave up at ${heap}` : heap;
}
