import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { rateForSizeMeasure, withinBudget } from '../../../src/capture/budget.js';
import { type Capture, startCapture } from '../../../src/capture/index.js';
import { type Recording, readRecording } from '../../../src/recording/index.js';
import { KIB, MIB } from '../../../src/units.js';
import { folderWith } from '../../fixtures/folder.js';

describe('a budget', () => {
  const calm = { rateHz: 1000, cpuShare: 0.01, bytesWritten: 0 };

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

  test('of disk halves the rate whenever half of what was left is used', () => {
    const budget = { diskBytes: 101 * MIB };
    const rates: number[] = [];
    let rateHz = 1000;
    for (let bytesWritten = 0; bytesWritten < 100 * MIB; bytesWritten += MIB) {
      const measure = rateForSizeMeasure(budget, { bytesWritten, rateHz, firstRateHz: 1000 });
      if (measure && 'rateHz' in measure) {
        rateHz = measure.rateHz;
        rates.push(rateHz);
      }
    }
    assert.deepEqual(rates, [500, 250, 125, 62.5, 31.25, 15.625]);
  });

  test('of disk ends the recording before it is exceeded', () => {
    const measure = withinBudget({ diskBytes: 10 * MIB }, { ...calm, bytesWritten: 9.5 * MIB });
    assert.ok(measure && 'end' in measure);
    assert.match(measure.reason, /the recording ends: it has 9\.5 MiB, and its budget is 10\.0 MiB/);
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

  test('ends its recording rather than fill the disk; what is appended later is dropped', async (t) => {
    const path = join(folderWith(t), 'own.recording');
    const capture = startCapture({
      ...{ path, rateHz: 100, detailIntervalMs: 0, header: {} },
      budget: { diskBytes: 500 * KIB },
    });
    const group = capture.group('own', [{ name: 'turns', unit: 'count', kind: 'integer', description: '' }]);
    group.append([1]);
    await until(async () => (await readRecording(path)).isClosed);
    group.append([2]);
    capture.event('too late');
    capture.stop();
    const recording = await readRecording(path);
    assert.deepEqual([...(recording.series('turns')?.values ?? [])], [1]);
    assert.match(noteIn(recording), /^the recording ends: it has .*, and its budget is 500 KiB/);
    assert.ok(statSync(path).size <= 500 * KIB);
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
