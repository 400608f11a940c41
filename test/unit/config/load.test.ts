import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig, MemoryTestConfigSchema, PROFILES } from '../../../src/config/index.js';
import { MIB } from '../../../src/units.js';
import { folderWith } from '../../fixtures/folder.js';

const setTo = (name: string, text: string) => ({ name, text, flag: `--set ${name}=${text}` });

test("the standard profile is the schema's defaults", async (t) => {
  const { config } = await loadConfig({ profile: 'standard', env: {}, directory: folderWith(t) });
  assert.deepEqual(config, MemoryTestConfigSchema.parse({}));
});

test("the schema's defaults are those of the Crucible vocabulary", () => {
  const { testDurations, thresholds, loadTesting, leakDetection } = MemoryTestConfigSchema.parse({});
  assert.equal(testDurations.shortTestSeconds, 300);
  assert.equal(testDurations.mediumTestSeconds, 3600);
  assert.equal(testDurations.longTestSeconds, 28_800);
  assert.equal(testDurations.measurementIntervalMs, 1000);
  assert.equal(thresholds.maxBaselineMemoryBytes, 100 * MIB);
  assert.equal(thresholds.maxMemoryGrowthRate, MIB);
  assert.equal(thresholds.maxMemoryPerOperation, 10 * MIB);
  assert.equal(thresholds.leakThresholdBytes, 5 * MIB);
  assert.equal(thresholds.cleanupTimeoutSeconds, 60);
  assert.equal(loadTesting.concurrentOperations, 100);
  assert.equal(loadTesting.operationsPerSecond, 1000);
  assert.equal(loadTesting.largeDataSizeBytes, 100 * MIB);
  assert.equal(loadTesting.maxPayloadSizeBytes, 10 * MIB);
  assert.equal(leakDetection.enabled, true);
  assert.equal(leakDetection.samplingIntervalMs, 500);
  assert.equal(leakDetection.minSamples, 10);
  assert.equal(leakDetection.significanceThreshold, 0.95);
  assert.equal(leakDetection.enablePatternAnalysis, true);
});

test('every profile is a valid configuration', () => {
  for (const { overlay } of Object.values(PROFILES)) MemoryTestConfigSchema.parse(overlay);
});

test('without a choice the profile is smoke', async (t) => {
  const { config, profile, sources } = await loadConfig({ env: {}, directory: folderWith(t) });
  assert.equal(profile, 'smoke');
  assert.equal(config.testDurations.longTestSeconds, 8);
  assert.deepEqual(sources, ['profile smoke']);
});

test('a stronger source wins: defaults < profile < file < environment < flags', async (t) => {
  const directory = folderWith(t, {
    'crucible-memory.config.json': JSON.stringify({
      testDurations: { mediumTestSeconds: 20, longTestSeconds: 20, warmUpSeconds: 20 },
    }),
  });
  const { config, sources } = await loadConfig({
    profile: 'smoke',
    env: {
      CRUCIBLE_MEMORY_TEST_DURATIONS_LONG_TEST_SECONDS: '30',
      CRUCIBLE_MEMORY_SAMPLING_RATE_HZ: '250',
      CRUCIBLE_MEMORY_TEST_DURATIONS_WARM_UP_SECONDS: '30',
    },
    flags: [setTo('testDurations.warmUpSeconds', '40')],
    directory,
  });
  assert.equal(config.leakDetection.minSamples, 10, 'from the defaults');
  assert.equal(config.testDurations.shortTestSeconds, 3, 'from the profile');
  assert.equal(config.testDurations.mediumTestSeconds, 20, 'from the file');
  assert.equal(config.testDurations.longTestSeconds, 30, 'from the environment');
  assert.equal(config.sampling.rateHz, 250, 'from the environment');
  assert.equal(config.testDurations.warmUpSeconds, 40, 'from a flag');
  assert.deepEqual(sources, [
    'profile smoke',
    'crucible-memory.config.json',
    '3 environment variables',
    'command line',
  ]);
});

const FILES: Record<string, string> = {
  'crucible-memory.config.ts': `
    import { defineConfig } from 'crucible-memory';
    const leak: number = 2 * 1024 * 1024;
    export default defineConfig({ thresholds: { leakThresholdBytes: leak }, reporting: { enableAlerts: false } });
  `,
  'crucible-memory.config.mts':
    'export default { thresholds: { leakThresholdBytes: "2MiB" }, reporting: { enableAlerts: false } };',
  'crucible-memory.config.js':
    'export default { thresholds: { leakThresholdBytes: "2MiB" }, reporting: { enableAlerts: false } };',
  'crucible-memory.config.mjs':
    'export default { thresholds: { leakThresholdBytes: "2MiB" }, reporting: { enableAlerts: false } };',
  'crucible-memory.config.json':
    '{\n\t"thresholds": { "leakThresholdBytes": "2MiB" },\n\t"reporting": { "enableAlerts": false }\n}',
  'crucible-memory.config.yaml':
    'thresholds:\n  leakThresholdBytes: 2MiB\nreporting:\n  enableAlerts: false\n',
  'crucible-memory.config.yml':
    'thresholds: { leakThresholdBytes: 2 MiB }\nreporting: { enableAlerts: false }\n',
};

for (const [name, text] of Object.entries(FILES)) {
  test(`${name} is found in the working folder and read`, async (t) => {
    const directory = folderWith(t, { [name]: text });
    const { config, sources } = await loadConfig({ env: {}, directory });
    assert.equal(config.thresholds.leakThresholdBytes, 2 * MIB);
    assert.equal(config.reporting.enableAlerts, false);
    assert.deepEqual(sources, ['profile smoke', name]);
  });
}

test('a CommonJS file may use module.exports', async (t) => {
  const directory = folderWith(t, { 'my.cjs': 'module.exports = { sampling: { rateHz: 100 } };' });
  const { config } = await loadConfig({ file: 'my.cjs', env: {}, directory });
  assert.equal(config.sampling.rateHz, 100);
});

test('the default export may be a promise', async (t) => {
  const directory = folderWith(t, {
    'my.mjs': 'export default Promise.resolve({ sampling: { rateHz: 100 } });',
  });
  const { config } = await loadConfig({ file: 'my.mjs', env: {}, directory });
  assert.equal(config.sampling.rateHz, 100);
});

test('a file in another folder is read, and the one in the working folder is then not', async (t) => {
  const directory = folderWith(t, {
    'crucible-memory.config.yaml': 'sampling: { rateHz: 1 }',
    'elsewhere/night.yaml': 'sampling: { rateHz: 2 }',
  });
  const { config, sources } = await loadConfig({ file: 'elsewhere/night.yaml', env: {}, directory });
  assert.equal(config.sampling.rateHz, 2);
  assert.deepEqual(sources, ['profile smoke', join('elsewhere', 'night.yaml')]);
});

test('two configuration files in one folder are an error, because one would silently lose', async (t) => {
  const directory = folderWith(t, { 'crucible-memory.config.ts': '', 'crucible-memory.config.json': '{}' });
  await assert.rejects(loadConfig({ env: {}, directory }), {
    code: 'CONFIG_INVALID',
    why: 'crucible-memory.config.ts and crucible-memory.config.json could both be meant',
  });
});

test('a file may name its profile; the environment and --profile are stronger', async (t) => {
  const directory = folderWith(t, {
    'crucible-memory.config.yaml': 'profile: ci\nsampling: { rateHz: 7 }\n',
  });
  const fromFile = await loadConfig({ env: {}, directory });
  assert.equal(fromFile.profile, 'ci');
  assert.equal(fromFile.config.testDurations.longTestSeconds, 60);
  assert.equal(fromFile.config.sampling.rateHz, 7);
  const env = { CRUCIBLE_MEMORY_PROFILE: 'standard' };
  assert.equal((await loadConfig({ env, directory })).profile, 'standard');
  assert.equal((await loadConfig({ profile: 'soak', env, directory })).profile, 'soak');
});

test('an empty file and a section with nothing below it change nothing', async (t) => {
  const directory = folderWith(t, {
    'empty.yaml': '# nothing yet\n',
    'half.yaml': 'thresholds:\n  # later\n',
  });
  const plain = await loadConfig({ env: {}, directory });
  for (const file of ['empty.yaml', 'half.yaml']) {
    assert.deepEqual((await loadConfig({ file, env: {}, directory })).config, plain.config);
  }
});

test('sizes and durations may be text with a unit in every source', async (t) => {
  const directory = folderWith(t, {
    'my.yaml': 'loadTesting:\n  largeDataSizeBytes: 100MB\n  maxPayloadSizeBytes: 1GiB\n',
  });
  const { config } = await loadConfig({
    file: 'my.yaml',
    env: {
      CRUCIBLE_MEMORY_THRESHOLDS_MAX_MEMORY_GROWTH_RATE: '2MiB/s',
      CRUCIBLE_MEMORY_TEST_DURATIONS_LONG_TEST_SECONDS: '8h',
    },
    flags: [setTo('leakDetection.samplingIntervalMs', '1.5s'), setTo('testDurations.drainSeconds', '250ms')],
    directory,
  });
  assert.equal(config.loadTesting.largeDataSizeBytes, 100_000_000);
  assert.equal(config.loadTesting.maxPayloadSizeBytes, 1024 * MIB);
  assert.equal(config.thresholds.maxMemoryGrowthRate, 2 * MIB);
  assert.equal(config.testDurations.longTestSeconds, 28_800);
  assert.equal(config.leakDetection.samplingIntervalMs, 1500);
  assert.equal(config.testDurations.drainSeconds, 0.25);
});
