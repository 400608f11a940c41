/**
 * What sampling costs, beside the usual ways of doing it: all in one run,
 * interleaved, medians of several rounds. Wants a machine with nothing else to
 * do; where it has, the goals are called unclear rather than met or missed.
 *
 *   node dist/scripts/bench/sampler/main.js [--rounds 7] [--seconds 2] [--json]
 */
import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { installPeer, median } from '../peer.js';
import { BareWakeup } from './bare-wakeup.js';
import { CONTENDERS } from './contenders.js';
import { type Measured, PAIRS } from './target.js';

const OURS = 'crucible-memory 1 kHz';
const LOADS = ['idle', 'busy', 'blocked'] as const;
type Load = (typeof LOADS)[number];
const GOALS = { cpuPercent: 3.5, slowDownPercent: 1 };

/** Median of the rounds with their middle half. */
interface Spread {
  median: number;
  low: number;
  high: number;
}

interface Row {
  contender: string;
  /** CPU time that the contender adds to an idle process, percent of one core. */
  cpuPercent: number;
  /** The same by the contender's own count, where it has threads of its own. */
  ownCpuPercent?: number;
  /** Samples a second that were really taken. */
  samplesPerSecond: Record<Load, number>;
  /** How much longer the same work takes than without, percent, on the clock. `none` shows the noise. */
  slowDownPercent: Record<'busy' | 'blocked', Spread>;
  /** The same in CPU time of the JavaScript thread. */
  threadSlowDownPercent: Record<'busy' | 'blocked', Spread>;
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
});
installPeer('pidusage');
const bareWakeup = BareWakeup.compile();
const rows = rowsOf(await measure(Number(values.rounds), Number(values.seconds) * 1000));
if (values.json)
  console.log(
    JSON.stringify(
      { machine: machine(), ...values, goals: GOALS, verdicts: verdicts(rows), rows },
      undefined,
      2,
    ),
  );
else print(rows);

type Rounds = Record<string, Record<Load, Measured[]>>;

async function measure(rounds: number, durationMs: number): Promise<Rounds> {
  const names = Object.keys(CONTENDERS);
  const probeUnits = 20;
  const probe = await run('none', 'blocked', probeUnits);
  const unitMs = probe.wallMs / (PAIRS * probeUnits);
  // As many units as fill the time in PAIRS turns with and as many without.
  const units = Math.max(1, Math.round(durationMs / (2 * PAIRS * unitMs)));
  const results: Rounds = Object.fromEntries(
    names.map((name) => [name, { idle: [], busy: [], blocked: [] }]),
  );
  for (let round = 0; round < rounds; round++) {
    if (!values.json) process.stderr.write(`round ${round + 1} of ${rounds}\n`);
    bareWakeup?.measure(durationMs);
    for (const load of LOADS)
      for (let i = 0; i < names.length; i++) {
        // Each round begins with another contender: none has always the coolest machine.
        const name = names[(i + round) % names.length] as string;
        results[name]?.[load].push(await run(name, load, load === 'idle' ? durationMs : units));
      }
  }
  bareWakeup?.end();
  return results;
}

async function run(contender: string, load: Load, amount: number): Promise<Measured> {
  const target = join(import.meta.dirname, 'target.js');
  const { stdout } = await promisify(execFile)(process.execPath, [target, contender, load, String(amount)]);
  return JSON.parse(stdout) as Measured;
}

function rowsOf(results: Rounds): Row[] {
  const cpuPercent = ({ cpuMs, wallMs }: Measured) => (100 * cpuMs) / wallMs;
  const idleCpuPercent = median((results.none as Rounds[string]).idle.map(cpuPercent));
  return Object.entries(results).map(([contender, loads]) => {
    const inPercent = (load: Load, pick: (measured: Measured) => number) =>
      spreadOf(loads[load].map((measured) => 100 * pick(measured)));
    const perSecond = (load: Load) =>
      median(loads[load].map(({ samples, wallMs }) => (1000 * samples) / wallMs));
    const own = loads.idle.flatMap(({ cpuNs, wallMs }) =>
      cpuNs === undefined ? [] : [cpuNs / 1e4 / wallMs],
    );
    return {
      contender,
      cpuPercent: median(loads.idle.map(cpuPercent)) - idleCpuPercent,
      ...(own.length > 0 && { ownCpuPercent: median(own) }),
      samplesPerSecond: { idle: perSecond('idle'), busy: perSecond('busy'), blocked: perSecond('blocked') },
      slowDownPercent: {
        busy: inPercent('busy', ({ slowDown }) => slowDown),
        blocked: inPercent('blocked', ({ slowDown }) => slowDown),
      },
      threadSlowDownPercent: {
        busy: inPercent('busy', ({ threadSlowDown }) => threadSlowDown ?? Number.NaN),
        blocked: inPercent('blocked', ({ threadSlowDown }) => threadSlowDown ?? Number.NaN),
      },
    };
  });
}

function spreadOf(numbers: number[]): Spread {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return { median: median(sorted), low: at(0.25), high: at(0.75) };
}

/** One sentence a goal. */
function verdicts(rows: Row[]): string[] {
  const of = (name: string) => rows.find((row) => row.contender === name) as Row;
  const [ours, none] = [of(OURS), of('none')];
  const spreads = (row: Row) => [row.slowDownPercent.busy, row.slowDownPercent.blocked];
  // Without any contender the two halves of each pair are the same: what they differ by is noise.
  const noise = Math.max(...spreads(none).flatMap(({ low, high }) => [Math.abs(low), Math.abs(high)]));
  const slowDown = Math.max(...spreads(ours).map((spread) => spread.median));
  const isMet = slowDown <= GOALS.slowDownPercent;
  return [
    `at most ${GOALS.cpuPercent} % of a core at 1 kHz: ${ours.cpuPercent <= GOALS.cpuPercent ? 'met' : 'MISSED'} (${ours.cpuPercent.toFixed(2)} %${bareShare()})`,
    noise > GOALS.slowDownPercent
      ? `at most ${GOALS.slowDownPercent} % slower: unclear, the noise of this machine now is ${noise.toFixed(1)} %`
      : `at most ${GOALS.slowDownPercent} % slower: ${isMet ? 'met' : 'MISSED'} (${slowDown.toFixed(1)} %)`,
  ];
}

/** Of the cost at 1 kHz, what the system takes for the wake-ups alone. */
function bareShare(): string {
  if (bareWakeup === undefined) return '';
  return `, of which the bare wake-up takes ${median(bareWakeup.percentOfCore).toFixed(2)} % in the same run`;
}

function machine(): string {
  return `${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}, ${process.platform} ${process.arch}`;
}

function print(rows: Row[]): void {
  const spread = ({ median, low, high }: Spread) =>
    `${median.toFixed(1)} (${low.toFixed(1)} .. ${high.toFixed(1)})`;
  const cells = rows.map((row) => [
    row.contender,
    row.cpuPercent.toFixed(2),
    row.ownCpuPercent?.toFixed(2) ?? '-',
    ...LOADS.map((load) => row.samplesPerSecond[load].toFixed(0)),
    spread(row.slowDownPercent.busy),
    spread(row.slowDownPercent.blocked),
    spread(row.threadSlowDownPercent.busy),
    spread(row.threadSlowDownPercent.blocked),
  ]);
  const titles = ['', '% of a core', 'own count', 'idle/s', 'busy/s', 'blocked/s'];
  const head = [...titles, 'busy +%', 'blocked +%', 'busy CPU +%', 'blocked CPU +%'];
  const widths = head.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]?.length ?? 0)));
  for (const row of [head, ...cells])
    console.log(
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  '),
    );
  console.log(
    `\n${machine()}; medians of ${values.rounds} rounds of ${values.seconds} s, middle half in brackets`,
  );
  for (const verdict of verdicts(rows)) console.log(`goal: ${verdict}`);
}
