/**
 * Runs the whole test command on another major of Node, in a copy of the
 * working tree with its own node_modules, as on a fresh machine.
 *
 *   node scripts/test-on-node.mjs 26             npm ci && npm test on Node 26
 *   node scripts/test-on-node.mjs 22 24 26       one after the other
 *   node scripts/test-on-node.mjs 26 -- run --service ScriptEngine
 *                                                npm ci && npx crucible-memory run ... on Node 26
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cache, findNpm, installNode, nodeIn } from './node-majors.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const separator = process.argv.indexOf('--');
const majors = process.argv.slice(2, separator < 0 ? undefined : separator);
const command = separator < 0 ? null : process.argv.slice(separator + 1);
if (majors.length === 0 || !majors.every((major) => /^\d+$/.test(major))) {
  console.error('usage: node scripts/test-on-node.mjs MAJOR [MAJOR...] [-- crucible-memory arguments]');
  process.exit(2);
}

const npmCli = findNpm();
const outcomes = majors.map((major) => ({ major, code: testOn(major) }));
for (const { major, code } of outcomes)
  console.log(`Node ${major}: ${code === 0 ? 'passed' : `failed (exit ${code})`}`);
process.exit(outcomes.every(({ code }) => code === 0) ? 0 : 1);

function testOn(major) {
  const distribution = installNode(major);
  const copy = copyWorkingTree(join(cache, `on-node-${major}`));
  const env = {
    ...process.env,
    PATH: `${join(distribution, 'bin')}${delimiter}${process.env.PATH}`,
    npm_config_nodedir: distribution,
  };
  const node = nodeIn(distribution);
  const npm = (...args) =>
    spawnSync(node, [npmCli, ...args], { cwd: copy, env, stdio: 'inherit' }).status ?? 1;
  console.log(`Node ${execFileSync(node, ['--version']).toString().trim()} in ${copy}`);
  const installed = npm('ci', '--no-audit', '--no-fund');
  if (installed !== 0) return installed;
  return command === null ? npm('test') : npm('exec', '--', 'crucible-memory', ...command);
}

/** What git tracks and what is new, without what it ignores: what a clone would hold. */
function copyWorkingTree(target) {
  rmSync(target, { recursive: true, force: true });
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    maxBuffer: 1 << 26,
  });
  for (const path of listed.toString().split('\0')) {
    const from = join(root, path);
    if (path === '' || !existsSync(from)) continue;
    mkdirSync(dirname(join(target, path)), { recursive: true });
    cpSync(from, join(target, path));
  }
  return target;
}
