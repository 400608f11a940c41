/**
 * One measurement in a process of its own.
 *
 *   node target.js CONTENDER LOAD AMOUNT
 *
 * LOAD `idle`: sleeps AMOUNT milliseconds with the contender running.
 * LOAD `busy`, `blocked`, `allocating` or `io`: carries out PAIRS times AMOUNT units of work without
 * and with the contender, in turns, so that whatever else the machine does
 * meets both alike; the fastest of each are compared, being the least disturbed.
 * busy gives the event loop a turn every few units, blocked only at the end; allocating makes garbage rather
 * than compute, io sends bytes to itself and back.
 * Prints one line of JSON.
 */
import { once as emitted } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { CONTENDERS, type Contender, type Running } from './contenders.js';

export type Load = 'idle' | 'busy' | 'blocked' | 'allocating' | 'io';

export interface Measured {
  /** Time with the contender running. */
  wallMs: number;
  /** CPU time of the process in it, its contender included. */
  cpuMs: number;
  samples: number;
  /** CPU time of the contender's own threads, ns, where it has some. */
  cpuNs?: number;
  /** How much longer the same work takes with the contender, as a share; NaN when idle. */
  slowDown: number;
  /** The same in CPU time of the JavaScript thread, which other programs disturb less. NaN where it is not known. */
  threadSlowDown: number;
}

export const PAIRS = 20;
/** A unit takes some 0.25 ms; a turn of the event loop comes after this many. */
const UNITS_PER_TURN = 4;

const numbers = new Uint32Array(16 * 1024);

function work(): void {
  let state = 0x9e3779b9;
  for (let round = 0; round < 8; round++)
    for (let i = 0; i < numbers.length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      numbers[i] = ((numbers[i] as number) + state) >>> 0;
    }
}

let kept: object[] = [];

/** A quarter of a megabyte of small objects, of which some live a little. */
function allocate(): void {
  kept = [];
  for (let i = 0; i < 4000; i++) {
    const made = { i, text: `${i}`, numbers: [i, i + 1] };
    if (i % 16 === 0) kept.push(made);
  }
}

let connection: Promise<Socket> | undefined;

/** One end of a connection, the other end of which sends back what it gets. */
async function connected(): Promise<Socket> {
  const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await emitted(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await emitted(socket, 'connect');
  server.unref();
  return socket;
}

/** Sends so many messages and waits for each to come back. */
async function echo(messages: number): Promise<void> {
  connection ??= connected();
  const socket = await connection;
  for (let i = 0; i < messages; i++) {
    socket.write('a message of thirty-two bytes...');
    await emitted(socket, 'data');
  }
}

async function carry(load: Load, amount: number): Promise<void> {
  if (load === 'idle') return sleep(amount);
  if (load === 'io') return echo(amount);
  for (let unit = 0; unit < amount; unit++) {
    if (load === 'allocating') allocate();
    else work();
    if (load === 'busy' && unit % UNITS_PER_TURN === 0) await turn();
  }
}

/** CPU time of the JavaScript thread so far, ms; NaN where the system does not tell. */
function threadCpuMs(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return Number.NaN;
  }
}

interface Once extends Measured {
  threadMs: number;
}

/** Carries the load once, with a contender beside it or without. */
async function once(start: () => Running, load: Load, amount: number): Promise<Once> {
  const contender = start();
  await sleep(20); // until its threads run
  const sampledBefore = contender.sampled();
  const cpuBefore = process.cpuUsage();
  const threadBefore = threadCpuMs();
  const before = performance.now();
  await carry(load, amount);
  const wallMs = performance.now() - before;
  const threadMs = threadCpuMs() - threadBefore;
  const cpu = process.cpuUsage(cpuBefore);
  const sampled = contender.sampled();
  contender.stop();
  return {
    wallMs,
    cpuMs: (cpu.user + cpu.system) / 1000,
    samples: sampled.samples - sampledBefore.samples,
    ...(sampled.cpuNs !== undefined && { cpuNs: sampled.cpuNs - (sampledBefore.cpuNs ?? 0) }),
    slowDown: Number.NaN,
    threadSlowDown: Number.NaN,
    threadMs,
  };
}

async function inTurns(start: () => Running, load: Load, amount: number): Promise<Measured> {
  const watched: Once[] = [];
  const plain: Once[] = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    plain.push(await once(CONTENDERS.none, load, amount));
    watched.push(await once(start, load, amount));
  }
  const sum = (pick: (once: Once) => number) => watched.reduce((total, one) => total + pick(one), 0);
  const change = (pick: (once: Once) => number) =>
    Math.min(...watched.map(pick)) / Math.min(...plain.map(pick)) - 1;
  return {
    wallMs: sum(({ wallMs }) => wallMs),
    cpuMs: sum(({ cpuMs }) => cpuMs),
    samples: sum(({ samples }) => samples),
    ...(watched[0]?.cpuNs !== undefined && { cpuNs: sum(({ cpuNs = 0 }) => cpuNs) }),
    slowDown: change(({ wallMs }) => wallMs),
    threadSlowDown: change(({ threadMs }) => threadMs),
  };
}

if (process.argv[1] === import.meta.filename) {
  const [contender = 'none', load = 'idle', amount = '100'] = process.argv.slice(2);
  const start = CONTENDERS[contender as Contender];
  if (!start) throw new Error(`there is no contender ${contender}`);
  await carry('busy', 200); // until the code is compiled
  const measure = load === 'idle' ? once : inTurns;
  console.log(JSON.stringify(await measure(start, load as Load, Number(amount))));
  (await connection)?.destroy();
}
