import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installPeer, median } from '../../peer.js';
import { CONTENDERS } from '../../sampler/contenders.js';
import { type Load, type Measured, PAIRS } from '../../sampler/target.js';
import { type Finding, type Part, percent, quantile } from '../finding.js';

const PART = 'sampling';
const AT_1_KHZ = 'crucible-memory 1 kHz, V8, counters';
const AT_100_HZ = 'crucible-memory 100 Hz, V8, counters';
const CPU_GOALS: Record<string, number> = { [AT_1_KHZ]: 0.035, [AT_100_HZ]: 0.006 };
const SLOW_DOWN_GOAL = 0.01;
const LOADS: Load[] = ['idle', 'blocked', 'allocating', 'io'];

/** What it costs to watch the memory of one's own process: CPU beside an idle program, slow-down of busy ones. */
export const sampling: Part = async ({ rounds, seconds }, say) => {
  installPeer('pidusage');
  const units: Partial<Record<Load, number>> = { idle: seconds * 1000 };
  for (const load of LOADS.slice(1)) units[load] = await unitsFor(load, seconds * 1000);
  const names = Object.keys(CONTENDERS);
  const results = new Map(names.map((name) => [name, new Map<Load, Measured[]>()]));
  for (let round = 0; round < rounds; round++) {
    say(`round ${round + 1} of ${rounds}`);
    for (const load of LOADS)
      for (let i = 0; i < names.length; i++) {
        // Each round begins with another: none has always the coolest machine.
        const name = names[(i + round) % names.length] as string;
        const loads = results.get(name) as Map<Load, Measured[]>;
        loads.set(load, [...(loads.get(load) ?? []), await run(name, load, units[load] as number)]);
      }
  }
  return findingsOf(results);
};

async function run(contender: string, load: Load, amount: number): Promise<Measured> {
  const target = join(import.meta.dirname, '../../sampler/target.js');
  const { stdout } = await promisify(execFile)(process.execPath, [target, contender, load, String(amount)]);
  return JSON.parse(stdout) as Measured;
}

/** As many units as fill the time in PAIRS turns with and as many without. */
async function unitsFor(load: Load, durationMs: number): Promise<number> {
  const probe = 20;
  const { wallMs } = await run('none', load, probe);
  return Math.max(1, Math.round(durationMs / (2 * PAIRS * (wallMs / (PAIRS * probe)))));
}

type Results = ReadonlyMap<string, ReadonlyMap<Load, Measured[]>>;

function findingsOf(results: Results): Finding[] {
  return [...results.keys()]
    .filter((name) => name !== 'none')
    .flatMap((name) => [
      cpuOf(name, results),
      ...LOADS.slice(1).map((load) => slowDownOf(name, load, results)),
    ]);
}

function cpuOf(name: string, results: Results): Finding {
  const measured = (load: Load, of = name) => results.get(of)?.get(load) ?? [];
  const idleShare = (of: string) => median(measured('idle', of).map(({ cpuMs, wallMs }) => cpuMs / wallMs));
  const share = idleShare(name) - idleShare('none');
  // V8 answers only while JavaScript runs: the threads' own count then shows what asking costs them.
  const own = measured('blocked').flatMap(({ cpuNs, wallMs }) =>
    cpuNs === undefined ? [] : [cpuNs / 1e6 / wallMs],
  );
  const rate = (load: Load) =>
    median(measured(load).map(({ samples, wallMs }) => (1000 * samples) / wallMs)).toFixed(0);
  const goal = CPU_GOALS[name];
  return {
    part: PART,
    what: `${name}: CPU of one core`,
    measured: `${percent(share)} idle${own.length > 0 ? `, ${percent(median(own))} of its threads when blocked` : ''}; ${rate('idle')} and ${rate('blocked')} samples a second`,
    ...(goal !== undefined && {
      goal: `at most ${percent(goal, 1)}`,
      isMet: Math.max(share, median(own)) <= goal,
    }),
  };
}

function slowDownOf(name: string, load: Load, results: Results): Finding {
  const spread = (of: string, pick: (measured: Measured) => number) => {
    const numbers = (results.get(of)?.get(load) ?? []).map(pick);
    const [low, high] = [quantile(numbers, 0.25), quantile(numbers, 0.75)];
    return { middle: median(numbers), low, high, noise: Math.max(Math.abs(low), Math.abs(high)) };
  };
  const [wall, thread] = [
    ({ slowDown }: Measured) => slowDown,
    ({ threadSlowDown }: Measured) => threadSlowDown ?? Number.NaN,
  ].map((pick) => {
    const { middle, low, high } = spread(name, pick);
    // Without any contender both halves of a pair are the same: what they differ by is noise.
    const { noise } = spread('none', pick);
    return {
      middle,
      noise,
      text: `${percent(middle, 1)} (${percent(low, 1)} .. ${percent(high, 1)}, noise ${percent(noise, 1)})`,
    };
  }) as [Slowness, Slowness];
  // Other programs disturb the thread's own time less than the clock.
  const clearest = [wall, thread].find(({ noise }) => noise <= SLOW_DOWN_GOAL);
  return {
    part: PART,
    what: `${name}: slow-down, ${load}`,
    measured: `${wall.text}; in CPU time of its thread ${thread.text}`,
    ...(name === AT_1_KHZ &&
      load === 'blocked' && {
        goal: `at most ${percent(SLOW_DOWN_GOAL, 0)}`,
        isMet: clearest && clearest.middle <= SLOW_DOWN_GOAL,
      }),
  };
}

interface Slowness {
  middle: number;
  noise: number;
  text: string;
}
