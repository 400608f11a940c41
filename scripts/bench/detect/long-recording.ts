import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { loadCore } from '../../../src/native.js';
import { FLOOR_CHANNELS, OPERATION_CHANNELS, V8_CHANNELS } from '../../../src/recording/channels.js';
import { MIB } from '../../../src/units.js';
import { Random } from '../../truth/random.js';

const FOLDER = join(import.meta.dirname, '../../../../build/bench-detect');
const HOUR_MS = 3_600_000;
const FLOORS = 100;

/**
 * The recording of a test of so many hours at 1 kHz, which leaks a little, made by the
 * native writer in build/ unless it is there already.
 */
export function longRecording(hours: number): { path: string; samples: number } {
  const path = join(FOLDER, `${hours}h.cmrec`);
  const samples = hours * HOUR_MS;
  if (existsSync(path)) return { path, samples };
  mkdirSync(FOLDER, { recursive: true });
  const draft = `${path}.draft`;
  const writer = loadCore().createRecording({ path: draft, header: '{"rateHz":1000}' });
  const startNs = process.hrtime.bigint();
  const resident = writer.defineGroup('process', [
    { name: 'rss_bytes', unit: 'bytes', kind: 'integer', description: 'resident set size' },
  ]);
  const v8 = writer.defineGroup('v8', [...V8_CHANNELS]);
  const floor = writer.defineGroup('floor', [...FLOOR_CHANNELS]);
  const counts = writer.defineGroup('operations', [...OPERATION_CHANNELS]);
  const at = (ms: number) => startNs + BigInt(ms) * 1_000_000n;
  const phase = (name: string, edge: string, ms: number) =>
    writer.event('phase', JSON.stringify({ phase: name, edge }), at(ms));
  const random = new Random(1);
  let walk = 0;
  const rss = new Float64Array(1);
  phase('load', 'begin', 0);
  for (let ms = 0; ms < samples; ms++) {
    const x = ms / samples;
    walk += 0.2 * random.normal() - 0.001 * walk;
    rss[0] = Math.round((120 * MIB + 40 * MIB * x + 0.2 * MIB * walk) / 4096) * 4096;
    writer.append(resident, rss, at(ms));
    if (ms % 1000 === 0) {
      const used = 40 * MIB + 40 * MIB * x + (ms % 9000) * 1000;
      writer.append(v8, Float64Array.of(used, used + 20 * MIB, 3 * MIB, MIB), at(ms));
      writer.append(counts, Float64Array.of(ms / 5, 0, 3), at(ms));
    }
    if (ms % Math.floor(samples / FLOORS) === 0) {
      const live = Math.round(40 * MIB + 40 * MIB * x + 50_000 * random.normal());
      const inUse = Math.round(30 * MIB + 20_000 * random.normal());
      writer.append(floor, Float64Array.of(live, live - MIB, MIB, inUse, rss[0], ms / 5), at(ms));
    }
  }
  phase('load', 'end', samples - 1);
  writer.close();
  renameSync(draft, path);
  return { path, samples };
}
