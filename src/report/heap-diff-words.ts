import type { ClassDelta, Grower, GrowingGroup, HeapDiff } from '../snapshot/index.js';
import { formatBytes, formatBytesChange, formatCount, formatCountChange } from '../units.js';
import { shortened } from './plain-text.js';

/** What a heap diff says in words, for a terminal and for Markdown alike. Names are as the heap has them. */

export interface DiffVerdict {
  word: 'GREW' | 'SHRANK' | 'SAME SIZE';
  /** Goes on behind the word. */
  parts: string[];
}

/** @param show makes a name or path out of the heap fit to be shown */
export function verdictOf(diff: HeapDiff, show: (text: string) => string): DiffVerdict {
  const { balance, snapshots, summary } = diff;
  const { deltaBytes } = balance;
  if (deltaBytes === 0) return { word: 'SAME SIZE', parts: [sizes(diff)] };
  const share = summary.deltaShare === null ? '' : ` (${percentChange(summary.deltaShare)})`;
  const over = snapshots.length > 2 ? ` over ${snapshots.length} snapshots` : '';
  const { deltaBytesPerOperation: bytes } = summary;
  const each = bytes === null ? '' : `, ${formatBytes(bytes)} per operation`;
  return {
    word: deltaBytes > 0 ? 'GREW' : 'SHRANK',
    parts: [`by ${formatBytes(Math.abs(deltaBytes))}${share}${over}${each}`, ...explanation(diff, show)],
  };
}

function sizes({ snapshots }: HeapDiff): string {
  return `${formatBytes(snapshots.at(-1)?.totalSelfBytes ?? 0)} in the first snapshot and in the last`;
}

/** Most of a change is what the sentence is about. */
const MOST = 0.5;

function explanation({ summary, balance, growers, isOneProcess }: HeapDiff, show: (text: string) => string) {
  const { noise, holder } = summary;
  if ((noise.shareOfDelta ?? 0) >= MOST)
    return [`${percentOf(noise.shareOfDelta ?? 0)} of it is compiler and embedder noise`];
  if (balance.deltaBytes < 0) return [];
  const held = growers.find(({ id }) => id === holder?.id);
  if (!holder || !held) return isOneProcess ? ['no container that was there before took it'] : [];
  const text = `${show(subjectOf(held))}, ${entriesOf(held)}`;
  const share = percentOf(holder.shareOfGrowth);
  if (holder.shareOfGrowth >= MOST) return [`${share} of it is held by ${text}`];
  return [`no single container holds most of it; the largest share, ${share}, is in ${text}`];
}

/** What it is and where: `Map globalThis.sessions`. */
export function subjectOf({ name, path }: Pick<Grower, 'name' | 'path'>): string {
  const short = shortened(name, SUBJECT_LENGTH);
  return path === '' || path.endsWith(name) ? path || short : `${short} ${path}`;
}

/** Of a plain object the name is all its properties. */
const SUBJECT_LENGTH = 24;

/** Where it is written, or near what; undefined where nothing is known. */
export function placeOf(grower: Grower, show: (location: string) => string): string | undefined {
  const { location, locationOf } = grower;
  if (location === null) return undefined;
  return `${locationOf === 'holder' ? 'near ' : ''}${show(location)}`;
}

/** @example "+1,000 entries" */
export function entriesOf({ deltaEntries }: Pick<Grower, 'deltaEntries'>): string {
  return `${formatCountChange(deltaEntries)} ${Math.abs(deltaEntries) === 1 ? 'entry' : 'entries'}`;
}

/** What a grower gained, largest first in meaning: entries, what they hold, its own arrays. */
export function growerFacts(grower: Grower): string {
  const { deltaEntries, entries, retainedDeltaBytes, ownedDeltaBytes, bytesPerOperation } = grower;
  return [
    ...(deltaEntries === 0 ? [] : [`${entriesOf(grower)} (${formatCount(entries)} now)`]),
    `${formatBytesChange(retainedDeltaBytes)} retained`,
    `${formatBytesChange(ownedDeltaBytes)} of its own`,
    ...(bytesPerOperation === undefined ? [] : [`${formatBytes(bytesPerOperation)} per operation`]),
  ].join(', ');
}

/** The equation, to the byte. */
export function balanceEquation({ balance }: HeapDiff): string {
  const { deltaBytes, newBytes, deletedBytes, survivorDeltaBytes } = balance;
  const survivors = `${survivorDeltaBytes < 0 ? '-' : '+'} ${formatCount(Math.abs(survivorDeltaBytes))} in survivors`;
  return `${formatCountChange(deltaBytes)} B = ${formatCount(newBytes)} new - ${formatCount(deletedBytes)} deleted ${survivors}`;
}

export function residualOf({ balance }: HeapDiff): string {
  return `residual ${formatCount(balance.residualBytes)} B`;
}

export function countsOf({ balance }: HeapDiff): string {
  const { newCount, deletedCount, survivorCount } = balance;
  return `${formatCount(newCount)} objects new, ${formatCount(deletedCount)} deleted, ${formatCount(survivorCount)} survived`;
}

/** Undefined when there is no noise. */
export function noiseSentence({ summary: { noise } }: HeapDiff): string | undefined {
  if (noise.classCount === 0) return undefined;
  const classes = noise.classCount === 1 ? '1 class' : `${noise.classCount} classes`;
  return `compiler and embedder noise: ${formatBytesChange(noise.deltaBytes)} in ${classes}, included in every sum`;
}

/** The rows that changed most, growth before decline; and what the others come to. */
export function largestClasses(
  { classes }: HeapDiff,
  top: number,
): { rows: ClassDelta[]; rest: string | undefined } {
  // What came and went in equal measure is in the JSON.
  const rows = classes.filter((row) => row.noise === null && (row.deltaBytes !== 0 || row.deltaCount !== 0));
  const bySize = rows.toSorted((a, b) => Math.abs(b.deltaBytes) - Math.abs(a.deltaBytes));
  const shown = new Set(bySize.slice(0, top));
  const others = bySize.slice(top);
  const bytes = others.reduce((sum, row) => sum + row.deltaBytes, 0);
  const plural = others.length === 1 ? '1 other class' : `${formatCount(others.length)} other classes`;
  return {
    rows: rows.filter((row) => shown.has(row)),
    rest: others.length === 0 ? undefined : `${plural}: ${formatBytesChange(bytes)}`,
  };
}

/** What a growing group gained at each step, and what it is worth to stop it. */
export function groupFacts({ shareBytes, exclusiveBytes, bytesPerOperation }: GrowingGroup): string {
  return [
    `holds ${formatBytes(shareBytes)} of what grows`,
    `${formatBytes(exclusiveBytes)} alone`,
    ...(bytesPerOperation === undefined ? [] : [`${formatBytes(bytesPerOperation)} per operation`]),
  ].join(', ');
}

/** @example percentChange(0.412) // "+41 %" */
function percentChange(share: number): string {
  return `${share > 0 ? '+' : ''}${roughPercent(share)} %`;
}

function percentOf(share: number): string {
  return share >= 0.995 ? 'all' : `${roughPercent(share)} %`;
}

/** Two digits are enough for a share; small ones keep one decimal. */
function roughPercent(share: number): string {
  const percent = share * 100;
  return Math.abs(percent) < 9.95 ? String(Number(percent.toFixed(1))) : formatCount(percent);
}
