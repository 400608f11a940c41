import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

/** The repository, from dist/scripts/bench/. */
export const ROOT = resolve(import.meta.dirname, '../../..');

/**
 * Installs a peer into its own folder below scripts/bench/peers, unless it is
 * there: peers are no dependencies of ours.
 */
export function installPeer(name: string): void {
  const folder = join(ROOT, 'scripts', 'bench', 'peers', name);
  if (existsSync(join(folder, 'node_modules', name))) return;
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, encoding: 'utf8' });
  if (npm.status !== 0) throw new Error(`the peer ${name} cannot be installed: ${npm.stderr || npm.error}`);
}

/** Loads an installed peer. */
export function requirePeer(name: string): unknown {
  return createRequire(join(ROOT, 'scripts', 'bench', 'peers', name, 'package.json'))(name);
}

/** The middle of some numbers; NaN of none. */
export function median(numbers: number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
