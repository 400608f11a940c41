import type { EventEmitter } from 'node:events';
import type { RunnerEvents } from '../runner/progress.js';
import { showLines } from './line-display.js';
import type { ProgressDisplay } from './run-progress.js';
import type { Screen } from './terminal.js';
import { showTree } from './tree-display.js';

/** A tree that is drawn over and over on a terminal; plain lines elsewhere. */
export async function showProgress(
  runner: EventEmitter<RunnerEvents>,
  stream: NodeJS.WriteStream,
  screen: Screen,
  signal: AbortSignal,
): Promise<ProgressDisplay> {
  return screen.redraws
    ? showTree(runner, stream, screen, signal)
    : showLines(runner, stream, screen, signal);
}
