import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Host, OWN } from './other-nodes.js';

/** A program of this bench in a process of its own. */
export function startProgram(
  name: string,
  args: readonly string[],
  { nodeOptions = [], host = OWN }: { nodeOptions?: readonly string[]; host?: Host } = {},
): ChildProcess {
  const path = join(host.dist, 'scripts', 'bench', 'capture', 'programs', `${name}.js`);
  return spawn(host.node, [...nodeOptions, path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** The last line that it prints, as JSON; a string: why there is none. */
export function answerOf<Answer>(child: ChildProcess, giveUpSeconds: number): Promise<Answer | string> {
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (chunk) => (stdout += chunk));
  child.stderr?.on('data', (chunk) => (stderr += chunk));
  let isLate = false;
  const alarm = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, giveUpSeconds * 1000);
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(alarm);
      if (isLate) resolve(`more than ${giveUpSeconds} s`);
      else if (code !== 0) resolve(`ended with ${signal ?? code}: ${lastLine(stderr)}`);
      else resolve(JSON.parse(lastLine(stdout)) as Answer);
    });
  });
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

/** A folder that is gone when the body is done. */
export async function inFolder<Result>(body: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'crucible-memory-bench-'));
  try {
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
