/**
 * What counting costs, beside doing the same without, and what the sampler's
 * scan of the counts costs: each in a process of its own, interleaved, medians
 * of several rounds.
 *
 *   node dist/scripts/bench/refcount/main.js [--rounds 7] [--json]
 */
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from '../peer.js';
import { CONTENDERS, type Contender } from './contenders.js';
import { measureScan, SCANS, type Scan } from './scan.js';

const GOAL_NS = 50;
const GOAL_OF = 'Arc: clone + drop';
const WARM_UP_TURNS = 3;
const TURNS = 9;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    json: { type: 'boolean', default: false },
    measure: { type: 'string' },
  },
});

if (values.measure === undefined) compare(Number(values.rounds));
else console.log(await measure(values.measure));

async function measure(name: string): Promise<number> {
  const contender = CONTENDERS.find((each) => each.name === name);
  return contender ? await measureTurns(contender) : measureScan(name as Scan);
}

/**
 * In the process of one contender: nanoseconds of CPU for one time, the median
 * of its turns. All threads of the process: what the garbage collector does
 * about it counts too. On the clock a shared machine would show its own load.
 */
async function measureTurns({ times, start }: Contender): Promise<number> {
  const turn = start();
  const taken: number[] = [];
  for (let i = 0; i < WARM_UP_TURNS + TURNS; i++) {
    const before = process.cpuUsage();
    await turn(times);
    const { user, system } = process.cpuUsage(before);
    if (i >= WARM_UP_TURNS) taken.push((1000 * (user + system)) / times);
  }
  return median(taken);
}

interface Row {
  name: string;
  cpuNs: number;
  /** More than its baseline of the same round; the median of the rounds. */
  moreCpuNs: number | null;
}

function compare(rounds: number): void {
  const [tick, ...scans] = Object.keys(SCANS);
  const names = [...CONTENDERS.map(({ name }) => name), tick as string, ...scans];
  const taken = new Map<string, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      const command = [fileURLToPath(import.meta.url), '--measure', name];
      taken.get(name)?.push(Number(execFileSync(process.execPath, command, { encoding: 'utf8' })));
    }
  }
  const rowOf = (name: string, baseline: string | undefined): Row => {
    const own = taken.get(name) as number[];
    const others = baseline === undefined ? undefined : taken.get(baseline);
    const more = others && median(own.map((ns, i) => ns - (others[i] as number)));
    return { name, cpuNs: median(own), moreCpuNs: more ?? null };
  };
  const rows = [
    ...CONTENDERS.map(({ name, baseline }) => rowOf(name, baseline)),
    rowOf(tick as string, undefined),
    ...scans.map((name) => rowOf(name, tick)),
  ];
  const costNs = rows.find(({ name }) => name === GOAL_OF)?.moreCpuNs as number;
  const verdict = `goal: at most ${GOAL_NS} ns over a plain object for clone + drop: ${costNs <= GOAL_NS ? 'met' : 'MISSED'} (${costNs.toFixed(1)} ns)`;
  const machine = `${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}, ${process.platform} ${process.arch}`;
  if (values.json)
    console.log(JSON.stringify({ machine, rounds, goalNs: GOAL_NS, verdict, rows }, undefined, 2));
  else print(rows, [`${machine}; medians of ${rounds} rounds`, verdict]);
}

function print(rows: Row[], notes: string[]): void {
  const width = Math.max(...rows.map(({ name }) => name.length));
  console.log(`${''.padEnd(width)}    CPU ns  more than its baseline`);
  for (const { name, cpuNs, moreCpuNs } of rows)
    console.log(
      `${name.padEnd(width)}  ${cpuNs.toFixed(1).padStart(8)}  ${(moreCpuNs?.toFixed(1) ?? '-').padStart(22)}`,
    );
  console.log(['', ...notes].join('\n'));
}
