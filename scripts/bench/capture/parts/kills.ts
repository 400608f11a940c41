import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readRecording } from '../../../../src/recording/index.js';
import { median } from '../../peer.js';
import { ms, type Part } from '../finding.js';
import { inFolder, startProgram } from '../program.js';

/** For each run of the effort: 100 of 20. */
const KILLS_OF_A_RUN = 5;
const TICK_MS = 1;

/** What a recording at 1 kHz holds of a program that is killed with SIGKILL at any moment. */
export const kills: Part = ({ runs }, say) =>
  inFolder(async (folder) => {
    const count = KILLS_OF_A_RUN * runs;
    let torn = 0;
    const lostMs: number[] = [];
    const gapsMs: number[] = [];
    for (let kill = 0; kill < count; kill++) {
      if (kill % 20 === 0) say(`${kill} of ${count}`);
      const path = join(folder, 'killed.cmrec');
      const child = startProgram('killed', [path]);
      await once(child.stdout as NodeJS.EventEmitter, 'data');
      await sleep(50 + Math.random() * 100);
      const killedNs = process.hrtime.bigint();
      child.kill('SIGKILL');
      await once(child, 'exit');
      const { header, problems, ...recording } = await recordingOf(path);
      if (problems.length > 0) torn++;
      const { timesMs } = recording;
      lostMs.push(Number(killedNs - header.startNs) / 1e6 - (timesMs.at(-1) ?? 0));
      gapsMs.push(Math.max(...timesMs.slice(-50).map((timeMs, i, all) => timeMs - (all[i - 1] ?? timeMs))));
    }
    const ticks = lostMs.filter((lost) => lost <= 2 * TICK_MS).length;
    return [
      {
        part: 'kills',
        what: `torn records in ${count} kills with SIGKILL at 1 kHz`,
        measured: `${torn}`,
        goal: '0',
        isMet: torn === 0,
      },
      {
        part: 'kills',
        what: 'kills that lost at most one tick',
        measured: `${ticks} of ${count} (last sample to kill ${ms(median(lostMs))}, longest ${ms(Math.max(...lostMs))}; longest gap of the 50 ticks before ${ms(Math.max(...gapsMs))})`,
        goal: `${count} of ${count}, or no more than a tick before was late`,
        isMet: lostMs.every((lost, i) => lost <= Math.max(2 * TICK_MS, gapsMs[i] as number)),
      },
    ];
  });

async function recordingOf(path: string) {
  const recording = await readRecording(path);
  const timesMs = [...(recording.series('rss_bytes')?.timesMs ?? [])];
  return { header: recording.header, problems: recording.problems, timesMs };
}
