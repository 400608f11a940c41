import { PLANTED_LEAKS } from '../runner/planted-leaks.js';
import { SERVICE_TYPES } from '../vocabulary.js';
import type { RunArguments } from './arguments.js';

/** What `run --inject list` prints, and `run --list` among other things. */
export function plantedText(format: RunArguments['format']): string {
  return format === 'json' ? `${JSON.stringify(PLANTED_LEAKS, null, 2)}\n` : `${describePlantedLeaks()}\n`;
}

export function describePlantedLeaks(): string {
  const width = Math.max(...PLANTED_LEAKS.map(({ name }) => name.length));
  const blocks = SERVICE_TYPES.flatMap((service) => [
    `  ${service}`,
    ...PLANTED_LEAKS.filter((leak) => leak.service === service).map(
      ({ name, what }) => `    ${name.padEnd(width)}  ${what}`,
    ),
  ]);
  return ['planted leaks (run --inject <leak>)', ...blocks].join('\n');
}
