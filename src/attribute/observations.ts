import { readFile } from 'node:fs/promises';
import type { LeakDetectionResult } from '../diagnosis/index.js';
import { messageOf } from '../errors.js';
import { decodeHeapProfile } from '../recording/allocation-profile.js';
import {
  type DiagnosisProfile,
  type DiagnosisRecord,
  diagnosisRecordOf,
  lifeProfileOf,
} from '../recording/diagnosis-record.js';
import type { Recording } from '../recording/index.js';
import { sourceMapped } from '../recording/source-mapped.js';
import { diffHeapSnapshots, type HeapDiff } from '../snapshot/index.js';
import { type AllocationSite, allocationSites } from './allocation-sites.js';
import { entryDetails } from './entry-details.js';
import type { EntryDetail } from './heap-causes.js';
import { type MeasuredGrowth, measuredGrowth } from './measured-growth.js';
import { type MovingCounter, movingCounters } from './moving-counters.js';
import { type UnreleasedReferences, unreleasedReferences } from './unreleased-references.js';

/** Everything that speaks of the cause of a leak, as far as it could be had. */
export interface Observations {
  /** Null: there were no rounds. */
  growth: MeasuredGrowth | null;
  /** Null: fewer than two snapshots, or they cannot be read. */
  diff: HeapDiff | null;
  details: ReadonlyMap<number, EntryDetail>;
  /** Most bytes first. */
  sites: AllocationSite[];
  counters: MovingCounter[];
  references: UnreleasedReferences[];
  /** Files of the native addons that the program has loaded. */
  addons: string[];
  /** Operations of the whole test: what references were counted over. */
  operationsInAll: number;
  lacks: string[];
}

const GROWERS_MAX = 24;

/** Reads what a recording refers to. What cannot be read is missing and named; nothing fails. */
export async function observe(
  recording: Recording,
  { signal }: Pick<LeakDetectionResult, 'signal'>,
): Promise<Observations> {
  const record = diagnosisRecordOf(recording);
  const lacks = [...(record?.lacks ?? [])];
  const [diff, sites] = await Promise.all([
    readDiff(record, lacks),
    readSites(record?.profile ?? lifeProfileOf(recording), lacks),
  ]);
  const details = await entryDetails(record?.snapshots.at(-1)?.path, diff, lacks);
  return {
    growth: measuredGrowth(record?.readings ?? [], signal?.includes('malloc')) ?? null,
    diff,
    details,
    sites,
    counters: movingCounters(recording),
    references: unreleasedReferences(recording),
    addons: record?.addons ?? [],
    operationsInAll: recording.series('floor_operations')?.values.at(-1) ?? 0,
    lacks,
  };
}

async function readDiff(record: DiagnosisRecord | undefined, lacks: string[]): Promise<HeapDiff | null> {
  const snapshots = record?.snapshots ?? [];
  if (snapshots.length < 2) {
    if (record && record.lacks.length === 0) lacks.push('there are no two heap snapshots to compare');
    return null;
  }
  const operations = snapshots
    .slice(1)
    .map((snapshot, i) => snapshot.operations - (snapshots[i]?.operations ?? 0));
  try {
    return await diffHeapSnapshots(
      snapshots.map(({ path }) => path),
      { top: GROWERS_MAX, ...(operations.every((count) => count > 0) && { operations }) },
    );
  } catch (error) {
    lacks.push(`the heap snapshots could not be compared: ${messageOf(error)}`);
    return null;
  }
}

async function readSites(profile: DiagnosisProfile | null, lacks: string[]): Promise<AllocationSite[]> {
  if (profile === null) return [];
  try {
    const text = await readFile(profile.path, 'utf8');
    return allocationSites(sourceMapped(decodeHeapProfile(text, profile)));
  } catch (error) {
    lacks.push(`the allocation profile could not be read: ${messageOf(error)}`);
    return [];
  }
}
