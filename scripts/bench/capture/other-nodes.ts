import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../peer.js';

/** A Node and this project's programs with the addons that it can load. */
export interface Host {
  version: string;
  node: string;
  /** The compiled files of this project, as `dist`. */
  dist: string;
}

interface NodeMajors {
  cache: string;
  installNode(major: string): string;
  nodeIn(distribution: string): string;
}

/** The Node that runs this. */
export const OWN: Host = { version: process.version, node: process.execPath, dist: join(ROOT, 'dist') };

/**
 * Another major, which is installed below .cache/ unless it is there. core.node serves every one of them; what
 * calls V8 is built in a copy of this project, so that nothing of it changes under those who use it.
 */
export async function hostOf(major: string): Promise<Host> {
  if (process.version.startsWith(`v${major}.`)) return OWN;
  const path = join(ROOT, 'scripts', 'node-majors.mjs');
  const { cache, installNode, nodeIn } = (await import(pathToFileURL(path).href)) as NodeMajors;
  const distribution = installNode(major);
  const node = nodeIn(distribution);
  const copy = join(cache, `bench-node-${major}`);
  mkdirSync(copy, { recursive: true });
  rmSync(join(copy, 'dist'), { recursive: true, force: true });
  for (const name of [
    'dist',
    'native',
    'binding.gyp',
    'package.json',
    'scripts/install.mjs',
    'build/Release/core.node',
  ])
    cpSync(join(ROOT, name), join(copy, name), { recursive: true, preserveTimestamps: true });
  if (!existsSync(join(copy, 'node_modules')))
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  execFileSync(node, [join(copy, 'scripts', 'install.mjs'), '--isolate-only'], {
    cwd: copy,
    env: { ...process.env, npm_config_nodedir: distribution },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const version = execFileSync(node, ['--version']).toString().trim();
  return { version, node, dist: join(copy, 'dist') };
}
