import { createColors } from 'picocolors';
import type { ComparisonResult } from '../diagnosis/index.js';
import { formatBytes, formatBytesPerSecond, formatPercent } from '../units.js';
import { wrap } from './layout.js';

const MARKS = { leak: '✗ leak', 'no-leak': '✓ no leak', inconclusive: '? inconclusive' } as const;

/** What came out of comparing two builds in one scenario, without a newline at the end. */
export function renderComparison(
  result: ComparisonResult,
  {
    paint = createColors(false),
    width = 100,
  }: { paint?: ReturnType<typeof createColors>; width?: number } = {},
): string {
  const { verdict, confidence, scenario, rounds, levelBytes } = result;
  const colour = { leak: paint.red, 'no-leak': paint.green, inconclusive: paint.yellow }[verdict];
  const sure = verdict === 'inconclusive' ? '' : `  ${formatPercent(confidence)} sure`;
  const each = rounds.map(({ bytesPerOperation, bytesPerSecond }) =>
    bytesPerOperation === null ? formatBytesPerSecond(bytesPerSecond) : formatBytes(bytesPerOperation),
  );
  const unit = rounds.some(({ bytesPerOperation }) => bytesPerOperation !== null) ? ' per operation' : '';
  const lines = [
    `${rounds.length} rounds, in each so much more is kept${unit}: ${each.join(', ')}`,
    ...(levelBytes === null ? [] : [`from the start the new build keeps ${formatBytes(levelBytes)} more`]),
    ...(result.patternType ? [`pattern: ${result.patternType}`] : []),
    ...(result.remedy ? [result.remedy] : []),
  ];
  return [
    `${colour(MARKS[verdict])}  ${paint.bold(scenario)}${sure}`,
    ...wrap(result.explanation, width, '    '),
    ...lines.flatMap((line) => wrap(line, width, '      ', '    - ')),
  ].join('\n');
}
