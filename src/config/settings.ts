import { z } from 'zod';
import { MemoryTestConfigSchema } from './schema.js';

/**
 * Every leaf of the configuration as a flat list, read from the schema itself:
 * what the environment variables, the flags, the error messages and the help
 * text know about a setting, they know from here.
 */

/** What a number counts; decides which text ("5MiB", "30s") may stand for it. */
export type SettingUnit = 'bytes' | 'bytes per second' | 'seconds' | 'milliseconds';

export interface Setting {
  path: readonly string[];
  /** The path joined by dots: `thresholds.leakThresholdBytes`. */
  name: string;
  /** `CRUCIBLE_MEMORY_THRESHOLDS_LEAK_THRESHOLD_BYTES` */
  environmentName: string;
  type: 'number' | 'integer' | 'boolean' | 'string';
  unit?: SettingUnit;
  choices?: readonly string[];
  /** Absent: unset unless given. */
  defaultValue?: number | boolean | string;
  description?: string;
}

export const ENVIRONMENT_PREFIX = 'CRUCIBLE_MEMORY_';

/** Fields of the vocabulary whose unit is not the last word of the name. */
const UNITS_BY_NAME: Readonly<Record<string, SettingUnit>> = {
  maxMemoryGrowthRate: 'bytes per second',
  maxMemoryPerOperation: 'bytes',
};

interface SchemaNode {
  type?: string;
  properties?: Record<string, SchemaNode>;
  default?: unknown;
  description?: string;
  enum?: string[];
}

let known: readonly Setting[] | undefined;

/** All settings, in the order of the schema. */
export function allSettings(): readonly Setting[] {
  known ??= settingsBelow(z.toJSONSchema(MemoryTestConfigSchema, { io: 'input' }) as SchemaNode, []);
  return known;
}

export function findSetting(path: readonly PropertyKey[]): Setting | undefined {
  const name = path.map(String).join('.');
  return allSettings().find((setting) => setting.name === name);
}

/** The names that may stand directly below `path`; empty below a leaf. */
export function keysBelow(path: readonly PropertyKey[]): string[] {
  const startsWithPath = (setting: Setting) => path.every((key, depth) => setting.path[depth] === key);
  const keys = allSettings()
    .filter((setting) => setting.path.length > path.length && startsWithPath(setting))
    .map((setting) => setting.path[path.length] ?? '');
  return [...new Set(keys)];
}

function settingsBelow(node: SchemaNode, path: readonly string[]): Setting[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) =>
    child.properties ? settingsBelow(child, [...path, key]) : [settingOf(child, [...path, key])],
  );
}

function settingOf(node: SchemaNode, path: readonly string[]): Setting {
  const unit = unitOf(path.at(-1) ?? '');
  return {
    path,
    name: path.join('.'),
    environmentName: ENVIRONMENT_PREFIX + path.map(screamingSnakeCase).join('_'),
    type: node.type as Setting['type'],
    ...(unit && { unit }),
    ...(node.enum && { choices: node.enum }),
    ...(node.default !== undefined && { defaultValue: node.default as number | boolean | string }),
    ...(node.description && { description: node.description }),
  };
}

function unitOf(key: string): SettingUnit | undefined {
  if (key.endsWith('Bytes')) return 'bytes';
  if (key.endsWith('Seconds')) return 'seconds';
  if (key.endsWith('Ms')) return 'milliseconds';
  return UNITS_BY_NAME[key];
}

/** @example screamingSnakeCase('baseURL') // "BASE_URL" */
function screamingSnakeCase(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();
}
