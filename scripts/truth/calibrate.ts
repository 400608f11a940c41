import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ChannelSet } from '../../src/detect/calibration.js';
import { weighProcess } from '../../src/detect/process-evidence.js';
import { sanitise } from '../../src/detect/sanitise.js';
import { cleanOddsOf } from './clean-odds.js';
import { FAMILIES, labelledSeries, onlyThreeSignals, SETS } from './corpus.js';
import { CLEAN_FAMILIES } from './families.js';
import { fitPlatt, type Outcome } from './platt.js';
import { TRUTH_SETTINGS } from './settings.js';

/**
 * `npm run truth:calibrate`: fits stated to true probability, and measures what
 * odds clean series get, on the sets made for it, which share no seed with
 * the sets that the detector is tuned on and judged by; writes
 * src/detect/calibration-constants.ts.
 */
const { values: options } = parseArgs({
  options: { seeds: { type: 'string', default: '40' }, 'clean-seeds': { type: 'string', default: '60' } },
});
const seeds = Number(options.seeds);
const cleanSeeds = Number(options['clean-seeds']);
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
const platt = (channels: ChannelSet) => {
  const { slope, offset } = fitPlatt(outcomes[channels]);
  return `{ slope: ${slope.toFixed(3)}, offset: ${offset.toFixed(3)} }`;
};
const sizes = `${outcomes.withAllocator.length} and ${outcomes.withoutAllocator.length} series`;
const clean = cleanOddsOf(cleanSeeds);
const text = `/** Written by \`npm run truth:calibrate\`; not to be edited. */
export const CALIBRATION = {
  provenance:
    'Platt scaling of asinh(log odds) on the simulated set "calibration": ${FAMILIES.length} families, ${seeds} seeds from ${SETS.calibration} on, ${sizes}',
  withAllocator: ${platt('withAllocator')},
  withoutAllocator: ${platt('withoutAllocator')},
  highestProbability: 0.999,
  cleanProvenance:
    'log odds of the clean families of the simulated set "clean": ${CLEAN_FAMILIES.length} families, ${cleanSeeds} seeds from ${SETS.clean} on',
  clean: ${JSON.stringify(clean, null, 2)},
} as const;
`;
const path = join(import.meta.dirname, '../../../src/detect/calibration-constants.ts');
writeFileSync(path, text);
console.log(text);
