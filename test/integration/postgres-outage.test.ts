import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readRecording } from '../../src/recording/index.js';
import { MemoryTestRunner } from '../../src/runner/memory-test-runner.js';
import { ServiceType, TestScenario } from '../../src/vocabulary.js';
import { CuttableProxy } from '../fixtures/cuttable-proxy.js';

const url = process.env.CRUCIBLE_MEMORY_TEST_POSTGRES_URL;
const skip = url === undefined ? 'CRUCIBLE_MEMORY_TEST_POSTGRES_URL is not set' : false;

test('a PostgreSQL that goes away in the middle of a test fails that test with the reason, and no other', {
  skip,
}, async () => {
  const server = new URL(url ?? '');
  const proxy = new CuttableProxy({ host: server.hostname, port: Number(server.port) });
  const through = new URL(server);
  through.port = String(await proxy.start());
  const output = mkdtempSync(join(tmpdir(), 'crucible-outage-'));
  try {
    const runner = await MemoryTestRunner.create(
      {
        testDurations: {
          shortTestSeconds: 2,
          mediumTestSeconds: 4,
          warmUpSeconds: 0.3,
          drainSeconds: 0.1,
          operationTimeoutSeconds: 5,
        },
        loadTesting: { operationsPerSecond: 100, concurrentOperations: 10 },
        thresholds: { maxBaselineMemoryBytes: 1024 ** 3 },
        reporting: { generateCharts: false, outputDirectory: output },
        services: { dataStore: { postgresUrl: through.href } },
      },
      {
        targets: [ServiceType.DataStore],
        scenarios: [TestScenario.HighFrequencyOperations, TestScenario.SingleOperation],
      },
    );
    runner.on('progress', ({ phase, testId }) => {
      if (phase === 'load' && testId.endsWith('HighFrequencyOperations')) setTimeout(() => proxy.cut(), 500);
    });
    runner.on('testEnd', () => proxy.mend());
    const [failed, other] = await runner.runComprehensiveTests();

    assert.equal(failed?.status, 'failed');
    assert.equal(failed.failure?.code, 'OPERATIONS_FAILED');
    assert.equal(failed.failure.phase, 'load');
    assert.match(failed.failure.reason, /the data store could not .*ECONN/);
    assert.ok(failed.recording && (await readRecording(failed.recording)).count('rss_bytes') > 1000);
    assert.equal(other?.status, 'passed', other?.failure?.reason);
  } finally {
    await proxy.stop();
    rmSync(output, { recursive: true, force: true });
  }
});
