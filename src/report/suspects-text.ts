import type { LeakDetectionResult, Ledger, Suspect } from '../diagnosis/index.js';
import { formatBytes, formatPercent } from '../units.js';
import { wrap } from './layout.js';

/** Who leaks, for a person: the first suspects with their lines, and the books of the growth. */

const SUSPECTS_SHOWN = 3;
const ENTRIES_SHOWN = 4;

/** Lines of a leak's suspects and ledger; empty when nobody is suspected and nothing was measured. */
export function suspectLines({ suspects = [], ledger }: LeakDetectionResult, width: number): string[] {
  return [
    ...suspects.slice(0, SUSPECTS_SHOWN).flatMap((suspect) => linesOf(suspect, width)),
    ...(suspects.length > SUSPECTS_SHOWN
      ? [`    and ${suspects.length - SUSPECTS_SHOWN} more in the JSON report`]
      : []),
    ...(ledger ? ledgerLines(ledger, width) : []),
  ];
}

function linesOf(suspect: Suspect, width: number): string[] {
  const { holder, allocationSite, statement, counters } = suspect;
  return [
    ...wrap(statement, width, '      ', '    - '),
    ...(holder ? [`      held at  ${placeText(holder)}`] : []),
    ...(allocationSite ? [`      made at  ${placeText(allocationSite)}`] : []),
    ...(counters.length > 0
      ? wrap(`counted  ${counters.join(', ')}`, width, '               ', '      ')
      : []),
  ];
}

/** As editors and terminals open it. */
function placeText({ script, line, column, isGenerated }: NonNullable<Suspect['holder']>): string {
  const place = `${relativeTo(process.cwd(), script)}:${line}:${column}`;
  return isGenerated ? `${place} (generated code: its source map was not found)` : place;
}

/** Below the folder that the user is in, paths are shorter without it. */
function relativeTo(folder: string, script: string): string {
  return script.startsWith(`${folder}/`) ? script.slice(folder.length + 1) : script;
}

function ledgerLines(
  { measuredBytesPerOperation, entries, explainedShare, operations, lacks }: Ledger,
  width: number,
): string[] {
  const parts = entries
    .toSorted((a, b) => Math.abs(b.bytesPerOperation) - Math.abs(a.bytesPerOperation))
    .slice(0, ENTRIES_SHOWN)
    .filter(
      ({ bytesPerOperation }) => Math.abs(bytesPerOperation) >= 0.03 * Math.abs(measuredBytesPerOperation),
    )
    .map(({ name, bytesPerOperation }) => `${name} ${formatBytes(bytesPerOperation)}`);
  const sentence = `${formatPercent(explainedShare)} of ${formatBytes(measuredBytesPerOperation)} per operation explained, over ${operations} operations: ${parts.join('; ')}`;
  return [
    ...wrap(sentence, width, '            ', '    ledger  '),
    ...lacks.flatMap((lack) => wrap(lack, width, '            ', '    lacks   ')),
  ];
}
