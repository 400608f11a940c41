import { basename, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { createColors } from 'picocolors';
import { CrucibleMemoryError } from '../errors.js';
import { formatBytes, formatDuration, formatPercent } from '../units.js';
import { duration, oneOf } from './arguments.js';
import { processId } from './attach-command.js';
import { interruptible } from './interruption.js';
import { milliseconds } from './record-command.js';
import type { Surroundings } from './run-command.js';
import { screenOf, writeAll } from './terminal.js';

/** The options of `snapshot` as commander hands them over. */
export interface SnapshotArguments {
  output?: string;
  after: string;
  force?: boolean;
  snapshotMode?: 'plain' | 'fork';
  format: 'text' | 'json';
  color?: boolean;
  quiet?: boolean;
}

export function addSnapshotCommand(program: Command, done: (exitCode: number) => void): void {
  program
    .command('snapshot')
    .summary('one heap snapshot of a running process, or of a program that is started for it')
    .description(
      'Takes one heap snapshot the way that hurts least: by the agent inside the process (of `record`), else through its inspector, which is opened with SIGUSR1 on loopback and closed again. The process stands still meanwhile, some seconds for 40 MB of heap. Refused, with the numbers, where memory or disk are too small.',
    )
    .argument('<pid-or-command...>', 'a process id; or, after --, a program and its arguments')
    .option('--output <file>', 'where it goes (default: <program>-<pid>-<time>.heapsnapshot)')
    .option(
      '--after <time>',
      'how long a program that is started runs before; at its end if that comes first',
      duration,
      '10s',
    )
    .option(
      '--snapshot-mode <mode>',
      'plain, or fork (Linux, with the agent): a child writes it, the process stands still for milliseconds',
      oneOf(['plain', 'fork']),
    )
    .option('--force', 'go on where memory or disk seem too small')
    .option('--format <format>', 'text or json: what stdout gets', oneOf(['text', 'json']), 'text')
    .option('--quiet', 'no progress on stderr')
    .option('--color', 'colours also where there is no terminal')
    .option('--no-color', 'no colours')
    .passThroughOptions()
    .action(async (words: string[], given: SnapshotArguments) => {
      const { stdout, stderr, env } = process;
      done(await snapshotCommand(words, given, { stdout, stderr, env, directory: process.cwd() }));
    });
}

/** `crucible-memory snapshot`. Without a file at the end it has thrown. */
export async function snapshotCommand(
  words: string[],
  given: SnapshotArguments,
  world: Surroundings,
): Promise<number> {
  const beganMs = performance.now();
  const display = progressDisplay(given, world);
  const taken = await take(words, given, world, display).finally(() => display.end());
  const durationMs = performance.now() - beganMs;
  if (given.format === 'json') {
    await writeAll(world.stdout, `${JSON.stringify({ ...taken, durationMs }, null, 2)}\n`);
    return 0;
  }
  const paint = createColors(screenOf(world.stdout, given.color, world.env).colour);
  await writeAll(
    world.stdout,
    `${paint.bold(taken.path)}  ${formatBytes(taken.sizeBytes)}, of process ${taken.pid} through its ${taken.way}, in ${formatDuration(durationMs)}${pauseText(taken)}\n` +
      (taken.fallback === undefined ? '' : `${paint.dim('plainly')}  ${taken.fallback}\n`) +
      `${paint.dim('next')}  crucible-memory inspect ${taken.path}\n`,
  );
  return 0;
}

/** @example ", by a forked child; it stood still for 12 ms" */
function pauseText({ mode, pauseMs }: { mode?: string; pauseMs?: number }): string {
  return mode === 'fork' && pauseMs !== undefined
    ? `, by a forked child; it stood still for ${formatDuration(pauseMs)}`
    : '';
}

async function take(
  words: string[],
  given: SnapshotArguments,
  world: Surroundings,
  display: ProgressDisplay,
) {
  const pathFor = (pid: number, name: string) =>
    resolve(world.directory, given.output ?? `${name}-${pid}-${timeNow()}.heapsnapshot`);
  const isPid = words.length === 1 && /^\d+$/.test(words[0] ?? '');
  const options = {
    force: given.force ?? false,
    mode: given.snapshotMode,
    onProgress: display.progress,
    onWay: (way: string) =>
      display.say(
        `taking a heap snapshot through the ${way}${way === 'inspector' ? '; the process stands still meanwhile' : ''}`,
      ),
  };
  if (!isPid) {
    const { snapshotProgram } = await import('../runner/program-snapshot.js');
    return snapshotProgram({
      ...options,
      command: words as [string, ...string[]],
      pathFor: (pid) => pathFor(pid, programName(words)),
      afterMs: milliseconds(given.after) ?? 0,
      env: world.env,
      directory: world.directory,
      stdout: given.format === 'json' ? 'stderr' : 'inherit',
      onNews: display.say,
    });
  }
  const pid = parsed(words[0] ?? '');
  const { snapshotRunning } = await import('../runner/program-snapshot.js');
  const interruption = interruptible(world.stderr);
  try {
    return await snapshotRunning({
      ...options,
      pid,
      path: pathFor(pid, 'heap'),
      signal: interruption.signal,
    });
  } finally {
    interruption.end();
  }
}

function parsed(word: string): number {
  try {
    return processId(word);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new CrucibleMemoryError('USAGE', {
      what: `${word} is no process id`,
      why: 'they are whole numbers above 0',
      fix: 'list the Node processes with `pgrep -a node`',
    });
  }
}

/** @example ['node', '--inspect', 'server.mjs'] -> "server" */
function programName(words: readonly string[]): string {
  const script = words.find((word) => /\.[cm]?[jt]sx?$/.test(word)) ?? words[0] ?? 'heap';
  return basename(script).replace(/\.[^.]+$/, '');
}

function timeNow(): string {
  return new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
}

interface ProgressDisplay {
  say(text: string): void;
  progress(progress: { done: number; total: number }): void;
  end(): void;
}

/** A line that is drawn over on a terminal, nothing but sentences elsewhere. */
function progressDisplay(given: SnapshotArguments, world: Surroundings): ProgressDisplay {
  const { redraws } = screenOf(world.stderr, given.color, world.env);
  let isDrawn = false;
  const write = (text: string) => void (given.quiet || world.stderr.write(text));
  let ticking: NodeJS.Timeout | undefined;
  const beganMs = performance.now();
  const tick = () => draw(formatDuration(performance.now() - beganMs));
  const draw = (text: string) => {
    isDrawn = true;
    write(`\r\u001b[Kcrucible-memory: ${text}`);
  };
  const end = () => {
    clearInterval(ticking);
    ticking = undefined;
    if (isDrawn) write('\r\u001b[K');
    isDrawn = false;
  };
  return {
    end,
    say: (text) => {
      end();
      write(`crucible-memory: ${text}\n`);
      // Where nothing tells how far it is, that it goes on.
      if (redraws) ticking ??= setInterval(tick, 1000).unref();
    },
    progress: ({ done, total }) => {
      if (!redraws || total <= 0) return;
      clearInterval(ticking);
      draw(`${formatPercent(Math.min(1, Math.round((done / total) * 100) / 100))} of the heap`);
    },
  };
}
