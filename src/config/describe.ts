import { formatBytes, formatBytesPerSecond, formatDuration } from '../units.js';
import { PROFILES } from './profiles.js';
import { allSettings, type Setting } from './settings.js';

/** Every setting with its default, for `run --help-config` and for documentation. */
export function describeSettings(): string {
  const sections = new Map<string, Setting[]>();
  for (const setting of allSettings()) {
    const section = setting.path.slice(0, -1).join('.');
    sections.set(section, [...(sections.get(section) ?? []), setting]);
  }
  const blocks = [...sections].map(([section, settings]) =>
    [section, ...settings.map((setting) => `  ${describeSetting(setting)}`)].join('\n'),
  );
  return [...blocks, describeProfiles()].join('\n\n');
}

/** One line for each profile. */
export function describeProfiles(): string {
  const lines = Object.entries(PROFILES).map(
    ([name, { description }]) => `  ${name.padEnd(9)} ${description}`,
  );
  return ['profiles', ...lines].join('\n');
}

function describeSetting(setting: Setting): string {
  const key = setting.path.at(-1) ?? '';
  const choices = setting.choices ? ` (${setting.choices.join(', ')})` : '';
  const line = `${key.padEnd(28)} ${defaultText(setting).padEnd(22)} ${(setting.description ?? '') + choices}`;
  return line.trimEnd();
}

/** The default as it may be written, and as it is read. */
function defaultText({ defaultValue, unit }: Setting): string {
  if (defaultValue === undefined) return 'unset';
  if (typeof defaultValue !== 'number') return String(defaultValue);
  if (unit === 'bytes') return formatBytes(defaultValue);
  if (unit === 'bytes per second') return formatBytesPerSecond(defaultValue);
  if (unit === 'seconds') return formatDuration(defaultValue * 1000);
  if (unit === 'milliseconds') return formatDuration(defaultValue);
  return String(defaultValue);
}
