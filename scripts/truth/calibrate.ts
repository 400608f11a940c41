import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ChannelSet } from '../../src/detect/calibration.js';
import { weighProcess } from '../../src/detect/process-evidence.js';
import { sanitise } from '../../src/detect/sanitise.js';
import { FAMILIES, labelledSeries, onlyThreeSignals, SETS } from './corpus.js';
import { fitPlatt, type Outcome } from './platt.js';
import { TRUTH_SETTINGS } from './settings.js';

/**
 * `npm run truth:calibrate`: fits stated to true probability on the set made
 * for it, which shares no seed with the sets that the detector is tuned on and
 * judged by, and writes src/detect/calibration-constants.ts.
 */
const { values: options } = parseArgs({ options: { seeds: { type: 'string', default: '20' } } });
const seeds = Number(options.seeds);
const outcomes: Record<ChannelSet, Outcome[]> = { withAllocator: [], withoutAllocator: [] };
for (const labelled of labelledSeries('calibration', seeds)) {
  for (const { series } of [labelled, onlyThreeSignals(labelled)]) {
    const evidence = weighProcess(sanitise(series), TRUTH_SETTINGS);
    if (evidence.loudest === undefined) continue;
    outcomes[series.signals.mallocInUse ? 'withAllocator' : 'withoutAllocator'].push({
      logOdds: evidence.logOdds,
      isLeak: labelled.leak !== undefined,
    });
  }
}
const withAllocator = fitPlatt(outcomes.withAllocator);
const withoutAllocator = fitPlatt(outcomes.withoutAllocator);
const sizes = `${outcomes.withAllocator.length} and ${outcomes.withoutAllocator.length} series`;
const text = `/** Written by \`npm run truth:calibrate\`; not to be edited. */
export const CALIBRATION = {
  provenance:
    'Platt scaling of asinh(log odds) on the simulated set "calibration": ${FAMILIES.length} families, ${seeds} seeds from ${SETS.calibration} on, ${sizes}',
  withAllocator: { slope: ${Number(withAllocator.slope.toFixed(3))}, offset: ${Number(withAllocator.offset.toFixed(3))} },
  withoutAllocator: { slope: ${Number(withoutAllocator.slope.toFixed(3))}, offset: ${Number(withoutAllocator.offset.toFixed(3))} },
  highestProbability: 0.999,
} as const;
`;
const path = join(import.meta.dirname, '../../../src/detect/calibration-constants.ts');
writeFileSync(path, text);
console.log(text);
