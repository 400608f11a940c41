import { parseArgs } from 'node:util';
import { PROFILES } from '../../../src/config/index.js';
import type { MemoryTestResult } from '../../../src/diagnosis/index.js';
import { MemoryTestRunner } from '../../../src/runner/memory-test-runner.js';
import { PLANTED_LEAKS, type PlantedLeak, plantedLeak } from '../../../src/runner/planted-leaks.js';
import { SERVICE_TYPES, type ServiceType, TestScenario } from '../../../src/vocabulary.js';
import type { Case } from './outcome.js';
import { headOfTable, missed, rowOf, summaryOf } from './page.js';

/**
 * `npm run truth:planted`: every leak that can be planted in a reference
 * service, and every service without one, run and judged as `run` does it.
 * Exits 1 when a leak is missed or not named, or a clean service is said to
 * leak. Five minutes: 18 processes, one after the other. A test that cannot
 * decide is repeated once, for as long as it says that it needs: a busy machine
 * does less in ten seconds.
 *
 *   node dist/scripts/truth/planted/main.js [--only NAME]... [--seconds 10]
 */
const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    seconds: { type: 'string', default: '10' },
  },
});
const seconds = Number(options.seconds);
if (!(seconds > 0)) throw new Error(`--seconds ${options.seconds}: expected a number of seconds`);

const SECONDS_AT_MOST = 180;
const { smoke } = PROFILES;
const planted = options.only?.map(plantedLeak) ?? PLANTED_LEAKS;
const clean = options.only ? [] : SERVICE_TYPES;

console.log(headOfTable());
const cases: Case[] = [];
for (const { service, leak } of [
  ...clean.map((service) => ({ service, leak: null })),
  ...planted.map((leak) => ({ service: leak.service, leak })),
]) {
  const done = { service, leak, result: await resultOf(service, leak) };
  cases.push(done);
  console.log(rowOf(done));
}
console.log(summaryOf(cases));
process.exitCode = missed(cases).length === 0 ? 0 : 1;

async function resultOf(service: ServiceType, leak: PlantedLeak | null): Promise<MemoryTestResult> {
  const first = await resultAfter(seconds, service, leak);
  const { verdict, neededSeconds = 2 * seconds } = first.leakDetection;
  if (verdict !== 'inconclusive') return first;
  return resultAfter(Math.min(SECONDS_AT_MOST, 1.5 * neededSeconds), service, leak);
}

async function resultAfter(loadSeconds: number, service: ServiceType, leak: PlantedLeak | null) {
  const { overlay } = smoke;
  const config = {
    ...overlay,
    testDurations: { ...overlay.testDurations, mediumTestSeconds: loadSeconds },
    reporting: { exportToFile: false, generateCharts: false, detailedLogging: false },
  };
  const runner = await MemoryTestRunner.create(config, leak ? { inject: leak.name } : {});
  const result = await runner.runTestScenario(service, TestScenario.HighFrequencyOperations);
  if (result.failure) throw new Error(`${service} could not be run: ${JSON.stringify(result.failure)}`);
  return result;
}
