/**
 * Runs the main job as a user would and checks what it promises: 32 results,
 * none failed, none called leaking, recordings with at least 900 RSS samples
 * per second of load, the whole within five minutes.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const output = mkdtempSync(join(tmpdir(), 'crucible-main-job-'));
const beganMs = performance.now();
const run = spawnSync(
  'npx',
  ['crucible-memory', 'run', '--profile', 'smoke', '--format', 'json', '--output', output],
  { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 28 },
);
const seconds = (performance.now() - beganMs) / 1000;
const report = JSON.parse(run.stdout.toString());

const { results } = report;
const rates = results.map(({ sampling }) => sampling?.reachedRateHz ?? 0);
const checks = [
  ['32 results', results.length === 32, results.length],
  [
    'none failed',
    results.every(({ status }) => status !== 'failed'),
    names(({ status }) => status === 'failed'),
  ],
  [
    'no reference service called leaking',
    results.every(({ leakDetection }) => leakDetection.verdict !== 'leak'),
    names(({ leakDetection }) => leakDetection.verdict === 'leak'),
  ],
  [
    'at least 900 RSS samples per second of load',
    Math.min(...rates) >= 900,
    `lowest ${Math.min(...rates).toFixed(0)}`,
  ],
  ['at most five minutes', seconds <= 300, `${seconds.toFixed(0)} s`],
];
for (const [promise, kept, found] of checks)
  console.log(`${kept ? 'ok    ' : 'BROKEN'} ${promise} (${found})`);
const broken = checks.filter(([, kept]) => !kept).length;
console.log(`${checks.length - broken} passed, ${broken} failed`);
rmSync(output, { recursive: true, force: true });
process.exit(broken === 0 ? 0 : 1);

function names(predicate) {
  return (
    results
      .filter(predicate)
      .map(({ testId }) => testId)
      .join(', ') || 'none'
  );
}
