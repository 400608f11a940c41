/** A path into the configuration, as zod and the yaml package give it. */
export type SettingPath = readonly PropertyKey[];

/** A source of settings before it is checked: a file, the environment, the flags. */
export interface ConfigLayer {
  /** How the source is listed: `crucible-memory.config.yaml`, `2 environment variables`. */
  label: string;
  /** Settings in the nested form of MemoryTestConfig. */
  value: unknown;
  /** Where a key or its value stands, for a person who wants to go there. */
  where(path: SettingPath, part: 'key' | 'value'): string;
  /** Everything is text here (environment, flags): "5" is a number, "yes" is true. */
  textOnly: boolean;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `above` over `below`; sections are merged, values are replaced. Neither is changed. */
export function overlay(below: unknown, above: unknown): Record<string, unknown> {
  const merged: Record<string, unknown> = isRecord(below) ? { ...below } : {};
  for (const [key, value] of Object.entries(isRecord(above) ? above : {})) {
    if (value === undefined) continue;
    merged[key] = isRecord(value) ? overlay(merged[key], value) : value;
  }
  return merged;
}

/** `value` inside the nested objects that `path` names. */
export function nested(path: readonly string[], value: unknown): Record<string, unknown> {
  const [key, ...rest] = path;
  if (key === undefined) throw new RangeError('a setting has at least one name');
  return { [key]: rest.length === 0 ? value : nested(rest, value) };
}
