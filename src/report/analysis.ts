import { createColors } from 'picocolors';
import type { LeakDetectionResult } from '../diagnosis/index.js';
import { formatBytes, formatPercent } from '../units.js';
import { wrap } from './layout.js';
import { plain } from './plain-text.js';

/** The verdict on a series that was not recorded by a test of ours. */
export interface NamedVerdict {
  id: string;
  result: LeakDetectionResult;
}

/** One line of NDJSON: what a program wants first, and then the rest. */
export function analysisLine({ id, result }: NamedVerdict): string {
  const {
    verdict,
    leakDetected,
    confidence,
    leakRate,
    bytesPerOperation,
    patternAnalysis,
    explanation,
    ...rest
  } = result;
  return JSON.stringify({
    id,
    verdict,
    leakDetected,
    confidence,
    leakRate,
    bytesPerOperation,
    pattern: patternAnalysis?.patternType ?? null,
    explanation,
    ...rest,
    ...(patternAnalysis && { patternAnalysis }),
  });
}

const MARKS = { leak: '✗ leak', 'no-leak': '✓ no leak', inconclusive: '? inconclusive' } as const;

/** The same for a person, without a newline at the end. */
export function renderAnalysis(
  { id, result }: NamedVerdict,
  {
    paint = createColors(false),
    width = 100,
  }: { paint?: ReturnType<typeof createColors>; width?: number } = {},
): string {
  const colour = { leak: paint.red, 'no-leak': paint.green, inconclusive: paint.yellow }[result.verdict];
  const sure = result.verdict === 'inconclusive' ? '' : `  ${formatPercent(result.confidence)} sure`;
  const pattern = result.patternAnalysis ? [`pattern: ${result.patternAnalysis.patternType}`] : [];
  const along = growingWords(result.growingSeries);
  const more = [
    result.power,
    result.remedy,
    result.fragmentation,
    ...pattern,
    ...along,
    ...(result.notes ?? []),
  ];
  return [
    `${colour(MARKS[result.verdict])}  ${paint.bold(id)}${sure}`,
    ...wrap(result.explanation, width, '    '),
    ...more.filter((line) => line !== undefined).flatMap((line) => wrap(line, width, '      ', '    - ')),
  ].join('\n');
}

const SERIES_LISTED = 8;

/** What else grows, of all series of a recording that were judged; nothing where nothing does. */
function growingWords(grown: LeakDetectionResult['growingSeries']): string[] {
  if (grown === undefined || grown.growing.length === 0) return [];
  const { growing, judged, falseDiscoveryRate } = grown;
  const named = growing.slice(0, SERIES_LISTED).map(({ channel, unit, growth }) => {
    const amount = unit === 'bytes' ? formatBytes(growth) : Number(growth.toPrecision(3));
    return `${plain(channel)} by ${amount}`;
  });
  const more = growing.length > named.length ? `, and ${growing.length - named.length} more` : '';
  return [
    `of ${judged} other series grow (false discovery rate ${formatPercent(falseDiscoveryRate)}): ${named.join(', ')}${more}`,
  ];
}

/** What many verdicts together are worth; see Fleet in detect/. */
export interface FleetFigures {
  series: number;
  leaks: number;
  falseDiscoveryRate: number;
  confirmed: number;
  doubtful: string[];
}

export function renderFleet(fleet: FleetFigures, width = 100): string {
  const { series, leaks, falseDiscoveryRate, confirmed, doubtful } = fleet;
  const held = `${confirmed} of them with a false discovery rate of ${formatPercent(falseDiscoveryRate)} over all ${series} (Benjamini-Hochberg)`;
  const lines = [leaks === 0 ? `${series} series, 0 leak` : `${series} series, ${leaks} leak; ${held}`];
  if (doubtful.length > 0)
    lines.push(`among so many, chance may have made: ${doubtful.map(plain).join(', ')}`);
  return lines.flatMap((line) => wrap(line, width, '')).join('\n');
}
