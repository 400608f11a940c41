/**
 * Runs the compiled tests with Node's own test runner.
 *
 *   node scripts/test.mjs                 all
 *   node scripts/test.mjs unit/detect     those whose path holds one of the words
 *
 * Node 20 cannot expand globs itself, hence this file.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const words = process.argv.slice(2);
const compiled = join(root, 'dist', 'test');
if (!existsSync(compiled)) {
  console.error('The tests are not compiled: run npm run build first.');
  process.exit(2);
}
const files = readdirSync(compiled, { recursive: true })
  .filter((path) => path.endsWith('.test.js'))
  .filter((path) => existsSync(join(root, 'test', path.replace(/\.js$/, '.ts'))))
  .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
  .map((path) => join(compiled, path))
  .sort();
if (files.length === 0) {
  console.error(`No test file matches ${words.join(', ')}.`);
  process.exit(2);
}

// Integration tests start processes of their own: two files at once are plenty for two cores.
const concurrency = Math.max(1, Math.min(4, availableParallelism()));
const runner = spawn(
  process.execPath,
  ['--expose-gc', '--test', `--test-concurrency=${concurrency}`, '--test-reporter=spec', ...files],
  { stdio: 'inherit', cwd: root },
);
runner.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
