import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { listeningPorts } from '../../src/capture/process-table.js';
import { RunReportSchema } from '../../src/diagnosis/index.js';
import { readRecording } from '../../src/recording/index.js';
import { recordedParties } from '../../src/recording/recording-folder.js';
import { cleanEnv, outcomeOf, PROGRAMS, runCommand, said, startCommand } from '../fixtures/command-line.js';
import { folderWith } from '../fixtures/folder.js';

/** What reaches a process from outside needs its /proc; and the inspector's port, of which there is one: tests take turns. */
const onLinux = process.platform === 'linux' ? { timeout: 60_000 } : { skip: 'Linux only' };
const ATTACHABLE = join(PROGRAMS, 'attachable.mjs');

async function running(
  t: TestContext,
  args: string[] = [ATTACHABLE],
): Promise<ChildProcess & { pid: number }> {
  const child = spawn(process.execPath, args, { env: cleanEnv, stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  await said(child, /ready/);
  return child as ChildProcess & { pid: number };
}

function isAlive({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

interface Snapshot {
  snapshot: { node_count: number };
  nodes: number[];
  strings: string[];
}

function parsedSnapshot(path: string): Snapshot {
  const snapshot = JSON.parse(readFileSync(path, 'utf8')) as Snapshot;
  assert.equal(snapshot.nodes.length % snapshot.snapshot.node_count, 0);
  assert.ok(snapshot.strings.includes('HeldByTheProgram'));
  return snapshot;
}

describe('attach', onLinux, () => {
  test('records memory, heap, collections and allocations of a process, which goes on with its inspector closed', async (t) => {
    const child = await running(t);
    const out = join(folderWith(t), 'out');
    const { code, stdout, stderr } = await runCommand([
      'attach',
      ...['--duration', '4s', '--output', out, '--snapshots', '--format', 'json', String(child.pid)],
    ]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(
      RunReportSchema.parse(JSON.parse(stdout)).results.map(({ serviceType }) => serviceType),
      ['attachable.mjs'],
    );
    const recording = await readRecording(join(out, `${child.pid}.cmrec`));
    assert.deepEqual(recording.problems, []);
    assert.deepEqual(recording.events('note'), []);
    for (const channel of ['rss_bytes', 'pss_bytes', 'thread_count', 'heap_used_bytes', 'external_bytes'])
      assert.ok(recording.count(channel) > 0, channel);
    assert.ok(recording.count('floor_live_bytes') > 0, 'a snapshot collects, and that is seen');
    const profile = JSON.parse(readFileSync(join(out, `${child.pid}.heapprofile`), 'utf8'));
    assert.ok(profile.head.children.length > 0);
    for (const when of ['begin', 'end']) parsedSnapshot(join(out, `${child.pid}-${when}.heapsnapshot`));
    for (const name of readdirSync(out).filter((one) => one !== 'results.json'))
      assert.equal(statSync(join(out, name)).mode & 0o777, 0o600, name);
    assert.deepEqual(listeningPorts(child.pid), []);
    assert.ok(isAlive(child));
  });

  test('without the inspector leaves the process alone', async (t) => {
    const child = await running(t);
    let complaints = '';
    child.stderr?.on('data', (text) => (complaints += text));
    const out = join(folderWith(t), 'out');
    const { code } = await runCommand([
      'attach',
      '--no-inspector',
      '--duration',
      '1s',
      '--output',
      out,
      String(child.pid),
    ]);
    assert.equal(code, 0);
    const recording = await readRecording(join(out, `${child.pid}.cmrec`));
    assert.ok(recording.count('rss_bytes') > 5);
    assert.equal(recording.count('heap_used_bytes'), 0);
    assert.equal(complaints, '');
  });

  test('ends when the process does, and when it is interrupted', async (t) => {
    const folder = folderWith(t);
    const ending = await running(t);
    const first = startCommand([
      'attach',
      '--no-inspector',
      '--output',
      join(folder, '1'),
      String(ending.pid),
    ]);
    const ended = outcomeOf(first);
    await recorded(join(folder, '1'));
    ending.kill('SIGKILL');
    const { code, stdout } = await ended;
    assert.equal(code, 0);
    assert.match(stdout, /ended +with the process/);

    const going = await running(t);
    const second = startCommand([
      'attach',
      '--no-inspector',
      '--output',
      join(folder, '2'),
      String(going.pid),
    ]);
    const interrupted = outcomeOf(second);
    await recorded(join(folder, '2'));
    second.kill('SIGINT');
    assert.match((await interrupted).stdout, /ended +the process goes on/);
    assert.ok(isAlive(going));
  });

  test('to what is not Node says so, does not signal it, and records it from outside', async (t) => {
    const child = spawn('sleep', ['60']);
    t.after(() => child.kill('SIGKILL'));
    await once(child, 'spawn');
    const out = join(folderWith(t), 'out');
    const { code, stderr } = await runCommand([
      'attach',
      '--duration',
      '1s',
      '--output',
      out,
      String(child.pid),
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /only figures from outside, because .*the program that it runs is not Node/);
    const recording = await readRecording(join(out, `${child.pid}.cmrec`));
    assert.ok(recording.count('rss_bytes') > 5);
    assert.equal(recording.events('note').length, 1);
    assert.ok(isAlive(child));
  });

  test('says what is wrong with a process that is none', async () => {
    const gone = spawn(process.execPath, ['-e', '']);
    await once(gone, 'exit');
    for (const [pid, why] of [
      [String(gone.pid), /there is no process \d+: it has ended/],
      ['0', /Expected a process id/],
      ['node', /Expected a process id/],
    ] as const) {
      const { code, stderr } = await runCommand(['attach', pid]);
      assert.equal(code, 2);
      assert.match(stderr, why);
    }
  });
});

describe('snapshot', onLinux, () => {
  test('goes through the inspector of a process without an agent, and closes it again', async (t) => {
    const child = await running(t);
    const path = join(folderWith(t), 'one.heapsnapshot');
    const { code, stdout, stderr } = await runCommand([
      'snapshot',
      ...['--snapshot-mode', 'fork', '--output', path, String(child.pid)],
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /one\.heapsnapshot {2}\d.* through its inspector/);
    assert.match(stdout, /plainly +only the agent of `record` can fork/);
    parsedSnapshot(path);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(listeningPorts(child.pid), []);
    assert.ok(isAlive(child));
  });

  test('goes through the agent of a process under record, which notices nothing', async (t) => {
    const folder = folderWith(t);
    const command = startCommand([
      'record',
      '--output',
      join(folder, 'out'),
      '--',
      process.execPath,
      ATTACHABLE,
    ]);
    const ended = outcomeOf(command);
    await said(command, /ready/);
    const [party] = recordedParties(join(folder, 'out'));
    assert.ok(party);
    const path = join(folder, 'one.heapsnapshot');
    const { code, stdout } = await runCommand([
      'snapshot',
      '--format',
      'json',
      '--output',
      path,
      String(party.pid),
    ]);
    assert.equal(code, 0);
    const answer = JSON.parse(stdout);
    assert.deepEqual([answer.pid, answer.path, answer.way], [party.pid, path, 'agent']);
    assert.equal(answer.sizeBytes, statSync(path).size);
    assert.equal(answer.mode, 'plain');
    parsedSnapshot(path);

    const forked = await runCommand([
      'snapshot',
      ...['--snapshot-mode', 'fork', '--output', join(folder, 'two.heapsnapshot'), String(party.pid)],
    ]);
    assert.equal(forked.code, 0, forked.stderr);
    assert.match(forked.stdout, /through its agent, in .*, by a forked child; it stood still for |\nplainly/);
    parsedSnapshot(join(folder, 'two.heapsnapshot'));
    command.kill('SIGTERM');
    const { stderr } = await ended;
    assert.doesNotMatch(stderr, /Debugger/);
  });

  test('of a program is taken while it runs, and then it is ended; or when it ends before', async (t) => {
    const folder = folderWith(t, {
      'short.mjs':
        'class HeldByTheProgram {}\nglobalThis.kept = new HeldByTheProgram();\nprocess.exitCode = 9;',
    });
    const running = join(folder, 'running.heapsnapshot');
    const first = await runCommand([
      'snapshot',
      '--after',
      '2s',
      '--output',
      running,
      '--',
      process.execPath,
      ATTACHABLE,
    ]);
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /through its agent, in/);
    parsedSnapshot(running);

    const ended = join(folder, 'ended.heapsnapshot');
    const second = await runCommand([
      'snapshot',
      '--after',
      '1m',
      '--output',
      ended,
      '--',
      process.execPath,
      join(folder, 'short.mjs'),
    ]);
    assert.equal(second.code, 0, second.stderr);
    assert.match(second.stdout, /through its agent at its end/);
    parsedSnapshot(ended);
  });

  test('that cannot be taken leaves no file behind, and says why', async (t) => {
    const folder = folderWith(t);
    const child = await running(t);
    const nowhere = join(folder, 'missing', 'one.heapsnapshot');
    const unwritable = await runCommand(['snapshot', '--output', nowhere, String(child.pid)]);
    assert.equal(unwritable.code, 2);
    assert.match(unwritable.stderr, /cannot write .*one\.heapsnapshot/);

    const sleeping = spawn('sleep', ['60']);
    t.after(() => sleeping.kill('SIGKILL'));
    await once(sleeping, 'spawn');
    const foreign = await runCommand(['snapshot', '--output', join(folder, 'x'), String(sleeping.pid)]);
    assert.equal(foreign.code, 2);
    assert.match(foreign.stderr, /the program that it runs is not Node/);
    assert.ok(isAlive(sleeping));
    assert.deepEqual(readdirSync(folder), []);
    assert.ok(!existsSync(nowhere));
  });

  test('says who has the port when the inspector cannot have it', async (t) => {
    const taken = createServer().listen(9229, '127.0.0.1');
    t.after(() => taken.close());
    await once(taken, 'listening');
    const child = await running(t);
    const { code, stderr } = await runCommand([
      'snapshot',
      '--output',
      join(folderWith(t), 'x'),
      String(child.pid),
    ]);
    assert.equal(code, 3);
    assert.match(stderr, /port 9229 is taken.*\n {2}fix: .*--inspect-port=0/);
    assert.ok(isAlive(child));
  });
});

async function recorded(out: string): Promise<void> {
  for (;;) {
    const [party] = existsSync(out) ? recordedParties(out) : [];
    const path = party && join(out, party.file);
    // While its header is being written it is no recording yet.
    const recording = path && existsSync(path) && (await readRecording(path).catch(() => undefined));
    if (recording && recording.count('rss_bytes') > 0) return;
    await new Promise((again) => setTimeout(again, 20));
  }
}
