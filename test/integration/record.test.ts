import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { Profile } from 'pprof-format';
import { RunReportSchema } from '../../src/diagnosis/index.js';
import { bytesOf, decodeHeapProfile, stackOf } from '../../src/recording/allocation-profile.js';
import type { RecordedAllocationProfile } from '../../src/recording/channels.js';
import { readRecording } from '../../src/recording/index.js';
import { recordedParties } from '../../src/recording/recording-folder.js';
import { KIB } from '../../src/units.js';
import {
  cleanEnv,
  MAIN,
  outcomeOf,
  PROGRAMS,
  runCommand,
  said,
  startCommand,
} from '../fixtures/command-line.js';
import { folderWith } from '../fixtures/folder.js';

const ROOT = resolve(import.meta.dirname, '../../..');
const program = (name: string) => join(PROGRAMS, name);
const onPosix = process.platform === 'win32' ? { skip: 'POSIX signals only' } : {};

/** Records into `folder`/out with nothing in our own output that moves. */
const record = (folder: string, command: string[], options: string[] = []) => [
  'record',
  '--quiet',
  '--output',
  join(folder, 'out'),
  ...options,
  '--',
  ...command,
];

async function recordingsIn(folder: string) {
  const out = join(folder, 'out');
  const parties = recordedParties(out);
  return Promise.all(
    parties.map(async (party) => ({ party, recording: await readRecording(join(out, party.file)) })),
  );
}

describe('a program under record', () => {
  const cases = [
    { how: 'exit-7', code: 7 },
    { how: 'throw', code: 1 },
    { how: 'reject', code: 1 },
    { how: 'nothing', code: 0 },
  ];
  for (const { how, code } of cases) {
    test(`behaves as without it, and keeps its exit code: ${how}`, async (t) => {
      const folder = folderWith(t);
      const command = [process.execPath, program('recorded.cjs'), how, 'a b', '--rate'];
      const env = { NODE_OPTIONS: '--max-old-space-size=123 --no-warnings' };
      const plain = spawn(command[0] as string, command.slice(1), {
        env: { ...cleanEnv, ...env },
        stdio: 'pipe',
      });
      plain.stdin.end('some input');
      const expected = await outcomeOf(plain);
      const recorded = await runCommand(record(folder, command), { env, input: 'some input' });
      assert.equal(recorded.code, code);
      assert.equal(recorded.code, expected.code);
      assert.equal(recorded.stdout.slice(0, expected.stdout.length), expected.stdout);
      assert.equal(recorded.stderr, expected.stderr);
      const [only, ...others] = await recordingsIn(folder);
      assert.deepEqual(others, []);
      assert.ok(only);
      assert.equal(only.recording.isClosed, true);
      assert.deepEqual(only.recording.problems, []);
      assert.deepEqual(only.recording.events('note'), []);
      assert.deepEqual(only.party.ending?.exitCode, code);
      assert.ok(only.recording.count('rss_bytes') > 0);
    });
  }

  test('that is killed leaves a readable recording, and the exit code of the signal', onPosix, async (t) => {
    const folder = folderWith(t);
    const { code, stdout } = await runCommand(
      record(folder, [process.execPath, program('recorded.cjs'), 'kill']),
      { input: '' },
    );
    assert.equal(code, 137);
    assert.match(stdout, /ended +by SIGKILL/);
    const [only] = await recordingsIn(folder);
    assert.ok(only);
    assert.equal(only.recording.isClosed, false);
    assert.deepEqual(only.recording.problems, []);
    assert.equal(only.party.ending, undefined);
  });

  test('is recorded while it blocks its event loop from its first line: memory, heap and collections', async (t) => {
    const folder = folderWith(t);
    const { code } = await runCommand(record(folder, [process.execPath, program('recorded-blocking.mjs')]));
    assert.equal(code, 0);
    const [only] = await recordingsIn(folder);
    assert.ok(only);
    assert.ok(only.recording.count('rss_bytes') > 50, `${only.recording.count('rss_bytes')} samples`);
    assert.ok(only.recording.count('heap_used_bytes') > 0);
    assert.ok(only.recording.count('gc_pause_ns') > 0);
  });

  test('has a recording for each of its processes and threads, and one index of them', async (t) => {
    const folder = folderWith(t);
    const { code, stdout } = await runCommand(
      record(folder, [process.execPath, program('recorded-family.mjs')]),
    );
    assert.equal(code, 0);
    assert.match(stdout, /^all ended 200000\n/);
    const all = await recordingsIn(folder);
    assert.deepEqual(
      all.map(({ party }) => [party.threadId > 0, party.argv.includes('child'), party.ending?.exitCode]),
      [
        [false, false, 0],
        [true, false, 0],
        [false, true, 0],
        [false, false, 0],
      ],
    );
    const [main, worker, child, grandchild] = all.map(({ party }) => party);
    assert.equal(worker?.pid, main?.pid);
    assert.equal(child?.parentPid, main?.pid);
    assert.notEqual(grandchild?.pid, child?.pid);
    for (const { recording } of all) {
      assert.deepEqual(recording.problems, []);
      assert.ok(recording.count('heap_used_bytes') > 0);
    }
  });

  test('has one thread that samples, whatever worker threads come and go, each recorded by itself', {
    skip: process.platform !== 'linux' && 'counts threads in /proc',
  }, async (t) => {
    const folder = folderWith(t);
    const { code, stdout, stderr } = await runCommand(
      record(folder, [process.execPath, program('recorded-workers.mjs')]),
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^threads that sample 1\nall ended\n/);
    const workers = (await recordingsIn(folder)).filter(({ party }) => party.threadId > 0);
    assert.equal(workers.length, 16);
    for (const { party, recording } of workers) {
      assert.deepEqual(recording.problems, [], party.file);
      assert.ok(recording.count('rss_bytes') > 1, party.file);
      assert.ok(recording.count('heap_used_bytes') > 1, party.file);
      if (party.ending) assert.equal(recording.series('operations')?.values.at(-1), 1, party.file);
    }
    assert.ok(workers.filter(({ recording }) => recording.isClosed).length >= 8);
  });

  test('has its requests counted, and what it counts and marks itself', async (t) => {
    const folder = folderWith(t);
    const { code, stderr } = await runCommand(
      record(folder, [process.execPath, program('recorded-server.mjs')]),
    );
    assert.equal(code, 0, stderr);
    const [only] = await recordingsIn(folder);
    assert.ok(only);
    const last = (channel: string) => only.recording.series(channel)?.values.at(-1);
    assert.equal(last('operations'), 37 + 5);
    assert.equal(last('failed_operations'), 3 + 1);
    assert.equal(last('active_operations'), 0);
    assert.equal(last('http_client_requests'), 40);
    assert.equal(last('http_client_responses'), 40);
    assert.deepEqual(
      only.recording.phases().map(({ phase, complete }) => [phase, complete]),
      [
        ['load', true],
        ['afterwards', true],
      ],
    );
  });

  test('that leaks is called a leak, with what each request leaves behind', {
    timeout: 60_000,
  }, async (t) => {
    const folder = folderWith(t);
    const command = [process.execPath, program('recorded-leak.mjs'), '6000'];
    const { code, stdout, stderr } = await runCommand(
      record(folder, command, [
        '--collect-every',
        '100ms',
        '--format',
        'json',
        '--set',
        'thresholds.leakThresholdBytes=1MiB',
        '--set',
        'leakDetection.minSamples=5',
      ]),
    );
    assert.equal(code, 1, stderr);
    const report = RunReportSchema.parse(JSON.parse(stdout));
    const [result] = report.results;
    assert.equal(result?.leakDetection.verdict, 'leak');
    const each = result.leakDetection.bytesPerOperation ?? 0;
    assert.ok(each > 0.8 * 16_384 && each < 1.25 * 16_384, `${each} bytes per operation`);
    assert.equal(result.serviceType, 'recorded-leak.mjs');

    const [only] = await recordingsIn(folder);
    assert.ok(only);
    const [event] = only.recording.events('allocation-profile');
    const about = event?.detail as RecordedAllocationProfile;
    assert.equal(about.intervalBytes, 512 * KIB);
    const path = join(folder, 'out', about.file);
    const profile = decodeHeapProfile(readFileSync(path, 'utf8'), about);
    const leaking = profile.samples.filter(({ node }) =>
      stackOf(profile, node).some(({ url }) => url.endsWith('recorded-leak.mjs')),
    );
    const leaked = bytesOf({ ...profile, samples: leaking });
    assert.ok(leaked > 0.5 * bytesOf(profile), `${leaked} of ${bytesOf(profile)} bytes`);
    const pprof = Profile.decode(gunzipSync(readFileSync(path.replace(/heapprofile$/, 'pb.gz'))));
    const live = pprof.sample.reduce((sum, { value }) => sum + Number(value[1]), 0);
    assert.ok(Math.abs(live - bytesOf(profile)) < 1000);
  });

  test('whose allocations somebody else profiles already is recorded without, and says so', async (t) => {
    const folder = folderWith(t);
    const { code, stdout } = await runCommand(
      record(folder, [process.execPath, '--heap-prof', '-e', ''], ['--format', 'json']),
      { cwd: folder },
    );
    assert.equal(code, 0);
    const [result] = RunReportSchema.parse(JSON.parse(stdout)).results;
    assert.match(
      result?.sampling?.problems.join('\n') ?? '',
      /no allocation profile: .*profiler runs already/,
    );
    assert.ok(
      readdirSync(folder).some((name) => /^Heap\..*\.heapprofile$/.test(name)),
      'the other one works',
    );
  });

  test('that runs out of memory has left who allocated it', onPosix, async (t) => {
    const folder = folderWith(t);
    const leak =
      'function hoard() { kept.push({ kept: new Array(100).fill(1) }); } const kept = []; for (;;) hoard();';
    // V8's profiler does not see a function that was compiled into its caller.
    const options = ['--max-old-space-size=40', '--no-opt', '--no-maglev'];
    const { code, stdout } = await runCommand(record(folder, [process.execPath, ...options, '-e', leak]));
    assert.equal(code, 134);
    assert.match(stdout, /also +memory was about to run out: /);
    assert.match(stdout, /written .*\.near-limit\.heapprofile\n/);
    const saved = readdirSync(join(folder, 'out')).find((name) => name.endsWith('.near-limit.heapprofile'));
    assert.match(readFileSync(join(folder, 'out', saved ?? ''), 'utf8'), /"functionName":"hoard"/);
  });

  test('started by npm from a folder with blanks is the one that is judged', async (t) => {
    const folder = folderWith(t, {
      'a package/package.json': JSON.stringify({ scripts: { start: 'node index.js' } }),
      'a package/index.js': "console.log('started by npm');",
    });
    const { code, stdout, stderr } = await runCommand(
      record(folder, ['npm', 'start', '--silent'], ['--format', 'json']),
      {
        cwd: join(folder, 'a package'),
        env: { npm_config_update_notifier: 'false' },
      },
    );
    assert.equal(code, 0, stderr);
    assert.match(stderr, /started by npm/);
    assert.deepEqual(
      RunReportSchema.parse(JSON.parse(stdout)).results.map(({ serviceType }) => serviceType),
      ['index.js'],
    );
    assert.ok(recordedParties(join(folder, 'out')).length >= 2, 'npm is recorded too');
  });

  test('may be TypeScript, behind a loader', async (t) => {
    const folder = folderWith(t, {
      'typed.ts': "const text: string = 'typed'; console.log(text satisfies string);",
    });
    const jiti = join(ROOT, 'node_modules/jiti/lib/jiti-cli.mjs');
    const { code, stdout } = await runCommand(
      record(folder, [process.execPath, jiti, join(folder, 'typed.ts')]),
    );
    assert.equal(code, 0);
    assert.match(stdout, /^typed\n/);
    assert.equal((await recordingsIn(folder)).length, 1);
  });
});

describe('a signal', onPosix, () => {
  test('goes on to the program once, which ends in its own way', async (t) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const folder = folderWith(t);
      const child = startCommand(record(folder, [process.execPath, program('recorded-signals.mjs')]));
      const ended = outcomeOf(child);
      await said(child, /ready/);
      child.kill(signal);
      const { code, stdout } = await ended;
      assert.equal(code, 5);
      assert.match(stdout, new RegExp(`^ready\n${signal} 1\n\n`));
      assert.equal((await recordingsIn(folder))[0]?.recording.isClosed, true);
    }
  });

  test('sent twice kills a program that does not end, and the recording is judged', async (t) => {
    const folder = folderWith(t);
    const child = startCommand(
      record(folder, [process.execPath, program('recorded-signals.mjs'), 'stubborn']),
    );
    const ended = outcomeOf(child);
    await said(child, /ready/);
    child.kill('SIGINT');
    await said(child, /SIGINT 1/);
    child.kill('SIGINT');
    const { code, stdout } = await ended;
    assert.equal(code, 137);
    assert.match(stdout, /ended +by SIGKILL/);
  });

  test('from the keyboard reaches the program once, and not by us as well', {
    skip: scriptMissing(),
  }, async (t) => {
    const folder = folderWith(t);
    const words = [
      process.execPath,
      MAIN,
      ...record(folder, [process.execPath, program('recorded-signals.mjs')]),
    ];
    const command = words.map((word) => `'${word}'`).join(' ');
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      cwd: folder,
      env: cleanEnv,
      stdio: 'pipe',
    });
    const ended = outcomeOf(child);
    await said(child, /ready/);
    child.stdin.write('\u0003');
    const stdout = stripVTControlCharacters((await ended).stdout);
    assert.match(stdout, /SIGINT 1/);
    assert.doesNotMatch(stdout, /SIGINT 2/);
    assert.match(stdout, /ended +with exit code 5/);
  });

  test('USR2 to record begins the load in the program, and ends it', async (t) => {
    const folder = folderWith(t);
    const child = startCommand([
      'record',
      '--output',
      join(folder, 'out'),
      '--',
      process.execPath,
      program('recorded-signals.mjs'),
    ]);
    const ended = outcomeOf(child);
    await said(child, /ready/);
    for (const phase of ['load', 'rest']) {
      const marked = said(child, new RegExp(`phase ${phase} begins`));
      child.kill('SIGUSR2');
      await marked;
      await phaseRecorded(join(folder, 'out'), phase);
    }
    child.kill('SIGTERM');
    assert.equal((await ended).code, 5);
    const [only] = await recordingsIn(folder);
    assert.deepEqual(
      only?.recording.phases().map(({ phase }) => phase),
      ['load', 'rest'],
    );
  });
});

describe('record', () => {
  test('ends the program when its time is up, which is no failure of the program', onPosix, async (t) => {
    const folder = folderWith(t);
    const { code, stdout } = await runCommand(
      record(folder, [process.execPath, '-e', 'setInterval(() => {}, 1000)'], ['--duration', '3s']),
    );
    assert.equal(code, 0);
    assert.match(stdout, /ended +by SIGTERM, told to because its time was up/);
  });

  test('leaves recordings that only their owner can read', onPosix, async (t) => {
    const folder = folderWith(t);
    await runCommand(record(folder, [process.execPath, '-e', '']));
    const out = join(folder, 'out');
    assert.equal(statSync(out).mode & 0o777, 0o700);
    for (const name of readdirSync(out).filter((one) => one !== 'results.json'))
      assert.equal(statSync(join(out, name)).mode & 0o777, 0o600, name);
  });

  test('takes a folder over that an earlier recording used, and deletes nothing else in it', async (t) => {
    const folder = folderWith(t, { 'out/mine.txt': 'mine' });
    await runCommand(record(folder, [process.execPath, '-e', '']));
    await runCommand(record(folder, [process.execPath, '-e', '']));
    assert.equal((await recordingsIn(folder)).length, 1);
    assert.equal(readdirSync(join(folder, 'out')).filter((name) => name.endsWith('.cmrec')).length, 1);
    assert.ok(existsSync(join(folder, 'out/mine.txt')));
  });

  test('says what is wrong with a program that is none', async (t) => {
    const folder = folderWith(t, { 'not-executable.js': '' });
    const missing = await runCommand(record(folder, ['no-such-program']));
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /cannot start no-such-program: there is no such program on the PATH/);
    assert.ok(!existsSync(join(folder, 'out')), 'no empty folder is left behind');

    const forbidden = await runCommand(record(folder, [join(folder, 'not-executable.js')]));
    assert.equal(forbidden.code, 2);
    assert.match(forbidden.stderr, /it may not be executed\n {2}fix: .*`node` before it/);

    const foreign = await runCommand(record(folder, ['true']));
    assert.equal(foreign.code, 3);
    assert.match(foreign.stderr, /nothing was recorded .*: no Node process came up in the program/);

    const failing = await runCommand(record(folder, ['false']));
    assert.equal(failing.code, 1, 'its own exit code comes first');
    assert.match(failing.stderr, /nothing was recorded/);
  });

  test('refuses what it cannot do before it starts the program', async (t) => {
    const folder = folderWith(t, { file: '' });
    for (const [args, why] of [
      [['record'], /missing required argument 'command'/],
      [['record', '--rate', '0', '--', 'node'], /Expected samples per second, above 0 and up to 10000/],
      [['record', '--keys', '--', 'node'], /standard input is no terminal/],
      [['record', '--output', join(folder, 'file'), '--', process.execPath, '-e', '0'], /cannot write/],
    ] as const) {
      const { code, stdout, stderr } = await runCommand(args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, why);
      assert.equal(stdout, '');
    }
  });
});

test('without the addon a program is recorded by JavaScript, from a folder with blanks, and the result says so', async (t) => {
  const folder = folderWith(t);
  const copy = join(folder, 'a package "of ours"');
  mkdirSync(copy);
  cpSync(join(ROOT, 'dist/src'), join(copy, 'dist/src'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(copy, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const { code, stdout, stderr } = await runCommand(
    record(folder, [process.execPath, '-e', 'setTimeout(() => {}, 500)'], ['--format', 'json']),
    { main: join(copy, 'dist/src/cli/main.js') },
  );
  assert.equal(code, 0, stderr);
  const [result] = RunReportSchema.parse(JSON.parse(stdout)).results;
  assert.match(result?.sampling?.problems.join('\n') ?? '', /sampled by JavaScript, .* has not been built/);
  const [only] = await recordingsIn(folder);
  assert.equal(only?.recording.header.details.sampler, 'javascript');
  assert.ok(only.recording.count('rss_bytes') > 1);
  assert.ok(only.recording.count('heap_used_bytes') > 1);

  const snapshot = join(folder, 'plain.heapsnapshot');
  const agent = pathToFileURL(join(copy, 'dist/src/capture/agent-snapshot.js')).href;
  const asked = `const { takeAgentSnapshot } = await import(${JSON.stringify(agent)});
    console.log(JSON.stringify(await takeAgentSnapshot(${JSON.stringify(snapshot)}, 'fork')));`;
  const taken = spawnSync(process.execPath, ['--input-type=module', '-e', asked], { encoding: 'utf8' });
  const answer = JSON.parse(taken.stdout);
  assert.equal(answer.mode, 'plain', 'what cannot be forked is taken plainly');
  assert.match(answer.fallback, /addon .* cannot be loaded/);
  assert.equal(answer.sizeBytes, statSync(snapshot).size);
});

test('a program that cannot write its recording runs as it would', onPosix, async (t) => {
  const folder = folderWith(t);
  const script = join(folder, 'locks-its-folder.mjs');
  writeFileSync(
    script,
    `import { rmSync } from 'node:fs';\nrmSync(${JSON.stringify(join(folder, 'out'))}, { recursive: true });\nconsole.log('done');`,
  );
  const { code, stdout, stderr } = await runCommand(record(folder, [process.execPath, script]));
  assert.equal(code, 3);
  assert.equal(stdout, 'done\n');
  assert.match(stderr, /nothing was recorded/);
  chmodSync(folder, 0o700);
});

async function phaseRecorded(out: string, phase: string): Promise<void> {
  for (;;) {
    const [party] = recordedParties(out);
    const recording = party && (await readRecording(join(out, party.file)));
    if (recording?.phases().some((one) => one.phase === phase)) return;
    await new Promise((again) => setTimeout(again, 20));
  }
}

function scriptMissing(): string | false {
  const works =
    process.platform === 'linux' && spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0;
  return works ? false : 'needs script(1) of util-linux for a pseudo-terminal';
}
