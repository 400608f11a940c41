import { createColors } from 'picocolors';
import type { LeakDetectionResult } from '../diagnosis/index.js';
import { formatPercent } from '../units.js';
import { wrap } from './layout.js';

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
  const more = [result.power, result.remedy, result.fragmentation, ...pattern, ...(result.notes ?? [])];
  return [
    `${colour(MARKS[result.verdict])}  ${paint.bold(id)}${sure}`,
    ...wrap(result.explanation, width, '    '),
    ...more.filter((line) => line !== undefined).flatMap((line) => wrap(line, width, '      ', '    - ')),
  ].join('\n');
}
