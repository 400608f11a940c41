import { basename } from 'node:path';
import type { Suspect } from '../diagnosis/index.js';
import { formatBytes, formatPercent } from '../units.js';
import { isNodesOwn, type Place } from './source-place.js';

/** What a sentence says beside what is in the suspect. */
export interface Words {
  holderClass: string | null;
  /** Of the allocation site. */
  functionName: string | undefined;
  /** Of the known pattern. */
  pattern: string;
  /** In all rounds together: for programs whose operations nobody counts. */
  bytes: number;
}

/** Who holds it, who put it there, how much per operation, how sure, and what to do, in one sentence. */
export function statementOf(suspect: Omit<Suspect, 'statement'>, words: Words): string {
  return `${gainOf(suspect, words)}${madeBy(suspect, words)}; ${weightOf(suspect)}: ${words.pattern} - ${suspect.advice}`;
}

/** @example "sessions.mjs: sessions (Map, sessions.mjs:1) gains 1 {user, seen} and 2.2 KiB per operation" */
function gainOf(suspect: Omit<Suspect, 'statement'>, { holderClass, bytes: inAll }: Words): string {
  const { retainingPath, holder, className, package: owner } = suspect;
  const where = holder && !isNodesOwn(holder.script) ? shortPlace(holder) : null;
  const about = [retainingPath === null ? null : holderClass, where, owner && ownerText(owner)].filter(
    Boolean,
  );
  const name = retainingPath ?? className ?? 'something';
  const whose = about.length === 0 ? name : `${name} (${about.join(', ')})`;
  const what =
    retainingPath === null || className === null || className === holderClass ? '' : ` ${className}`;
  const count = suspect.countPerOperation;
  const counted = count === null ? '' : `${amount(count)}${what || ' objects'}`;
  const bytes = suspect.bytesPerOperation === null ? '' : formatBytes(suspect.bytesPerOperation);
  const gained = [counted, bytes].filter((part) => part !== '').join(' and ');
  if (gained === '' && inAll > 0)
    return `${whose} gained ${formatBytes(inAll)}${what && ` of${what}`} between the heap snapshots`;
  return gained === '' ? `${whose} keeps growing` : `${whose} gains ${gained} per operation`;
}

function madeBy({ allocationSite }: Omit<Suspect, 'statement'>, { functionName }: Words): string {
  if (allocationSite === null) return '';
  const by = functionName ? ` by ${functionName}()` : '';
  return `, put there${by} at ${shortPlace(allocationSite)}`;
}

function weightOf({ share, confidence }: Omit<Suspect, 'statement'>): string {
  const sure = `${formatPercent(Math.round(confidence * 100) / 100)} sure`;
  return share === null ? sure : `${formatPercent(share)} of the growth, ${sure}`;
}

/** The file's name and the line: the whole path is in the suspect. */
export function shortPlace({ script, line, isGenerated }: Place): string {
  const name = script.includes('node_modules')
    ? script.replace(/^.*node_modules[/\\]/, '')
    : basename(script);
  return `${name}:${line}${isGenerated ? ' of the generated code' : ''}`;
}

export function ownerText({ name, version }: NonNullable<Suspect['package']>): string {
  return version === null ? name : `${name}@${version}`;
}

/** @example amount(1.002) // "1" */
export function amount(count: number): string {
  const rounded = Math.round(count);
  if (rounded > 0 && Math.abs(count - rounded) <= 0.02 * rounded) return String(rounded);
  return count.toPrecision(2).replace(/\.?0+$/, '');
}
