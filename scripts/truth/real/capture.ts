import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { readRecording } from '../../../src/recording/index.js';
import { processSeriesOf } from '../../../src/recording/recorded-process.js';
import { CLEAN, LEAKING } from './programs.js';
import { encodeReal, REAL_RECORDINGS, realRecordings } from './recordings.js';

/**
 * `npm run truth:record`: runs every program, each in a process of its own
 * under our sampler, and writes scripts/truth/real/recordings.ndjson.gz. Takes
 * about ten minutes; two run at a time. `--only NAME`, repeatable: those are
 * recorded anew, the others stay as they are.
 */
const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    rate: { type: 'string', default: '250' },
    only: { type: 'string', multiple: true },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'crucible-truth-'));
const order = [...Object.keys(CLEAN), ...Object.keys(LEAKING)];
const waiting = order.filter((name) => options.only?.includes(name) ?? true);
const lines = new Map<string, string>();
if (options.only)
  for (const { series, pattern } of realRecordings()) lines.set(series.id, encodeReal(series, pattern));

async function recordOneAfterTheOther(): Promise<void> {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const path = join(folder, `${name.replaceAll(' ', '-')}.cmrec`);
    const args = [join(import.meta.dirname, 'program.js'), name, path, options.seconds, options.rate];
    const child = spawn(process.execPath, args, { stdio: 'inherit' });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`${name} ended with ${code}`);
    const series = processSeriesOf(await readRecording(path));
    lines.set(name, encodeReal({ ...series, id: name }, LEAKING[name]?.pattern ?? null));
    console.log(name);
  }
}
await Promise.all([recordOneAfterTheOther(), recordOneAfterTheOther()]);
writeFileSync(
  REAL_RECORDINGS,
  gzipSync(`${order.map((name) => lines.get(name)).join('\n')}\n`, { level: 9 }),
);
rmSync(folder, { recursive: true, force: true });
