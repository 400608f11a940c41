import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Findings, recommendations } from '../../../src/attribute/recommendations.js';
import { diagnose } from '../../../src/diagnose.js';
import { RecordedEvents } from '../../../src/recording/channels.js';
import { KIB, MIB } from '../../../src/units.js';
import { type MadeUpTest, recordingOf } from '../../fixtures/test-recordings.js';

/** What would be recommended after such a test. */
function adviceFor(made: MadeUpTest, change: Partial<Findings> = {}): string[] {
  const diagnosis = diagnose(recordingOf(made), {
    thresholds: {
      maxBaselineMemoryBytes: 200 * MIB,
      maxMemoryGrowthRate: 10 * MIB,
      maxMemoryPerOperation: 10 * MIB,
      leakThresholdBytes: MIB,
      cleanupTimeoutSeconds: 60,
    },
    judging: {
      leakThresholdBytes: MIB,
      minSamples: 10,
      significanceThreshold: 0.95,
      enablePatternAnalysis: true,
    },
    scenario: 'HighFrequencyOperations',
    memoryLimitBytes: null,
  });
  return recommendations({
    testId: 'made-up/HighFrequencyOperations',
    serviceType: 'made-up',
    scenario: 'HighFrequencyOperations',
    startTime: '2026-01-01T00:00:00.000Z',
    endTime: '2026-01-01T00:00:10.000Z',
    durationMs: 10_000,
    recording: null,
    ...diagnosis,
    ...change,
  });
}

describe('recommendations', () => {
  test('are none for a clean result', () => {
    assert.deepEqual(adviceFor({}), []);
  });

  test('say of a leak how much each operation leaves and in which memory', () => {
    const [advice] = adviceFor({ floorBytes: (seconds) => 20 * MIB + seconds * 1000 * KIB });
    assert.match(advice ?? '', /^Live memory grows by 10\.0 KiB with every operation/);
    assert.match(advice ?? '', /objects on the V8 heap: 100 % of the growth/);
  });

  test('say of an inconclusive verdict how long the load would have to be', () => {
    const [advice] = adviceFor({ floorBytes: (seconds) => 20 * MIB + seconds * 30 * KIB });
    assert.match(advice ?? '', /^To get a verdict, let the load last about/);
  });

  test('tell RSS that rises over a level floor from a leak', () => {
    const [advice] = adviceFor({ rssBytes: (seconds) => (seconds > 0 ? 260 : 100) * MIB });
    assert.match(advice ?? '', /RSS lies 160 MiB above the baseline .* not a leak/);
  });

  test('say that large operations ran with less than was asked for', () => {
    const detail = { wantedBytes: 100 * MIB, payloadBytes: 50 * MIB, refusal: 'limit is 64 MiB' };
    const [advice] = adviceFor({ events: [{ name: RecordedEvents.Payload, detail }] });
    assert.match(
      advice ?? '',
      /ran with 50\.0 MiB instead of 100 MiB, which was refused \(limit is 64 MiB\)/,
    );
  });

  test('say what a payload that killed the process means', () => {
    const exhaustion = {
      memoryLimitBytes: 64 * MIB,
      largestPayloadBytes: 4 * MIB,
      refusedPayloadBytes: 8 * MIB,
      ending: 'crashed' as const,
      reason: 'SIGABRT',
      recovered: false,
    };
    assert.match(
      adviceFor({}, { exhaustion }).join('\n'),
      /Refuse payloads above 4\.0 MiB: one of 8\.0 MiB killed/,
    );
  });
});
