import { ExitCode } from './exit-code.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const SHOW_CURSOR = '\u001b[?25h';

/** What a display says from the first Ctrl-C on. */
export const STOPPING = 'stopping; what is finished will be saved (Ctrl-C again quits at once)';

/**
 * The first Ctrl-C lets what is finished be saved; the second ends everything
 * at once. SIGTERM and a closed terminal count alike.
 */
export function interruptible(stderr: NodeJS.WriteStream): { signal: AbortSignal; end: () => void } {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) {
      if (stderr.isTTY) stderr.write(SHOW_CURSOR);
      process.exit(ExitCode.Interrupted);
    }
    controller.abort();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    signal: controller.signal,
    end: () => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}
