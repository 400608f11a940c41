import { formatBytes, KIB } from '../units.js';

/** Where an axis begins and ends, and what is written beside it. */
export interface Axis {
  low: number;
  high: number;
  ticks: { at: number; label: string }[];
}

/** From zero, unless the values fill less than the upper half: then what happens would be a flat line. */
export function bytesAxis(lowest: number, highest: number, ticksWanted = 5): Axis {
  const span = Math.max(highest - lowest, 0.02 * Math.abs(highest), KIB);
  const fromZero = lowest < 0.5 * highest;
  const step = niceBytes((fromZero ? highest : span) / ticksWanted);
  const low = Math.max(0, Math.floor((fromZero ? 0 : lowest) / step) * step);
  const high = Math.max(low + step, Math.ceil(highest / step) * step);
  return { low, high, ticks: ticksOf(low, high, step, formatBytes) };
}

const MILLISECOND_STEPS = [
  100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000,
  3_600_000, 7_200_000, 14_400_000, 28_800_000, 86_400_000,
];

export function timeAxis(toMs: number, ticksWanted = 10): Axis {
  const step = MILLISECOND_STEPS.find((candidate) => candidate >= toMs / ticksWanted) ?? toMs;
  return { low: 0, high: toMs, ticks: ticksOf(0, toMs, step, (ms) => timeLabel(ms, step)) };
}

function timeLabel(ms: number, step: number): string {
  if (step >= 3_600_000) return `${ms / 3_600_000} h`;
  if (step >= 60_000) return `${ms / 60_000} min`;
  return `${Number((ms / 1000).toFixed(1))} s`;
}

/** The next power of two, so that ticks are round numbers of KiB, MiB or GiB. */
function niceBytes(bytes: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, bytes)));
}

function ticksOf(low: number, high: number, step: number, label: (value: number) => string) {
  const ticks = [];
  for (let at = Math.ceil(low / step) * step; at <= high * (1 + 1e-9); at += step)
    ticks.push({ at, label: label(at) });
  return ticks;
}
