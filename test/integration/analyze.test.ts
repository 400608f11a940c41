import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeRecording } from '../../src/recording/index.js';
import type { ProcessSeries } from '../../src/recording/process-series.js';
import { MIB } from '../../src/units.js';
import { runCommand } from '../fixtures/command-line.js';
import { folderWith } from '../fixtures/folder.js';
import { processOf } from '../fixtures/process-series.js';
import { noise } from '../fixtures/test-recordings.js';

const analyze = (...args: string[]) => runCommand(['analyze', ...args]);

function lineOf(id: string, { timesMs, operations, signals, liveAfterGc }: ProcessSeries): string {
  const plain = Object.entries(signals).map(([name, values]) => [name, Array.from(values as Float64Array)]);
  const floor = Array.from(liveAfterGc?.timesMs ?? [], (ms, i) => [ms, liveAfterGc?.liveBytes[i]]);
  return JSON.stringify({
    id,
    t_ms: Array.from(timesMs),
    ops: Array.from(operations ?? []),
    signals: { ...Object.fromEntries(plain), liveAfterGc: floor },
  });
}

const leaking = processOf({ live: (x) => 40 * MIB + 30 * MIB * x });
const clean = processOf();

describe('crucible-memory analyze', () => {
  test('writes a verdict a line in the order of the input, and exits with 1 when one is a leak', async (context) => {
    const ids = ['a', 'b', 'c', 'd'];
    const text = ids.map((id, i) => lineOf(id, i % 2 === 0 ? clean : leaking)).join('\n');
    const folder = folderWith(context, { 'fleet.ndjson': text });
    const { code, stdout } = await analyze(join(folder, 'fleet.ndjson'), '--format', 'json');
    assert.equal(code, 1);
    const verdicts = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      verdicts.map(({ id, verdict }) => `${id} ${verdict}`),
      ['a no-leak', 'b leak', 'c no-leak', 'd leak'],
    );
    const first = [
      'id',
      'verdict',
      'leakDetected',
      'confidence',
      'leakRate',
      'bytesPerOperation',
      'pattern',
      'explanation',
    ];
    assert.deepEqual(Object.keys(verdicts[1] ?? {}).slice(0, first.length), first);
    assert.equal(verdicts[1]?.pattern, 'linear');
    assert.equal(verdicts[0]?.pattern, null);
  });

  test('reads a CSV, takes a threshold, and says in words what it found', async (context) => {
    const rows = Array.from(leaking.timesMs, (ms, i) => {
      const floor = leaking.liveAfterGc?.timesMs.indexOf(ms) ?? -1;
      return [ms, leaking.signals.rss?.[i], floor < 0 ? '' : leaking.liveAfterGc?.liveBytes[floor]].join(',');
    });
    const folder = folderWith(context, { 'one.csv': ['t_ms,rss,liveAfterGc', ...rows].join('\n') });
    const found = await analyze(join(folder, 'one.csv'));
    assert.equal(found.code, 1);
    assert.match(found.stdout, /✗ leak {2}.*one\.csv {2}[\d.]+ % sure/);
    assert.match(found.stdout, /steady growth/);
    const forgiven = await analyze(join(folder, 'one.csv'), '--threshold', '200MiB');
    assert.equal(forgiven.code, 0, forgiven.stdout);
  });

  /** RSS that grows by 2 MB a second, sampled at 100 Hz. */
  function growingRecording(seconds: number, path: string): string {
    const wobble = noise(3);
    const bytes = encodeRecording({ header: '{}' }, (writer) => {
      const group = writer.defineGroup('process', [
        { name: 'rss_bytes', unit: 'bytes', kind: 'integer', description: 'resident set size' },
      ]);
      const startNs = process.hrtime.bigint();
      for (let i = 0; i < seconds * 100; i++)
        writer.append(
          group,
          Float64Array.of(Math.round(80 * MIB + i * 20_000 + wobble() * MIB)),
          startNs + BigInt(i * 1e7),
        );
    });
    writeFileSync(path, bytes);
    return path;
  }

  test('reads a recording of any program, without a load phase', async (context) => {
    const path = growingRecording(30, join(folderWith(context), 'any.cmrec'));
    const { code, stdout } = await analyze(path, '--format', 'json');
    assert.equal(code, 1, stdout);
    assert.equal((JSON.parse(stdout) as { signal: string }).signal, 'rss');
  });

  test('does not take the start of a program for a leak', async (context) => {
    const path = growingRecording(10, join(folderWith(context), 'short.cmrec'));
    const { code, stdout } = await analyze(path, '--format', 'json');
    assert.equal(code, 0, stdout);
    assert.equal((JSON.parse(stdout) as { verdict: string }).verdict, 'inconclusive');
  });

  test('refuses what it cannot read with exit code 2, and says why', async (context) => {
    const folder = folderWith(context, { 'bad.csv': 'rss\n1\n' });
    for (const [args, words] of [
      [[], /give either files, or --prometheus/],
      [[join(folder, 'bad.csv')], /no column of time/],
      [[join(folder, 'none.csv')], /cannot be read/],
      [[folder], /cannot be read: it is a folder/],
      [['--threshold', 'much', join(folder, 'bad.csv')], /--threshold much is not understood/],
    ] as const) {
      const { code, stderr, stdout } = await analyze(...args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, words);
      assert.equal(stdout, '');
    }
    const { code, stderr } = await analyze('--prometheus', 'http://127.0.0.1:1', '--query', 'up');
    assert.equal(code, 3);
    assert.match(stderr, /no answer from/);
  });
});

/** Where Debian puts it, or wherever PROMETHEUS_BIN says. */
const PROMETHEUS = process.env.PROMETHEUS_BIN ?? '/usr/bin';
const isInstalled = existsSync(join(PROMETHEUS, 'prometheus')) && existsSync(join(PROMETHEUS, 'promtool'));

test('a real Prometheus is asked, and each of its series judged', {
  skip: isInstalled ? false : 'skipped: prometheus is not installed (apt-get install prometheus)',
}, async (context) => {
  const folder = folderWith(context, { 'prometheus.yml': 'global: {}\n', 'past.txt': pastSamples() });
  const data = join(folder, 'data');
  mkdirSync(data);
  const filled = spawnSync(join(PROMETHEUS, 'promtool'), [
    'tsdb',
    'create-blocks-from',
    'openmetrics',
    join(folder, 'past.txt'),
    data,
  ]);
  assert.equal(filled.status, 0, String(filled.stderr));
  const port = await freePort();
  const server = spawn(
    join(PROMETHEUS, 'prometheus'),
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${data}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  try {
    const url = `http://127.0.0.1:${port}`;
    await ready(url, server);
    const query = 'process_resident_memory_bytes{job="api"}';
    const { code, stdout } = await analyze(
      '--prometheus',
      url,
      '--query',
      query,
      '--range',
      '4h',
      '--format',
      'json',
    );
    const verdicts = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; verdict: string });
    assert.deepEqual(
      verdicts.map(({ id, verdict }) => `${/instance="(\w+)"/.exec(id)?.[1]} ${verdict}`).sort(),
      ['clean no-leak', 'leaking leak'],
    );
    assert.equal(code, 1);
    const wrong = await analyze('--prometheus', url, '--query', 'sum(', '--range', '1h');
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /parse error/);
  } finally {
    server.kill();
    await once(server, 'exit');
  }
});

/** Three hours of two processes, a sample every 15 seconds, in the OpenMetrics text format. */
function pastSamples(): string {
  const wobble = noise(11);
  const end = Math.floor(Date.now() / 1000) - 60;
  const lines = ['# TYPE process_resident_memory_bytes gauge'];
  for (const [instance, perSecond] of [
    ['clean', 0],
    ['leaking', 6000],
  ] as const) {
    for (let seconds = -10_800; seconds <= 0; seconds += 15) {
      const bytes = Math.round(120 * MIB + (seconds + 10_800) * perSecond + wobble() * MIB);
      lines.push(`process_resident_memory_bytes{job="api",instance="${instance}"} ${bytes} ${end + seconds}`);
    }
  }
  return `${lines.join('\n')}\n# EOF\n`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function ready(url: string, server: ChildProcess): Promise<void> {
  for (;;) {
    assert.equal(server.exitCode, null, 'prometheus runs');
    const answer = await fetch(`${url}/-/ready`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(100);
  }
}
