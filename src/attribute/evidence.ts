import type { Evidence } from '../diagnosis/index.js';
import { formatBytes } from '../units.js';
import type { AllocationSite } from './allocation-sites.js';
import type { HeapCause } from './heap-causes.js';
import type { Share } from './ledger.js';
import type { MovingCounter } from './moving-counters.js';
import { amount } from './statement.js';
import type { UnreleasedReferences } from './unreleased-references.js';

/** Each kind of observation as evidence: what was seen, in a sentence and in figures. */

/** What the diff of the snapshots says of a cause. @param operations null: not counted */
export function evidenceOfHeap(cause: HeapCause, share: Share, operations: number | null): Evidence[] {
  const { foundBy, path, entryClass, holderClass } = cause;
  const per = (value: number) => (operations ? value / operations : null);
  const count = cause.entries > 0 ? per(cause.entries) : null;
  const bytes = share.heapBytes + share.externalBytes;
  const what = path || entryClass || 'a class';
  const rows: Evidence[] = [];
  const row = (statement: string) =>
    rows.push({ source: 'heap-diff', statement, bytesPerOperation: per(bytes), countPerOperation: count });
  if (foundBy.grower)
    row(
      `${what} (${holderClass}) is the same object in the first and the last heap snapshot and holds ${formatBytes(cause.bytes)} more`,
    );
  if (foundBy.everyRound) row(`${what} held more in every heap snapshot than in the one before`);
  if (foundBy.classes)
    row(`there are ${cause.entries} more ${entryClass}, and nothing on the heap that grew holds them`);
  if (share.nativeBytes > 0)
    rows.push({
      source: 'process',
      statement: `${formatBytes(share.nativeBytes)} of native memory came along, beyond what V8 knows of`,
      bytesPerOperation: per(share.nativeBytes),
      countPerOperation: null,
    });
  return rows;
}

/** @param operations null: not counted */
export function evidenceOfSite(site: AllocationSite, operations: number | null): Evidence {
  const { functionName, place, bytes, samples } = site;
  return {
    source: 'allocation-site',
    statement: `${functionName || 'a function'} at ${place.script}:${place.line} allocated about ${formatBytes(bytes)} that are still alive (${samples} samples)`,
    bytesPerOperation: operations ? bytes / operations : null,
    countPerOperation: null,
  };
}

export function evidenceOfCounter({ channel, perOperation, isInBytes }: MovingCounter): Evidence {
  return {
    source: 'counter',
    statement: `${channel} rises by ${isInBytes ? formatBytes(perOperation) : amount(perOperation)} per operation`,
    bytesPerOperation: isInBytes ? perOperation : null,
    countPerOperation: isInBytes ? null : perOperation,
  };
}

export function evidenceOfReference(reference: UnreleasedReferences, operations: number): Evidence {
  const { registryKind, name, count, how, cycle } = reference;
  const said = {
    leaked: 'were collected without having been given back',
    held: 'are still held although nothing is in flight',
    cycle: `hold each other: ${cycle ?? ''}`,
  }[how];
  return {
    source: 'reference',
    statement: `${count} references of ${registryKind} "${name}" ${said}`,
    bytesPerOperation: null,
    countPerOperation: operations > 0 ? count / operations : null,
  };
}
