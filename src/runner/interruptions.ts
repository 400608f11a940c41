import { readFileSync } from 'node:fs';

/** What came from outside while a program runs under us. */
export interface Interruption {
  signal: NodeJS.Signals;
  /** The terminal sent it to the program too, as to everything in its foreground. */
  reachedProgram: boolean;
}

const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** Catches the signals that would end us, until the returned function is called. */
export function catchInterruptions(onInterruption: (interruption: Interruption) => void): () => void {
  const listeners = ENDING_SIGNALS.map((signal) => {
    const listener = () => onInterruption({ signal, reachedProgram: cameFromTerminal(signal) });
    process.on(signal, listener);
    return [signal, listener] as const;
  });
  return () => {
    for (const [signal, listener] of listeners) process.off(signal, listener);
  };
}

/**
 * A key of the terminal signals its whole foreground group, the program included: sent on, the program would
 * have it twice, and take that for impatience. Whether it was a key no process is told; a signal that
 * keys can send counts as one where we are in a terminal's foreground.
 */
function cameFromTerminal(signal: NodeJS.Signals): boolean {
  return (signal === 'SIGINT' || signal === 'SIGQUIT') && isInForeground();
}

function isInForeground(): boolean {
  if (process.platform !== 'linux') return process.stdin.isTTY || process.stderr.isTTY;
  try {
    // pid (name) state ppid pgrp session tty tpgid; the name may hold anything, also ")".
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[2] === fields[5];
  } catch {
    return process.stdin.isTTY;
  }
}
