import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { withinBudget } from '../../../src/capture/budget.js';
import { type Capture, startCapture } from '../../../src/capture/index.js';
import { type Recording, readRecording } from '../../../src/recording/index.js';
import { KIB, MIB } from '../../../src/units.js';
import { folderWith } from '../../fixtures/folder.js';

describe('a budget', () => {
  const calm = { rateHz: 1000, cpuShare: 0.01, memoryBytes: 0 };

  test('that is kept changes nothing, and so does one that is not set', () => {
    assert.equal(withinBudget({ cpuShare: 0.02, diskBytes: 100 * MIB }, calm), undefined);
    assert.equal(withinBudget({}, { ...calm, cpuShare: 1 }), undefined);
  });

  test('of CPU lowers the rate below what it allows, and says from what to what', () => {
    const measure = withinBudget({ cpuShare: 0.01 }, { ...calm, cpuShare: 0.04 });
    assert.deepEqual(measure, {
      rateHz: 200,
      reason: 'rate lowered from 1000 to 200 Hz: the sampler took 4 % of a core, and its budget is 1 %',
    });
  });

  test('of CPU never lowers the rate below one a second', () => {
    const measure = withinBudget({ cpuShare: 0.000_001 }, { ...calm, cpuShare: 1 });
    assert.ok(measure && 'rateHz' in measure);
    assert.equal(measure.rateHz, 1);
    assert.equal(withinBudget({ cpuShare: 0.000_001 }, { ...calm, rateHz: 1, cpuShare: 1 }), undefined);
  });

  test('of memory ends the recording, since nothing else of it can be less', () => {
    const measure = withinBudget({ memoryBytes: MIB }, { ...calm, memoryBytes: 1.5 * MIB });
    assert.ok(measure && 'end' in measure);
    assert.match(
      measure.reason,
      /the recording ends: it takes 1\.5 MiB of memory, and its budget is 1\.0 MiB/,
    );
  });
});

describe('a capture with a budget', () => {
  test('samples at a lower rate where the budget asks for it, and the recording says so', async (t) => {
    const path = join(folderWith(t), 'own.recording');
    const capture = startCapture({
      ...{ path, rateHz: 2000, detailIntervalMs: 0, header: {} },
      budget: { cpuShare: 0.000_1 },
    });
    await until(() => ratesLowered(capture) > 0);
    const before = capture.statistics().samples;
    await sleep(500);
    assert.ok(capture.statistics().samples - before < 500, 'far from 2000 a second');
    capture.stop();
    assert.match(noteIn(await readRecording(path)), /^rate lowered from 2000 to .* Hz: the sampler took/);
  });

  test('of memory ends its recording; what is appended later is dropped', async (t) => {
    const path = join(folderWith(t), 'own.recording');
    const capture = startCapture({
      ...{ path, rateHz: 100, detailIntervalMs: 0, header: {} },
      budget: { memoryBytes: 64 * KIB },
    });
    const group = capture.group('own', [{ name: 'turns', unit: 'count', kind: 'integer', description: '' }]);
    group.append([1]);
    await until(async () => (await readRecording(path)).isClosed);
    group.append([2]);
    capture.event('too late');
    capture.stop();
    const recording = await readRecording(path);
    assert.deepEqual([...(recording.series('turns')?.values ?? [])], [1]);
    assert.match(noteIn(recording), /^the recording ends: it takes .* of memory, and its budget is 64/);
  });

  test('of disk goes on for any time, its oldest samples summarised, the newest whole', async (t) => {
    const path = join(folderWith(t), 'own.recording');
    const capture = startCapture({
      ...{ path, rateHz: 1000, detailIntervalMs: 0, header: {} },
      budget: { diskBytes: 2 * MIB },
    });
    const names = Array.from({ length: 30 }, (_, i) => `own_${i}`);
    const group = capture.group(
      'own',
      names.map((name) => ({ name, unit: 'other', kind: 'real', description: '' })),
    );
    let appended = 0;
    while (capture.status().reductions < 10) {
      group.append(names.map((_, i) => appended + i / 7));
      if (++appended % 500 === 0) await sleep(1);
    }
    const { samples } = capture.stop();
    assert.ok(statSync(path).size <= 2 * MIB);
    const recording = await readRecording(path);
    assert.deepEqual(recording.problems, []);
    for (const [channel, all] of [
      ['own_0', appended],
      ['rss_bytes', samples],
    ] as const) {
      const summaries = recording.summaries(channel);
      const whole = recording.count(channel) - summaries.length;
      assert.equal(
        summaries.reduce((sum, { count }) => sum + count, whole),
        all,
        channel,
      );
    }
    assert.ok((recording.summarisedUntilMs ?? Infinity) < recording.endMs);
  });
});

function noteIn(recording: Recording): string {
  const [first] = recording.events('note');
  assert.ok(first);
  return (first.detail as { text: string }).text;
}

function ratesLowered(capture: Capture): number {
  return capture.notes.filter((text) => text.startsWith('rate lowered')).length;
}

async function until(isReached: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isReached())) await sleep(20);
}
