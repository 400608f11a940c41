import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import { CrucibleMemoryError } from '../errors.js';
import { type ControlReply, type ControlRequest, controlPathOf } from './control-protocol.js';

export interface AskOptions {
  /** How long the program may take to begin to answer: its event loop may be blocked. Default: 3000. */
  silenceMs?: number;
  signal?: AbortSignal;
}

type Answer = Extract<ControlReply, { done: true }>;

/** That nobody answers: there is no agent in the process, or its event loop is blocked. */
export type Unanswered = 'no-agent' | 'busy';

/**
 * Asks the agent inside a process.
 * @throws CrucibleMemoryError AGENT_FAILED with what it said; INTERRUPTED
 */
export function askAgent(
  pid: number,
  request: ControlRequest,
  { silenceMs = 3000, signal }: AskOptions = {},
): Promise<Answer | Unanswered> {
  return new Promise((resolve, reject) => {
    const socket = connect(controlPathOf(pid));
    let received = '';
    // Once the program works on it, it may take as long as it takes: it cannot answer twice.
    const tooLate = setTimeout(() => settle(() => resolve('busy')), silenceMs);
    const settle = (how: () => void) => {
      clearTimeout(tooLate);
      signal?.removeEventListener('abort', onAbort);
      socket.destroy();
      how();
    };
    const onAbort = () => settle(() => reject(interrupted(request)));
    signal?.addEventListener('abort', onAbort);
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`));
    socket.on('error', () => settle(() => resolve('no-agent')));
    socket.on('close', () => settle(() => reject(died(pid, request))));
    socket.on('data', (text: string) => {
      clearTimeout(tooLate);
      const lines = (received + text).split('\n');
      received = lines.pop() ?? '';
      for (const line of lines) {
        const reply = JSON.parse(line) as ControlReply;
        if ('error' in reply) settle(() => reject(refused(pid, request, reply.error)));
        else settle(() => resolve(reply));
      }
    });
  });
}

/** Removes the socket of a process that was killed. */
export function forgetAgent(pid: number): void {
  if (process.platform !== 'win32') rmSync(controlPathOf(pid), { force: true });
}

function refused(pid: number, { command }: ControlRequest, why: string): CrucibleMemoryError {
  return new CrucibleMemoryError('AGENT_FAILED', {
    what: `the agent in process ${pid} could not carry out \`${command}\``,
    why,
    fix: 'mend that and try again; the process itself goes on',
  });
}

function died(pid: number, { command }: ControlRequest): CrucibleMemoryError {
  return new CrucibleMemoryError('AGENT_FAILED', {
    what: `process ${pid} ended while it carried out \`${command}\``,
    why: 'it exited, was killed, or ran out of memory',
    fix: 'look at how it ended; give it more memory if a snapshot was too much for it',
  });
}

function interrupted({ command }: ControlRequest): CrucibleMemoryError {
  return new CrucibleMemoryError('INTERRUPTED', {
    what: `\`${command}\` was given up`,
    why: 'it was interrupted',
    fix: 'try again',
  });
}
