/** What a stream can show. */
export interface Screen {
  isTerminal: boolean;
  /** Whether lines that were written can be drawn over. */
  redraws: boolean;
  colour: boolean;
  /** Characters a line. */
  width: number;
}

/** Wider lines are hard to read, even where they fit. */
const WIDEST = 120;
const WIDTH_WITHOUT_TERMINAL = 100;
/** A terminal that does not say how wide it is. */
const WIDTH_OF_SILENT_TERMINAL = 80;

/**
 * @param wanted --color or --no-color; absent: NO_COLOR, FORCE_COLOR, and
 * whether the stream is a terminal decide, in this order (https://no-color.org)
 */
export function screenOf(
  stream: { isTTY?: boolean | undefined; columns?: number | undefined; rows?: number | undefined },
  wanted: boolean | undefined,
  env: NodeJS.ProcessEnv,
): Screen {
  const isTerminal = stream.isTTY === true;
  return {
    isTerminal,
    // A terminal without a size (a bare pseudo-terminal) or without cursor movement is a log.
    redraws: isTerminal && !!stream.rows && env.TERM !== 'dumb',
    colour: wanted ?? colourByEnvironment(env) ?? (isTerminal && env.TERM !== 'dumb'),
    width: isTerminal ? Math.min(WIDEST, stream.columns || WIDTH_OF_SILENT_TERMINAL) : WIDTH_WITHOUT_TERMINAL,
  };
}

function colourByEnvironment(env: NodeJS.ProcessEnv): boolean | undefined {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  return undefined;
}

/** A reader that has seen enough (`| head`) is no error: what comes after is dropped. */
export function ignoreClosedPipes(...streams: NodeJS.WriteStream[]): void {
  for (const stream of streams) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

/** Resolves when the text has left the process, or when nobody takes it any more. */
export function writeAll(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve) => {
    stream.write(text, () => resolve());
  });
}
