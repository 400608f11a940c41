import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { RunReportSchema } from '../../src/diagnosis/index.js';
import { readReport } from '../../src/report/index.js';
import {
  cleanEnv,
  MAIN,
  outcomeOf,
  PROGRAMS,
  runCommand,
  said,
  scriptMissing,
  startCommand,
} from '../fixtures/command-line.js';
import { folderWith } from '../fixtures/folder.js';

/** The command line as a user meets it: the compiled program in a process of its own. */

const CLEAN = join(PROGRAMS, 'clean.mjs');
const LEAKING = join(PROGRAMS, 'leaking.mjs');
const FAILING = join(PROGRAMS, 'failing-setup.mjs');

/** A run of a second or so. */
const QUICK = [
  '--duration',
  '1s',
  '--set',
  'testDurations.warmUpSeconds=0.2',
  '--set',
  'reporting.generateCharts=false',
];

const run = (args: readonly string[], cwd?: string) => runCommand(args, cwd === undefined ? {} : { cwd });

test('the command is a program that a shell may start, whatever npm did to it before', {
  skip: process.platform === 'win32' && 'files have no executable bit on Windows',
}, () => {
  assert.doesNotThrow(() => accessSync(MAIN, constants.X_OK), 'npm run build sets its executable bit');
});

test('--help, --version, --list and --help-config print to stdout and exit 0', async () => {
  for (const [args, expected] of [
    [['--help'], /Usage: crucible-memory/],
    [['run', '--help'], /--scenario <names>[\s\S]*Exit codes:/],
    [['--version'], /^\d+\.\d+\.\d+/],
    [['run', '--list'], /ScriptEngine[\s\S]*CleanupValidation[\s\S]*smoke[\s\S]*arc-cycle/],
    [['run', '--inject', 'list'], /^planted leaks[\s\S]*McpGateway[\s\S]*arc-cycle {2,}a session owns/],
    [['run', '--help-config'], /leakThresholdBytes +5\.0 MiB/],
  ] as const) {
    const { code, stdout, stderr } = await run(args);
    assert.equal(code, 0, args.join(' '));
    assert.match(stdout, expected);
    assert.equal(stderr, '');
  }
});

test('--list --format json is one JSON document', async () => {
  const lists = JSON.parse((await run(['run', '--list', '--format', 'json'])).stdout);
  assert.equal(lists.services.length, 4);
  assert.equal(lists.scenarios.length, 8);
  const planted = JSON.parse((await run(['run', '--inject', 'list', '--format', 'json'])).stdout);
  assert.deepEqual(planted, lists.plantedLeaks);
});

test('wrong usage exits 2, says what is wrong, and names the nearest valid word', async (t) => {
  const folder = folderWith(t, { 'target.mjs': '' });
  for (const [args, expected] of [
    [[], /Usage: crucible-memory/],
    [['rnu'], /unknown command 'rnu'\s+\(Did you mean run\?\)/],
    [['run', '--sevice', 'DataStore'], /unknown option '--sevice'\s+\(Did you mean --service\?\)/],
    [['run', '--format', 'jsn'], /'jsn' is invalid\. Did you mean "json"\?/],
    [['run', '--service', 'DataStor3'], /no service "DataStor3": did you mean "DataStore"\?/],
    [['run', '--scenario', 'idel-baseline'], /no scenario "idel-baseline": did you mean "IdleBaseline"\?/],
    [['run', '--profile', 'smok'], /unknown profile "smok"; did you mean "smoke"\?/],
    [['run', '--inject', 'unbound-cach'], /no planted leak "unbound-cach": did you mean "unbounded-cache"\?/],
    [['run', 'DataStore', '--inject', 'arc-cycle'], /"arc-cycle" cannot be planted: it is one of McpGateway/],
    [['run', '--inject', 'arc-cycle', '--inject', 'contexts-kept'], /There is "arc-cycle" already/],
    [['run', './taget.mjs'], /no target module \.\/taget\.mjs: .* did you mean "target\.mjs"\?/],
    [['run', '--duration', 'long'], /'long' is invalid\. Expected a time such as 30s/],
    [
      ['run', '--operations', 'many'],
      /--operations many: loadTesting\.maxOperations: expected a whole number/,
    ],
    [['run', '--set', 'rateHz=5'], /--set rateHz=5: no such setting; did you mean sampling\.rateHz\?/],
    [['run', '--config', 'nope.yaml'], /cannot read the configuration nope\.yaml/],
    [['run', '--output', 'target.mjs/below'], /cannot write .*below.*\n {2}fix: .*--output/],
  ] as const) {
    const { code, stdout, stderr } = await run(args, folder);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, expected);
    assert.equal(stdout, '', 'stdout is for results');
  }
});

test('a wrong configuration file exits 2 with file, line and column', async (t) => {
  const folder = folderWith(t, { 'crucible-memory.config.yaml': 'sampling:\n  rateHz: fast\n' });
  const { code, stderr } = await run(['run', CLEAN], folder);
  assert.equal(code, 2);
  assert.match(
    stderr,
    /crucible-memory\.config\.yaml:2:11: sampling\.rateHz: expected a number, received "fast"/,
  );
});

test('a planted leak runs its service only, and the result says that it was planted', async (t) => {
  const { stdout } = await run(
    ['run', '--inject', 'Statements-Not-Finalised', '--scenario', 'idle', ...QUICK, '--format', 'json'],
    folderWith(t, {}),
  );
  const { results } = RunReportSchema.parse(JSON.parse(stdout));
  assert.deepEqual(
    results.map(({ testId, injectedFault }) => ({ testId, injectedFault })),
    [{ testId: 'DataStore/IdleBaseline', injectedFault: 'statements-not-finalised' }],
  );
});

test('a leaking target exits 1; the summary says so first, and where everything is', async (t) => {
  const folder = folderWith(t);
  const { code, stdout, stderr } = await run(
    ['run', LEAKING, '--scenario', 'high', '--duration', '3s'],
    folder,
  );
  assert.equal(code, 1, stderr);
  assert.match(
    stdout,
    /^LEAK {2}leaking leaves \d+\.\d KiB per operation behind \(HighFrequencyOperations, /,
  );
  assert.match(stdout, /\nresults {2}crucible-memory-results\/results\.json\n/);
  assert.match(
    stdout,
    /\nchart {4}crucible-memory-results\/recordings\/leaking-HighFrequencyOperations\.svg\n/,
  );
  assert.match(
    stdout,
    /\nnext {5}crucible-memory run .*leaking\.mjs --scenario HighFrequencyOperations --duration 1m\n/,
  );
  assert.match(stderr, /^crucible-memory {2}1 test \(1 target × 1 scenario\), about \d+s\n/);
  assert.match(stderr, /\[1\/1\] ✗ leaking HighFrequencyOperations {2}leak {2,}[▁▂▃▄▅▆▇█ ]+peak/);
  const report = readReport(join(folder, 'crucible-memory-results', 'results.json'));
  assert.equal(report.summary.leaks, 1);
  const [result] = report.results;
  assert.equal(result?.recording, join('recordings', 'leaking-HighFrequencyOperations.cmrec'));
  assert.ok(existsSync(join(folder, 'crucible-memory-results', result.recording)));
});

test('a target that cannot start exits 3, and the other targets still run', async (t) => {
  const folder = folderWith(t);
  const { code, stdout } = await run(
    ['run', FAILING, CLEAN, '--scenario', 'idle', ...QUICK, '--quiet'],
    folder,
  );
  assert.equal(code, 3, stdout);
  assert.match(stdout, /^FAILED {2}1 of 2 tests could not be carried out/);
  assert.match(stdout, /TARGET_SETUP_FAILED during setup: .*no database at 10\.0\.0\.1/);
});

test('--format json writes one report to stdout and nothing else, and --output x.json the same to a file', async (t) => {
  const folder = folderWith(t);
  const options = ['--format', 'json', '--output', 'deep/x.json', '--set', 'sampling.rateHz=200'];
  const { code, stdout } = await run(['run', CLEAN, '--scenario', 'idle', ...QUICK, ...options], folder);
  assert.equal(code, 0);
  const printed = RunReportSchema.parse(JSON.parse(stdout));
  assert.equal(printed.profile, 'smoke');
  assert.equal((printed.config as { sampling: { rateHz: number } }).sampling.rateHz, 200);
  const saved = readReport(join(folder, 'deep', 'x.json'));
  assert.equal(saved.results.length, 1);
  assert.deepEqual(readdirSync(folder), ['deep'], 'nothing is written anywhere else');
  assert.deepEqual(readdirSync(join(folder, 'deep')).sort(), ['x', 'x.json']);
});

test('--quiet keeps stderr empty, and a reader that has seen enough is no error', async (t) => {
  const child = startCommand(['run', CLEAN, '--scenario', 'idle', ...QUICK, '--quiet', '--output', '.'], {
    cwd: folderWith(t),
  });
  child.stdout?.destroy();
  const { code, stderr } = await outcomeOf(child);
  assert.equal(code, 0);
  assert.equal(stderr, '');
});

test('results that cannot be saved in the end go to stderr as a last resort', async (t) => {
  const folder = folderWith(t);
  const child = startCommand(['run', CLEAN, '--scenario', 'idle', ...QUICK, '--output', 'out'], {
    cwd: folder,
  });
  const ended = outcomeOf(child);
  await said(child, /results in/);
  // After the check before the run, before the first result.
  mkdirSync(join(folder, 'out', 'results.json', 'in-the-way'), { recursive: true });
  const { code, stdout, stderr } = await ended;
  assert.equal(code, 0);
  assert.doesNotMatch(stdout, /^results /m);
  assert.match(stderr, /crucible-memory: cannot write .*results\.json/);
  const report = RunReportSchema.parse(JSON.parse(stderr.slice(stderr.indexOf('\n{') + 1)));
  assert.equal(report.results.length, 1);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} stops the run, keeps what is finished, and exits 130`, {
    skip: process.platform === 'win32',
  }, async (t) => {
    const folder = folderWith(t);
    const slow = ['--set', 'testDurations.longTestSeconds=600'];
    const child = startCommand(
      [
        'run',
        CLEAN,
        '--scenario',
        'idle,long',
        ...QUICK.slice(2),
        ...slow,
        '--set',
        'testDurations.shortTestSeconds=1',
      ],
      { cwd: folder },
    );
    const ended = outcomeOf(child);
    await said(child, /\[1\/2\]/);
    child.kill(signal);
    const { code, stdout, stderr } = await ended;
    assert.equal(code, 130, stderr);
    assert.match(stderr, /stopping; what is finished will be saved/);
    assert.match(stdout, /^INTERRUPTED {2}1 test finished, 1 not carried out/);
    const report = readReport(join(folder, 'crucible-memory-results', 'results.json'));
    assert.equal(report.interrupted, true);
    assert.deepEqual([report.summary.tests, report.summary.notRun], [1, 1]);
  });
}

test('on a terminal the run is drawn as a tree on stderr, which gives way to the summary', {
  skip: scriptMissing(),
}, async (t) => {
  const command = [process.execPath, MAIN, 'run', CLEAN, '--scenario', 'idle', ...QUICK]
    .map((word) => `'${word}'`)
    .join(' ');
  // script(1) runs it on a pseudo-terminal of 100 columns; its own output is both streams.
  const child = spawn('script', ['-qec', `stty rows 40 cols 100; ${command}`, '/dev/null'], {
    cwd: folderWith(t),
    env: { ...cleanEnv, TERM: 'xterm' },
  });
  const { code, stdout } = await outcomeOf(child);
  assert.equal(code, 0);
  const text = stripVTControlCharacters(stdout);
  assert.match(text, /◼|❯ clean/);
  assert.match(text, /IdleBaseline +load +\d+m?s of \d+s +[▁▂▃▄▅▆▇█]+ +\d+\.\d MiB/);
  assert.match(text, /0 of 1 tests, \d+m?s elapsed, about \d+m?s left/);
  assert.ok(stdout.includes('\u001b[36m'), 'in colours');
  assert.ok(
    stdout.lastIndexOf('\u001b[?25h') > stdout.lastIndexOf('\u001b[?25l'),
    'the cursor is shown again',
  );
  assert.match(text.slice(text.lastIndexOf('elapsed')), /(CLEAN|INCONCLUSIVE) {2}1 test/);
});

test('a second Ctrl-C quits at once, and takes a child with it that is stuck', {
  skip: process.platform === 'win32',
  timeout: 60_000,
}, async (t) => {
  const spinning =
    "import { writeFileSync } from 'node:fs';\n" +
    "export function operation() { writeFileSync('pid', String(process.pid)); for (;;); }\n";
  const folder = folderWith(t, { 'spinning.mjs': spinning, pid: '' });
  const child = startCommand(['run', 'spinning.mjs', '--scenario', 'high', ...QUICK], { cwd: folder });
  const ended = outcomeOf(child);
  const stuckPid = () => Number(readFileSync(join(folder, 'pid'), 'utf8'));
  while (stuckPid() === 0) await setTimeout(50);
  const stopping = said(child, /stopping/);
  child.kill('SIGINT');
  await stopping;
  child.kill('SIGINT');
  assert.equal((await ended).code, 130);
  while (isAlive(stuckPid())) await setTimeout(20);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
