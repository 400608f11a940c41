import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import http from 'node:http';
import { join, resolve } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { MemoryTestConfigInput } from '../../src/config/index.js';
import {
  type MemoryTestResult,
  MemoryTestResultSchema,
  RunReportSchema,
  type Suspect,
} from '../../src/diagnosis/index.js';
import { diagnosisRecordOf } from '../../src/recording/diagnosis-record.js';
import { readRecording } from '../../src/recording/index.js';
import { MemoryTestRunner } from '../../src/runner/memory-test-runner.js';
import { MIB } from '../../src/units.js';
import { Phase, TestScenario } from '../../src/vocabulary.js';
import { outcomeOf, said, startCommand } from '../fixtures/command-line.js';
import { folderWith } from '../fixtures/folder.js';

const ROOT = resolve(import.meta.dirname, '../../..');

/** Long enough for a verdict on a busy machine, too: each of the targets leaves kilobytes per operation behind. */
function configFor(folder: string): MemoryTestConfigInput {
  return {
    testDurations: {
      mediumTestSeconds: 3,
      warmUpSeconds: 0.5,
      drainSeconds: 0.1,
      measurementIntervalMs: 100,
    },
    thresholds: { leakThresholdBytes: MIB, maxBaselineMemoryBytes: 1024 * MIB, cleanupTimeoutSeconds: 1 },
    loadTesting: { operationsPerSecond: 300, concurrentOperations: 10 },
    leakDetection: { samplingIntervalMs: 100 },
    reporting: { generateCharts: false, outputDirectory: join(folder, 'results') },
  };
}

async function run(
  t: TestContext,
  files: Record<string, string>,
  change: (config: MemoryTestConfigInput) => void = () => {},
): Promise<{ result: MemoryTestResult; folder: string }> {
  const folder = folderWith(t, files);
  const config = configFor(folder);
  change(config);
  const runner = await MemoryTestRunner.create(config, {
    targets: [join(folder, 'target.mjs')],
    scenarios: [TestScenario.HighFrequencyOperations],
  });
  const [result] = await runner.runComprehensiveTests();
  assert.ok(result, 'there is a result');
  MemoryTestResultSchema.parse(result);
  return { result, folder };
}

/** The first suspect of a leak; what every diagnosis of one must satisfy is looked at here. */
function firstSuspect({ leakDetection }: MemoryTestResult): Suspect {
  // A machine that is busy enough makes any short load inconclusive; the cause is looked for all the same.
  assert.notEqual(leakDetection.verdict, 'no-leak', leakDetection.explanation);
  const [suspect] = leakDetection.suspects ?? [];
  assert.ok(suspect, 'there is a suspect');
  const { ledger } = leakDetection;
  assert.ok(ledger, 'there is a ledger');
  assert.deepEqual(ledger.lacks, []);
  const sum = ledger.entries.reduce((total, { bytesPerOperation }) => total + bytesPerOperation, 0);
  assert.equal(
    Math.round(sum * ledger.operations),
    Math.round(ledger.measuredBytesPerOperation * ledger.operations),
  );
  assert.ok(ledger.explainedShare >= 0.9, `${ledger.explainedShare} explained`);
  assert.ok(suspect.confidence >= 0.8, `${suspect.confidence} sure`);
  assert.ok(leakDetection.suspectedSources.includes(suspect.statement));
  return suspect;
}

function isNear(actual: number | null, expected: number): void {
  assert.ok(actual !== null && Math.abs(actual / expected - 1) <= 0.1, `${actual} instead of ${expected}`);
}

describe('a target that leaks', () => {
  test('by a Map without a bound: the Map, its entries, the line and the bytes of each are named', async (t) => {
    const { result, folder } = await run(t, {
      'target.mjs': `
const sessions = new Map();
class Session {
  constructor(i) { this.history = new Array(2000).fill(i); }
}
export function operation(i) { sessions.set(i, new Session(i)); }
`,
    });
    const suspect = firstSuspect(result);
    assert.equal(suspect.kind, 'collection');
    assert.equal(suspect.className, 'Session');
    assert.equal(suspect.retainingPath, 'target.mjs: sessions');
    assert.equal(suspect.holder?.script, join(folder, 'target.mjs'));
    assert.equal(suspect.allocationSite?.script, join(folder, 'target.mjs'));
    assert.equal(suspect.countPerOperation, 1);
    // 2000 elements of 8 bytes, three objects, and a place in the Map.
    isNear(suspect.bytesPerOperation, 16_000 + 160);
    assert.match(suspect.fingerprint ?? '', /^[0-9a-f]{16}$/);
    assert.match(
      suspect.statement,
      /target\.mjs: sessions \(Map, target\.mjs:\d.*\) gains 1 Session and 1\d\.\d KiB/,
    );
  });

  test('by listeners on an emitter: the line of the listener is named', async (t) => {
    const { result, folder } = await run(t, {
      'target.mjs': `
import { EventEmitter } from 'node:events';
const bus = new EventEmitter();
bus.setMaxListeners(0);
export function operation(i) {
  const state = new Array(2000).fill(i);
  bus.on('change',
    () => state.length);
}
`,
    });
    const suspect = firstSuspect(result);
    assert.equal(suspect.kind, 'listeners');
    assert.match(suspect.retainingPath ?? '', /bus\._events\.change/);
    assert.deepEqual(
      [suspect.allocationSite?.script, suspect.allocationSite?.line],
      [join(folder, 'target.mjs'), 8],
    );
    assert.match(suspect.advice, /remove each listener/);
    isNear(suspect.bytesPerOperation, 16_000 + 16 + 32 + 56 + 40);
  });

  test('by an array that a closure of an installed package holds: the package and its version are named', async (t) => {
    const { result } = await run(t, {
      'target.mjs': `
import { createRecorder } from 'leaky-recorder';
const record = createRecorder();
export function operation(i) { record(i); }
`,
      'node_modules/leaky-recorder/package.json':
        '{"name":"leaky-recorder","version":"3.1.4","type":"module","main":"lib/index.js"}',
      'node_modules/leaky-recorder/lib/index.js': `
export function createRecorder() {
  const seen = [];
  return (value) => { seen.push({ value, copies: new Array(2000).fill(value) }); };
}
`,
    });
    const suspect = firstSuspect(result);
    assert.equal(suspect.kind, 'collection');
    assert.deepEqual(suspect.package, { name: 'leaky-recorder', version: '3.1.4' });
    assert.match(suspect.holder?.script ?? '', /leaky-recorder\/lib\/index\.js$/);
    assert.match(suspect.retainingPath ?? '', /record -> seen/);
    assert.match(suspect.statement, /leaky-recorder@3\.1\.4/);
    isNear(suspect.bytesPerOperation, 16_000 + 16 + 32 + 28 + 8);
  });

  test('by buffers: they are told from objects of the heap, and charged to external memory', async (t) => {
    const { result } = await run(t, {
      'target.mjs': `
const kept = [];
export function operation() { kept.push(Buffer.alloc(20_000)); }
`,
    });
    const suspect = firstSuspect(result);
    assert.equal(suspect.kind, 'array-buffers');
    assert.equal(suspect.className, 'Buffer');
    assert.equal(suspect.retainingPath, 'target.mjs: kept');
    isNear(suspect.bytesPerOperation, 20_200);
  });
});

describe('a server under record', () => {
  test('is led from load to the line that leaks, without code of its own', {
    timeout: 220_000,
  }, async (t) => {
    const folder = folderWith(t, {});
    const out = join(folder, 'out');
    const shop = join(ROOT, 'examples/shop.mjs');
    const record = startCommand(
      [
        'record',
        '--collect-every',
        '200ms',
        '--duration',
        '200s',
        '--output',
        out,
        '--',
        process.execPath,
        shop,
      ],
      { cwd: folder, env: { PORT: '0' } },
    );
    const ended = outcomeOf(record);
    const [, port] = await said(record, /http:\/\/localhost:(\d+)/);
    const agent = new http.Agent({ keepAlive: true });
    const visits = setInterval(() => {
      http.get({ port, agent }, (response) => response.resume()).on('error', () => {});
    }, 5);
    t.after(() => {
      clearInterval(visits);
      agent.destroy();
      record.kill('SIGTERM');
    });
    await said(record, /heap snapshot 3 of 4/);
    record.kill('SIGTERM');
    const { code, stdout, stderr } = await ended;
    assert.equal(code, 1, stdout + stderr);
    const report = RunReportSchema.parse(JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')));
    const [suspect] = report.results[0]?.leakDetection.suspects ?? [];
    assert.equal(suspect?.retainingPath, 'shop.mjs: sessions', stdout);
    assert.equal(suspect?.className, '{id, since, cart}');
    assert.equal(suspect?.kind, 'collection');
    assert.equal(suspect?.allocationSite?.script, shop);
    const lines = readFileSync(shop, 'utf8').split('\n');
    assert.match(lines[(suspect?.allocationSite?.line ?? 0) - 1] ?? '', /^function openSession\(\)/);
    assert.match(stdout, /shop\.mjs: sessions \(Map/);
    // 500 elements of 8 bytes, an array, an object, a date, a text of 36 characters, and a place in the Map.
    isNear(suspect?.bytesPerOperation ?? null, 4000 + 16 + 32 + 48 + 96 + 56 + 40);
  });
});

describe('the diagnosis', () => {
  const CLEAN = { 'target.mjs': 'export function operation(i) { return { bytes: String(i).length }; }' };
  const LEAKING = {
    'target.mjs': 'const kept = [];\nexport function operation(i) { kept.push(new Array(2000).fill(i)); }',
  };

  test('costs a clean target nothing: no phase, no snapshot', async (t) => {
    const { result } = await run(t, CLEAN);
    assert.notEqual(result.leakDetection.verdict, 'leak');
    assert.equal(result.leakDetection.suspects, undefined);
    assert.ok(result.recording);
    const recording = await readRecording(result.recording);
    assert.equal(diagnosisRecordOf(recording), undefined);
    assert.ok(!recording.phases().some(({ phase }) => phase === Phase.Diagnosis));
    assert.deepEqual(
      readdirSync(join(result.recording, '..')).filter((file) => /heap/.test(file)),
      [],
    );
  });

  test('leaves its snapshots beside the recording, for their owner only, and says what they cost', async (t) => {
    const { result } = await run(t, LEAKING);
    assert.ok(result.recording);
    const record = diagnosisRecordOf(await readRecording(result.recording));
    assert.equal(record?.snapshots.length, 4);
    const rounds = record.snapshots
      .slice(1)
      .map(({ operations }, i) => operations - (record.snapshots[i]?.operations ?? 0));
    assert.equal(new Set(rounds).size, 1, 'equal work between every two snapshots');
    for (const { path, sizeBytes, tookMs } of record.snapshots) {
      assert.equal(statSync(path).mode & 0o777, 0o600);
      assert.equal(statSync(path).size, sizeBytes);
      assert.ok(tookMs > 0);
    }
    assert.ok(record.profile && existsSync(record.profile.path));
    firstSuspect(result);
  });

  test('makes do without snapshots that would be too large, and says so', async (t) => {
    const { result, folder } = await run(t, LEAKING, (config) => {
      config.leakDetection = { ...config.leakDetection, maxSnapshotSizeBytes: MIB };
    });
    const { suspects = [], ledger } = result.leakDetection;
    assert.match(
      ledger?.lacks.join('\n') ?? '',
      /no further heap snapshot after 0: .* would be larger than 1\.0 MiB/,
    );
    // What was allocated and is still alive is known all the same.
    assert.equal(suspects[0]?.allocationSite?.script, join(folder, 'target.mjs'));
    assert.equal(suspects[0]?.retainingPath, null);
  });

  test('is not made when it is switched off', async (t) => {
    const { result } = await run(t, LEAKING, (config) => {
      config.leakDetection = { ...config.leakDetection, diagnose: false };
    });
    assert.notEqual(result.leakDetection.verdict, 'no-leak');
    assert.equal(result.leakDetection.suspects?.length ?? 0, 0);
    assert.equal(result.leakDetection.ledger, undefined);
  });
});
