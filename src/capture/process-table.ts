import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { CrucibleMemoryError } from '../errors.js';

/** What /proc tells of another process. Linux only; every answer is undefined where it does not say. */

/** Signal 10 of Linux on all machines that Node runs on. */
const SIGUSR1_BIT = 1n << 9n;

/**
 * Says early and in plain words that there is no such process, or none that may be looked at.
 * @throws CrucibleMemoryError PROCESS_GONE, PROC_UNREADABLE
 */
export function requireProcess(pid: number): void {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process may not be signalled, and is there.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw processGone(pid);
  }
  if (process.platform === 'linux' && textOf(pid, 'stat') === undefined)
    throw new CrucibleMemoryError('PROC_UNREADABLE', {
      what: `process ${pid} cannot be looked at`,
      why: '/proc hides it: it is another user’s and /proc is mounted with hidepid, or it is in another container',
      fix: 'run this command as the user of that process, inside its container',
    });
}

export function processGone(pid: number): CrucibleMemoryError {
  return new CrucibleMemoryError('PROCESS_GONE', {
    what: `there is no process ${pid}`,
    why: 'it has ended, or it is one of another container',
    fix: 'list the processes with `pgrep -a node`, inside the container if it runs in one',
  });
}

/** Whether the program that it runs is Node, by the name of its file. */
export function isNode(pid: number): boolean | undefined {
  try {
    return /^node(js)?\b/.test(basename(readlinkSync(`/proc/${pid}/exe`)));
  } catch {
    return undefined;
  }
}

/**
 * Whether it does something of its own about SIGUSR1. Node opens its inspector; a process that does nothing
 * about it would be ended by it.
 */
export function catchesUserSignal(pid: number): boolean | undefined {
  const caught = /^SigCgt:\s+([0-9a-f]+)$/m.exec(textOf(pid, 'status') ?? '')?.[1];
  return caught === undefined ? undefined : (BigInt(`0x${caught}`) & SIGUSR1_BIT) !== 0n;
}

/** The options that it was started with, of NODE_OPTIONS too. */
export function optionsOf(pid: number): string[] {
  const variables = (textOf(pid, 'environ') ?? '').split('\0');
  const nodeOptions = variables.find((variable) => variable.startsWith('NODE_OPTIONS='));
  return [...argumentsOf(pid), ...(nodeOptions?.slice('NODE_OPTIONS='.length).split(' ') ?? [])];
}

/** The command line, the program first. */
export function argumentsOf(pid: number): string[] {
  return (textOf(pid, 'cmdline') ?? '').split('\0').filter((word) => word !== '');
}

/** Whether two processes see the same network, so that a loopback port of one can be reached from the other. */
export function sharesNetwork(pid: number): boolean | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`) === readlinkSync('/proc/self/ns/net');
  } catch {
    return undefined;
  }
}

/** When it started, in ticks since the machine did: tells a process from a later one of the same id. */
export function startTicksOf(pid: number): string | undefined {
  // pid (name) state ppid ...: the name may hold anything, so the fields are counted from behind it.
  return textOf(pid, 'stat')
    ?.replace(/^.*\) /s, '')
    .split(' ')[19];
}

/** A port that a process listens on, with the address to reach it at. */
export interface ListeningPort {
  host: string;
  port: number;
}

/** Undefined where its descriptors may not be looked at. */
export function listeningPorts(pid: number): ListeningPort[] | undefined {
  const sockets = socketsOf(pid);
  if (sockets === undefined) return undefined;
  return (['tcp', 'tcp6'] as const).flatMap((table) =>
    listeners(textOf(pid, `net/${table}`) ?? '').flatMap(({ inode, address, port }) =>
      sockets.has(inode) ? [{ host: hostOf(table, address), port }] : [],
    ),
  );
}

/** Whether anybody listens on this port here. */
export function isPortTaken(port: number): boolean {
  return (['tcp', 'tcp6'] as const).some((table) =>
    listeners(textOf('self', `net/${table}`) ?? '').some((listener) => listener.port === port),
  );
}

const LISTENING = '0A';

/** Rows of /proc/net/tcp: sl local remote state queues timer retransmits uid timeout inode ... */
function listeners(table: string): { inode: string; address: string; port: number }[] {
  return table.split('\n').flatMap((row) => {
    const [, local = '', , state, , , , , , inode = ''] = row.trim().split(/\s+/);
    const [address = '', port = ''] = local.split(':');
    return state === LISTENING ? [{ inode, address, port: Number.parseInt(port, 16) }] : [];
  });
}

/** "Any address" is reached at loopback; the inspector listens on nothing else unless it was told to. */
function hostOf(table: 'tcp' | 'tcp6', address: string): string {
  if (table === 'tcp6') return /^0+$/.test(address) ? '127.0.0.1' : '::1';
  const bytes = address.match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? [];
  const host = bytes.reverse().join('.');
  return host === '0.0.0.0' ? '127.0.0.1' : host;
}

function socketsOf(pid: number): Set<string> | undefined {
  try {
    const folder = `/proc/${pid}/fd`;
    return new Set(
      readdirSync(folder).flatMap((descriptor) => {
        try {
          return /^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/${descriptor}`))?.[1] ?? [];
        } catch {
          return []; // closed meanwhile
        }
      }),
    );
  } catch {
    return undefined;
  }
}

function textOf(pid: number | 'self', file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
