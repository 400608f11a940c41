import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { CrucibleMemoryError } from '../errors.js';
import { InspectorClient } from './inspector-client.js';
import {
  catchesUserSignal,
  isNode,
  isPortTaken,
  type ListeningPort,
  listeningPorts,
  optionsOf,
  requireProcess,
  sharesNetwork,
} from './process-table.js';

/** Where Node's inspector listens unless it is told otherwise. */
const DEFAULT_PORT = 9229;
/** Node opens it from its event loop or between two instructions of JavaScript: a blocked one takes longer. */
const OPENING_MS = 5000;
const CLOSING_MS = 3000;
const LOOK_INTERVAL_MS = 20;

/** The inspector of a process, opened for us. */
export interface OpenInspector {
  client: InspectorClient;
  /** Ends the connection, and closes the inspector again unless it was open before. */
  close(): Promise<void>;
}

/**
 * Opens the inspector of a running Node process with SIGUSR1, which needs no preparation of it. It listens on
 * loopback, for everybody on this machine, until close(). The program writes "Debugger listening on ..." to
 * its standard error; Node gives no way to prevent that.
 *
 * A process that is no Node, or that does nothing about the signal, is not signalled: it would die of it.
 * @throws CrucibleMemoryError PROCESS_GONE, PROCESS_UNSUITABLE, INSPECTOR_UNAVAILABLE
 */
export async function openInspector(pid: number): Promise<OpenInspector> {
  requireProcess(pid);
  requireReachable(pid);
  const before = await inspectorAmong(await likelyPorts(pid));
  if (before !== undefined) {
    const client = await InspectorClient.connect(before);
    return { client, close: async () => client.close() };
  }
  requireSignalCaught(pid);
  const portsBefore = listeningPorts(pid);
  signal(pid);
  const url = await openedInspector(pid, portsBefore);
  const client = await InspectorClient.connect(url);
  return { client, close: () => closeAgain(client, url) };
}

function requireReachable(pid: number): void {
  if (isNode(pid) === false)
    throw unsuitable(
      pid,
      'the program that it runs is not Node',
      'give the id of a Node process: `pgrep -a node`',
    );
  if (sharesNetwork(pid) === false)
    throw unavailable(
      pid,
      'it is in another network namespace (a container), and its inspector would listen there',
      'run this command inside that container',
    );
}

/** Without looking at ports where the program's own servers may listen: they would take it for a request. */
async function likelyPorts(pid: number): Promise<ListeningPort[]> {
  const configured = optionsOf(pid).flatMap((option) => {
    const port = /^--inspect(?:-brk|-port|-wait)?=(?:.*:)?(\d+)$/.exec(option)?.[1];
    return port === undefined ? [] : [Number(port)];
  });
  const likely = new Set([DEFAULT_PORT, ...configured]);
  return (listeningPorts(pid) ?? []).filter(({ port }) => likely.has(port));
}

function requireSignalCaught(pid: number): void {
  if (catchesUserSignal(pid) !== false) return;
  const isDisabled = optionsOf(pid).includes('--disable-sigusr1');
  throw unavailable(
    pid,
    isDisabled
      ? 'it was started with --disable-sigusr1'
      : 'it does nothing about SIGUSR1, which would end it: it is still starting, or is no Node',
    isDisabled
      ? 'start it without that option, with --inspect, or under `crucible-memory record`'
      : 'try again in a second; or start it under `crucible-memory record`',
  );
}

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGUSR1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    throw unavailable(
      pid,
      'it belongs to another user, whom this one may not signal',
      `run this command as that user: \`sudo -u <user> crucible-memory ...\``,
    );
  }
}

/** Looks only at ports that were not open before: those are nobody else's. */
async function openedInspector(pid: number, before: ListeningPort[] | undefined): Promise<string> {
  const known = new Set(before?.map(({ host, port }) => `${host}:${port}`));
  const untilMs = performance.now() + OPENING_MS;
  while (performance.now() < untilMs) {
    const now = before === undefined ? [{ host: '127.0.0.1', port: DEFAULT_PORT }] : listeningPorts(pid);
    const fresh = now?.filter(({ host, port }) => !known.has(`${host}:${port}`)) ?? [];
    const url = await inspectorAmong(fresh);
    if (url !== undefined) return url;
    await sleep(LOOK_INTERVAL_MS);
  }
  requireProcess(pid);
  throw unavailable(
    pid,
    isPortTaken(DEFAULT_PORT)
      ? `port ${DEFAULT_PORT} is taken, by the inspector of another process as a rule`
      : 'it did not open one within 5 s after SIGUSR1: its thread is stuck outside of JavaScript, or it handles that signal itself',
    isPortTaken(DEFAULT_PORT)
      ? `close the other one (\`ss -ltnp | grep ${DEFAULT_PORT}\` names it), or start this process with --inspect-port=0`
      : 'try again; or start it under `crucible-memory record`',
  );
}

async function inspectorAmong(ports: ListeningPort[]): Promise<string | undefined> {
  for (const { host, port } of ports) {
    const url = await debuggerUrl(host, port).catch(() => undefined);
    if (url !== undefined) return url;
  }
  return undefined;
}

/** The main thread's target: the first. Rejects where no inspector answers. */
function debuggerUrl(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const asking = get({ host, port, path: '/json/list', timeout: 1000 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part) => (text += part));
      response.on('end', () => {
        try {
          resolve((JSON.parse(text) as { webSocketDebuggerUrl?: string }[])[0]?.webSocketDebuggerUrl);
        } catch (error) {
          reject(error);
        }
      });
    });
    asking.on('timeout', () => asking.destroy(new Error('no answer')));
    asking.on('error', reject);
  });
}

/** `require` is there only while this is evaluated; nothing may be thrown out of a timer of the program. */
const CLOSE_SOON = `{
  const { close } = require('node:inspector');
  setTimeout(() => { try { close(); } catch {} }, 10).unref();
}`;

/** The program closes it when we are gone: inspector.close() waits for its connections. */
async function closeAgain(client: InspectorClient, url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  await client.evaluate(CLOSE_SOON).catch(() => {});
  client.close();
  const untilMs = performance.now() + CLOSING_MS;
  while (performance.now() < untilMs) {
    const isOpen = await debuggerUrl(hostname.replace(/^\[|\]$/g, ''), Number(port)).then(
      () => true,
      () => false,
    );
    if (!isOpen) return;
    await sleep(LOOK_INTERVAL_MS);
  }
}

function unsuitable(pid: number, why: string, fix: string): CrucibleMemoryError {
  return new CrucibleMemoryError('PROCESS_UNSUITABLE', { what: `process ${pid} has no inspector`, why, fix });
}

function unavailable(pid: number, why: string, fix: string): CrucibleMemoryError {
  return new CrucibleMemoryError('INSPECTOR_UNAVAILABLE', {
    what: `the inspector of process ${pid} cannot be opened`,
    why,
    fix,
  });
}
