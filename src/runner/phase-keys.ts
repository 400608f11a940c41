import type { ReadStream } from 'node:tty';
import { Phase } from '../vocabulary.js';
import type { Interruption } from './interruptions.js';
import type { RunningProgram } from './program.js';

const CTRL_C = '\u0003';
const CTRL_BACKSLASH = '\u001c';
/** What runs outside the load that a person marks. */
const REST = 'rest';

/**
 * Phases that a person marks from outside: the first time the load begins, which is what is judged, the next
 * time it ends, and so on. By SIGUSR2 to this process, and by the key `m` where the terminal is ours.
 */
export function markFromOutside(
  program: Pick<RunningProgram, 'mark' | 'interrupt'>,
  options: { terminal?: ReadStream | undefined; onMark: (phase: string) => void },
): () => void {
  let phase: string = REST;
  const next = () => {
    phase = phase === REST ? Phase.Load : REST;
    options.onMark(phase);
    void program.mark(phase);
  };
  process.on('SIGUSR2', next);
  const release = options.terminal ? readKeys(options.terminal, program, next) : () => {};
  return () => {
    process.off('SIGUSR2', next);
    release();
  };
}

/** In raw mode keys come to us alone and signal nobody: Ctrl-C has to be made again. */
function readKeys(
  terminal: ReadStream,
  program: Pick<RunningProgram, 'interrupt'>,
  onMark: () => void,
): () => void {
  const passOn = (signal: Interruption['signal']) => program.interrupt({ signal, reachedProgram: false });
  const onKey = (key: Buffer) => {
    for (const letter of key.toString()) {
      if (letter === CTRL_C) passOn('SIGINT');
      else if (letter === CTRL_BACKSLASH) passOn('SIGQUIT');
      else if (letter === 'm') onMark();
    }
  };
  terminal.setRawMode(true);
  terminal.on('data', onKey);
  return () => {
    terminal.off('data', onKey);
    terminal.setRawMode(false);
    terminal.pause();
  };
}
