import { describeProfiles, PROFILE_NAMES } from '../config/index.js';
import { PLANTED_LEAKS } from '../runner/planted-leaks.js';
import { SERVICE_TYPES, TEST_SCENARIOS } from '../vocabulary.js';
import type { RunArguments } from './arguments.js';

/** What there is to choose from, as `run --list` prints it. */
export function listText(format: RunArguments['format']): string {
  if (format === 'json') {
    const lists = { services: SERVICE_TYPES, scenarios: TEST_SCENARIOS, profiles: PROFILE_NAMES };
    return `${JSON.stringify({ ...lists, plantedLeaks: PLANTED_LEAKS }, null, 2)}\n`;
  }
  const block = (title: string, names: readonly string[]) =>
    [title, ...names.map((name) => `  ${name}`)].join('\n');
  const blocks = [block('services', SERVICE_TYPES), block('scenarios', TEST_SCENARIOS), describeProfiles()];
  return `${[...blocks, plantedLeaks()].join('\n\n')}\n`;
}

/** What `run --inject list` prints. */
export function plantedText(format: RunArguments['format']): string {
  return format === 'json' ? `${JSON.stringify(PLANTED_LEAKS, null, 2)}\n` : `${plantedLeaks()}\n`;
}

function plantedLeaks(): string {
  const width = Math.max(...PLANTED_LEAKS.map(({ name }) => name.length));
  const blocks = SERVICE_TYPES.flatMap((service) => [
    `  ${service}`,
    ...PLANTED_LEAKS.filter((leak) => leak.service === service).map(
      ({ name, what }) => `    ${name.padEnd(width)}  ${what}`,
    ),
  ]);
  return ['planted leaks (run --inject <leak>)', ...blocks].join('\n');
}
