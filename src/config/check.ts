import type { z } from 'zod';
import { nearestName, suggestion } from '../nearest-name.js';
import { type ConfigLayer, isRecord, type SettingPath } from './layer.js';
import { ConfigError, type ConfigProblem } from './problem.js';
import { parseQuantity, quantityHint } from './quantity.js';
import { type MemoryTestConfig, MemoryTestConfigSchema } from './schema.js';
import { isSecret } from './secrets.js';
import { allSettings, findSetting, keysBelow, type Setting } from './settings.js';

/**
 * Checks one source of settings on its own, so that each problem is reported
 * where it stands. That is enough, because no rule of the schema spans two
 * settings.
 */

export interface CheckedLayer {
  /** The settings with their text turned into numbers and booleans. */
  value: Record<string, unknown>;
  problems: ConfigProblem[];
}

type Issue = z.core.$ZodIssue;

export function checkLayer(layer: ConfigLayer): CheckedLayer {
  const problems: ConfigProblem[] = [];
  const value = interpret(layer.value, [], layer, problems);
  const alreadyReported = new Set(problems.map((problem) => problem.setting));
  const outcome = MemoryTestConfigSchema.safeParse(value, { reportInput: true });
  for (const issue of outcome.error?.issues ?? []) {
    if (alreadyReported.has(issue.path.join('.'))) continue;
    problems.push(...problemsOf(issue, layer));
  }
  return { value: isRecord(value) ? value : {}, problems };
}

/**
 * Checks a configuration that a program hands over and fills in the defaults.
 * @throws ConfigError
 */
export function checkConfig(input: unknown = {}): MemoryTestConfig {
  const layer = { label: 'config', value: input, where: () => '', textOnly: false };
  const { value, problems } = checkLayer(layer);
  if (problems.length > 0)
    throw new ConfigError(problems, 'correct the object that is passed as the configuration');
  return MemoryTestConfigSchema.parse(value);
}

/** Text that stands for a number or a boolean becomes one; everything else stays for the schema to judge. */
function interpret(value: unknown, path: string[], layer: ConfigLayer, problems: ConfigProblem[]): unknown {
  const setting = findSetting(path);
  if (setting) return typeof value === 'string' ? interpretText(value, setting, layer, problems) : value;
  // A section whose lines are all commented out is null in YAML.
  if (value === null && (path.length === 0 || keysBelow(path).length > 0)) return {};
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key, interpret(child, [...path, key], layer, problems)]),
  );
}

function interpretText(
  text: string,
  setting: Setting,
  layer: ConfigLayer,
  problems: ConfigProblem[],
): unknown {
  if (setting.type === 'string') return text;
  if (layer.textOnly && setting.type === 'boolean') return BOOLEANS[text.toLowerCase()] ?? text;
  if (layer.textOnly && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim())) return Number(text);
  if (!setting.unit) return text;
  const quantity = parseQuantity(text, setting.unit);
  if (quantity !== undefined) return quantity;
  problems.push({
    where: layer.where(setting.path, 'value'),
    setting: setting.name,
    message: `expected ${quantityHint(setting.unit)}, received ${quoted(text)}`,
  });
  return undefined;
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  '1': true,
  false: false,
  no: false,
  off: false,
  '0': false,
};

function problemsOf(issue: Issue, layer: ConfigLayer): ConfigProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey([...issue.path, key], layer));
  }
  const setting = issue.path.join('.');
  return [{ where: layer.where(issue.path, 'value'), setting, message: messageOf(issue) }];
}

function unknownKey(path: SettingPath, layer: ConfigLayer): ConfigProblem {
  const name = path.join('.');
  const key = String(path.at(-1));
  const siblings = keysBelow(path.slice(0, -1));
  const elsewhere = allSettings().find((setting) => setting.path.at(-1) === key);
  const advice =
    nearestName(key, siblings) === undefined && elsewhere
      ? `did you mean "${elsewhere.name}"?`
      : suggestion(key, siblings);
  return { where: layer.where(path, 'key'), setting: name, message: `no such setting; ${advice}` };
}

function messageOf(issue: Issue): string {
  const setting = findSetting(issue.path);
  const received = `received ${setting && isSecret(setting.name) ? kindOf(issue.input) : quoted(issue.input)}`;
  const advice =
    setting?.choices && typeof issue.input === 'string'
      ? `; ${suggestion(issue.input, setting.choices)}`
      : '';
  return `expected ${expectationOf(issue, setting)}, ${received}${advice}`;
}

function expectationOf(issue: Issue, setting: Setting | undefined): string {
  if (!setting) return `a section with settings (${keysBelow(issue.path).join(', ')})`;
  if (setting.choices) return setting.choices.map((choice) => `"${choice}"`).join(' or ');
  if (issue.code === 'too_small' && issue.origin === 'string') return 'text that is not empty';
  if (issue.code === 'too_small') return `${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`;
  if (issue.code === 'too_big') return `${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}`;
  if (issue.code === 'invalid_format') return 'a URL such as http://127.0.0.1:8080/v1';
  if (setting.unit) return quantityHint(setting.unit);
  return EXPECTATIONS[setting.type];
}

const EXPECTATIONS: Readonly<Record<Setting['type'], string>> = {
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  string: 'text',
};

/** A value as the reader wrote it, short enough for a line. */
function quoted(value: unknown): string {
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}
