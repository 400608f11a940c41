import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { PackageCase } from './cases.js';

/** The repository, from dist/scripts/truth/packages/. */
export const ROOT = resolve(import.meta.dirname, '../../../..');

/**
 * A project of its own for one version of a package below .cache/, as its user
 * would have it: package.json, node_modules, and the target module. Install
 * scripts do not run: who has native code brings it along built.
 * @returns path of the target module
 */
export function installCase({ name, packageName, besides = [] }: PackageCase, version: string): string {
  const folder = join(ROOT, '.cache', 'truth-packages', `${name}-${version}`);
  const target = join(folder, `${name}.mjs`);
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(ROOT, 'scripts/truth/packages/targets', `${name}.mjs`), target);
  if (existsSync(join(folder, 'node_modules', packageName))) return target;
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  const npm = spawnSync(
    'npm',
    [
      'install',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--save-exact',
      `${packageName}@${version}`,
      ...besides,
    ],
    { cwd: folder, encoding: 'utf8' },
  );
  if (npm.status !== 0)
    throw new Error(`${packageName}@${version} cannot be installed: ${npm.stderr || npm.error}`);
  return target;
}
