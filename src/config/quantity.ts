import { GIB, KIB, MIB } from '../units.js';
import type { SettingUnit } from './settings.js';

/** Sizes and durations as people write them: 5MiB, 100MB, 30s, 1h30m. */

const SIZES: Readonly<Record<string, number>> = {
  B: 1,
  KiB: KIB,
  MiB: MIB,
  GiB: GIB,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
};

const MILLISECONDS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * A number with its unit as text, in the unit of the setting.
 *
 * MB is 1,000,000 bytes and MiB is 1,048,576; a bare M is refused, because it
 * is read as either. Parts of a duration may be joined.
 * @returns undefined when the text is no such quantity
 * @example parseQuantity('1h30m', 'seconds') // 5400
 */
export function parseQuantity(text: string, unit: SettingUnit): number | undefined {
  const trimmed = text.trim();
  if (unit === 'seconds' || unit === 'milliseconds') {
    const durationMs = parseDurationMs(trimmed);
    return durationMs === undefined || unit === 'milliseconds' ? durationMs : durationMs / 1000;
  }
  return parseBytes(unit === 'bytes per second' ? trimmed.replace(/\s*\/s$/, '') : trimmed);
}

/** What a person may write for a setting of this unit. */
export function quantityHint(unit: SettingUnit): string {
  if (unit === 'bytes') return 'a number of bytes or a size such as 5MiB';
  if (unit === 'bytes per second') return 'a number of bytes per second or a rate such as 1MiB/s';
  return `a number of ${unit} or a duration such as ${unit === 'seconds' ? '30s, 5m or 8h' : '250ms or 2s'}`;
}

function parseBytes(text: string): number | undefined {
  const [, amount, size] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(text) ?? [];
  const factor = SIZES[size ?? ''];
  return amount === undefined || factor === undefined ? undefined : Math.round(Number(amount) * factor);
}

function parseDurationMs(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?\s*(ms|s|min|m|h|d)\s*)+$/.test(text)) return undefined;
  const parts = text.matchAll(/(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)/g);
  return [...parts].reduce(
    (total, [, amount, unit]) => total + Number(amount) * (MILLISECONDS[unit ?? ''] ?? 0),
    0,
  );
}
