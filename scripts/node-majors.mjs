/**
 * Other majors of Node, for tests that have to pass on all of them.
 *
 * The binary and its headers come from the npm packages node-<platform>-<arch>.
 * They are installed under .cache/, never as a dependency of this project: the
 * package puts a `node` into node_modules/.bin, which npm scripts would then use.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** For what may be deleted at any time. */
export const cache = fileURLToPath(new URL('../.cache', import.meta.url));

/** Installs the newest release of a major, unless some release of it is there. Returns its folder, with bin/ and include/. */
export function installNode(major) {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const prefix = join(cache, `node-${major}`);
  const distribution = join(prefix, 'node_modules', name);
  if (!existsSync(nodeIn(distribution))) {
    mkdirSync(prefix, { recursive: true });
    execFileSync(
      process.execPath,
      [findNpm(), 'install', '--no-audit', '--no-fund', '--prefix', prefix, `${name}@${major}`],
      {
        cwd: prefix,
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
  }
  return distribution;
}

export function nodeIn(distribution) {
  return join(distribution, 'bin', 'node');
}

/** npm's own file, so that it can be run by another node. */
export function findNpm() {
  const candidates = [
    process.env.npm_execpath,
    resolve(process.execPath, '../../lib/node_modules/npm/bin/npm-cli.js'),
    resolve(process.execPath, '../node_modules/npm/bin/npm-cli.js'),
  ];
  try {
    candidates.push(join(execFileSync('npm', ['root', '--global']).toString().trim(), 'npm/bin/npm-cli.js'));
  } catch {
    // npm is not on the path: the others must do.
  }
  const found = candidates.find((path) => path?.endsWith('npm-cli.js') && existsSync(path));
  if (found !== undefined) return found;
  console.error('npm was not found beside node: install npm, or run this through `npm exec`.');
  process.exit(2);
}
