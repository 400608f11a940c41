import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

/** The repository, from dist/scripts/bench/. */
export const ROOT = resolve(import.meta.dirname, '../../..');

/**
 * Installs a peer into its own folder below scripts/bench/peers, unless it is
 * there: peers are no dependencies of ours.
 * @param packageName one of the packages of that folder, where it is not called like the folder
 */
export function installPeer(name: string, packageName = name): void {
  if (existsSync(join(peerFolder(name), 'node_modules', packageName))) return;
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: peerFolder(name),
    encoding: 'utf8',
    // memlab brings puppeteer, whose install script downloads a browser.
    env: { ...process.env, PUPPETEER_SKIP_DOWNLOAD: '1' },
  });
  if (npm.status !== 0) throw new Error(`the peer ${name} cannot be installed: ${npm.stderr || npm.error}`);
}

/** Loads a package of an installed peer. */
export function requirePeer(name: string, packageName = name): unknown {
  return createRequire(join(peerFolder(name), 'package.json'))(packageName);
}

/** The version of an installed peer. */
export function peerVersion(name: string, packageName = name): string {
  const path = join(peerFolder(name), 'node_modules', packageName, 'package.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

export function peerFolder(name: string): string {
  return join(ROOT, 'scripts', 'bench', 'peers', name);
}

/** The middle of some numbers; NaN of none. */
export function median(numbers: number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
