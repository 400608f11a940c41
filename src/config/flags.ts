import { nearestName } from '../nearest-name.js';
import { type ConfigLayer, nested, overlay } from './layer.js';
import type { ConfigProblem } from './problem.js';
import { allSettings, findSetting } from './settings.js';

/** One setting from the command line, as text. */
export interface FlagSetting {
  /** The setting's dotted name. */
  name: string;
  text: string;
  /** What the user typed, for messages: `--set thresholds.leakThresholdBytes=5MiB`, `--operations lots`. */
  flag: string;
}

/** @returns undefined when there are no flags */
export function flagLayer(flags: readonly FlagSetting[], problems: ConfigProblem[]): ConfigLayer | undefined {
  let value: Record<string, unknown> = {};
  const typed = new Map<string, string>();
  for (const { name, text, flag } of flags) {
    const setting = findSetting(name.split('.'));
    if (!setting) {
      problems.push({ where: flag, setting: '', message: `no such setting; ${advice(name)}` });
      continue;
    }
    value = overlay(value, nested(setting.path, text));
    typed.set(setting.name, flag);
  }
  if (typed.size === 0) return undefined;
  return {
    label: 'command line',
    value,
    where: (path) => typed.get(path.join('.')) ?? 'command line',
    textOnly: true,
  };
}

/** People leave out the section; the last word alone is then compared. */
function advice(name: string): string {
  const settings = allSettings();
  const full = nearestName(
    name,
    settings.map((setting) => setting.name),
  );
  if (full !== undefined) return `did you mean ${full}?`;
  const last = name.split('.').at(-1) ?? '';
  const nearest = nearestName(
    last,
    settings.map((setting) => setting.path.at(-1) ?? ''),
  );
  const setting = settings.find(({ path }) => path.at(-1) === nearest);
  return setting ? `did you mean ${setting.name}?` : '`crucible-memory run --help-config` lists them all';
}
