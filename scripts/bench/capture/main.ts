/**
 * Capture in one run with the usual ways of doing the same: what sampling costs and whether it holds out, the
 * allocation profile, heap snapshots, and what is left when a program dies. Medians of several rounds, every
 * measurement in a process of its own.
 *
 *   node dist/scripts/bench/capture/main.js [--only NAME[,NAME]] [--rounds 5] [--seconds 2] [--runs 20]
 *        [--nodes 20,22,24,26] [--give-up 600] [--json]
 *
 * NAME: sampling blocked ring kills profile fork out-of-memory snapshot. All but the last run unless some are
 * named: `snapshot` waits for each peer until it is given up on, which on Node 20 takes half an hour. `fork`
 * fetches the majors of Node that are not there, and builds the V8 addon for each.
 *
 * The goals are for a machine with nothing else to do: its load is printed with the figures.
 */
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { Effort, Finding, Part } from './finding.js';

const PARTS: Record<string, () => Promise<Part>> = {
  sampling: async () => (await import('./parts/sampling.js')).sampling,
  blocked: async () => (await import('./parts/blocked.js')).blocked,
  ring: async () => (await import('./parts/ring.js')).ring,
  kills: async () => (await import('./parts/kills.js')).kills,
  profile: async () => (await import('./parts/profile.js')).profile,
  fork: async () => (await import('./parts/fork.js')).fork,
  'out-of-memory': async () => (await import('./parts/out-of-memory.js')).outOfMemory,
  snapshot: async () => (await import('./parts/snapshot.js')).snapshot,
};
const ONLY_WHEN_NAMED = ['snapshot'];

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    runs: { type: 'string', default: '20' },
    nodes: { type: 'string', default: '20,22,24,26' },
    'give-up': { type: 'string', default: '600' },
    json: { type: 'boolean', default: false },
  },
});
const wanted =
  values.only?.split(',') ?? Object.keys(PARTS).filter((name) => !ONLY_WHEN_NAMED.includes(name));
const effort: Effort = {
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  runs: Number(values.runs),
  nodes: values.nodes.split(','),
  giveUpSeconds: Number(values['give-up']),
};
const amounts = [effort.rounds, effort.seconds, effort.runs, effort.giveUpSeconds];
if (
  !wanted.every((name) => name in PARTS) ||
  !amounts.every((amount) => amount > 0) ||
  !effort.nodes.every((major) => /^\d+$/.test(major))
) {
  console.error(
    `usage: bench:capture [--only ${Object.keys(PARTS).join('|')}[,...]] [--rounds N] [--seconds N] [--runs N] [--nodes MAJOR[,MAJOR]] [--give-up SECONDS] [--json]`,
  );
  process.exit(2);
}

const loadBefore = loadavg()[0]?.toFixed(1);
const findings: Finding[] = [];
for (const name of wanted) {
  const part = await (PARTS[name] as () => Promise<Part>)();
  try {
    findings.push(...(await part(effort, (line) => process.stderr.write(`${name}: ${line}\n`))));
  } catch (error) {
    findings.push({
      part: name,
      what: 'could not be measured',
      measured: String(error),
      goal: '',
      isMet: false,
    });
  }
}
const machine = `${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}, ${process.platform} ${process.arch}, load ${loadBefore} before`;
if (values.json) console.log(JSON.stringify({ machine, effort, findings }, undefined, 2));
else print();

function print(): void {
  for (const name of wanted) {
    const rows = findings.filter(({ part }) => part === name);
    const width = Math.max(...rows.map(({ what }) => what.length));
    console.log(`\n${name}`);
    for (const { what, measured } of rows) console.log(`  ${what.padEnd(width)}  ${measured}`);
  }
  console.log(`\n${machine}; medians of ${effort.rounds} rounds, ${effort.runs} runs`);
  for (const { part, what, measured, goal, isMet } of findings)
    if (goal !== undefined)
      console.log(
        `goal: ${part}: ${what}: ${goal}: ${isMet === undefined ? 'unclear' : isMet ? 'met' : 'MISSED'} (${measured})`,
      );
}
