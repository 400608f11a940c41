import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  allSettings,
  defineConfig,
  describeSettings,
  loadConfig,
  MemoryTestConfigSchema,
  publicConfig,
  withoutPassword,
} from '../../../src/config/index.js';
import { findJsonSyntaxProblem } from '../../../src/config/json-syntax.js';
import { parseQuantity } from '../../../src/config/quantity.js';
import { folderWith } from '../../fixtures/folder.js';

test('environment names are the path in screaming snake case', () => {
  const names = allSettings().map((setting) => setting.environmentName);
  for (const expected of [
    'CRUCIBLE_MEMORY_THRESHOLDS_LEAK_THRESHOLD_BYTES',
    'CRUCIBLE_MEMORY_SERVICES_DATA_STORE_POSTGRES_URL',
    'CRUCIBLE_MEMORY_SERVICES_INFERENCE_ENGINE_BASE_URL',
    'CRUCIBLE_MEMORY_TEST_DURATIONS_MEASUREMENT_INTERVAL_MS',
  ]) {
    assert.ok(names.includes(expected), expected);
  }
  assert.equal(new Set(names).size, names.length, 'no two settings share a variable');
});

test('every setting can be set from the environment and arrives', async (t) => {
  const textFor = (setting: ReturnType<typeof allSettings>[number]) => {
    if (setting.choices) return setting.choices.at(-1) ?? '';
    if (setting.name.endsWith('baseURL')) return 'http://127.0.0.1:9/v1';
    if (setting.type === 'boolean') return 'off';
    if (setting.type === 'string') return 'words';
    return setting.name.endsWith('significanceThreshold') ? '0.75' : '77';
  };
  const settings = allSettings();
  const env = Object.fromEntries(settings.map((setting) => [setting.environmentName, textFor(setting)]));
  const { config } = await loadConfig({ env, directory: folderWith(t) });
  for (const setting of settings) {
    const value = setting.path.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], config);
    const text = textFor(setting);
    assert.equal(value, setting.type === 'boolean' ? false : setting.type === 'string' ? text : Number(text));
  }
});

test('an empty environment variable counts as unset', async (t) => {
  const { sources } = await loadConfig({
    env: { CRUCIBLE_MEMORY_SAMPLING_RATE_HZ: '', CRUCIBLE_MEMORY_PROFILE: '' },
    directory: folderWith(t),
  });
  assert.deepEqual(sources, ['profile smoke']);
});

test('quantities are read in the unit of their setting', () => {
  const cases = [
    ['5MiB', 'bytes', 5_242_880],
    ['100MB', 'bytes', 100_000_000],
    ['1.5 GiB', 'bytes', 1_610_612_736],
    ['10 kB', 'bytes', 10_000],
    ['7B', 'bytes', 7],
    ['1MiB/s', 'bytes per second', 1_048_576],
    ['30s', 'seconds', 30],
    ['5m', 'seconds', 300],
    ['5min', 'seconds', 300],
    ['1h30m', 'seconds', 5400],
    ['1d', 'seconds', 86_400],
    ['250ms', 'milliseconds', 250],
    ['2s', 'milliseconds', 2000],
    ['500ms', 'seconds', 0.5],
  ] as const;
  for (const [text, unit, expected] of cases) assert.equal(parseQuantity(text, unit), expected, text);
});

test('text that is no quantity of the unit is refused', () => {
  for (const text of ['', '5', '5M', '5 m', 'MiB', '-5MiB', '5mib', '5MiB 3', '1e3MiB']) {
    assert.equal(parseQuantity(text, 'bytes'), undefined, text);
  }
  for (const text of ['', '5', '30 seconds', '-3s', '5MiB', '1:30']) {
    assert.equal(parseQuantity(text, 'seconds'), undefined, text);
  }
});

test('JSON is called broken exactly when JSON.parse calls it broken', () => {
  const texts = [
    '{}',
    '[]',
    ' [1, -2.5e+3, "a\\u00e9\\n", true, false, null] ',
    '{"a":{"b":[{}]}}',
    '"x"',
    '0',
    '-0.1E-2',
    '',
    '{',
    '}',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '[1,]',
    '[1 2]',
    '{"a":1}{',
    '01',
    '1.',
    '+1',
    '.5',
    'nul',
    '"a',
    '"\t"',
    '"\\x"',
    "{'a':1}",
    '{a:1}',
    '// c\n{}',
    '[,]',
    '{"a":1 "b":2}',
    '\u00a0{}',
    'NaN',
  ];
  for (const text of texts) {
    let broken = false;
    try {
      JSON.parse(text);
    } catch {
      broken = true;
    }
    assert.equal(findJsonSyntaxProblem(text) !== undefined, broken, text);
  }
});

test('passwords and keys do not reach a report', () => {
  const config = MemoryTestConfigSchema.parse({
    services: {
      dataStore: { postgresUrl: 'postgres://app:s3cret@db.example:5432/crucible?sslmode=require' },
      inferenceEngine: { apiKey: 'sk-s3cret', baseURL: 'https://user:s3cret@llm.example/v1' },
    },
  });
  const shown = JSON.stringify(publicConfig(config));
  assert.doesNotMatch(shown, /s3cret/);
  assert.match(shown, /postgres:\/\/app:\*\*\*@db\.example:5432\/crucible\?sslmode=require/);
  assert.match(shown, /https:\/\/user:\*\*\*@llm\.example\/v1/);
  assert.equal(config.services.inferenceEngine.apiKey, 'sk-s3cret', 'the configuration itself is left alone');
});

test('a password is hidden wherever an address carries it', () => {
  assert.equal(withoutPassword('postgres://app:p@ss@db/x'), 'postgres://app:***@db/x');
  assert.equal(withoutPassword('postgres://app:pa/ss@db/x'), 'postgres://app:***@db/x');
  assert.equal(
    withoutPassword('postgres://db:5432/x?user=app&password=secret'),
    'postgres://db:5432/x?user=app&password=***',
  );
  assert.equal(withoutPassword('host=db password=secret user=app'), 'host=db password=*** user=app');
  assert.equal(withoutPassword('postgres://db:5432/x'), 'postgres://db:5432/x');
});

test('the list of settings names every setting with its default as a person reads it', () => {
  const text = describeSettings();
  for (const setting of allSettings()) assert.ok(text.includes(` ${setting.path.at(-1)} `), setting.name);
  assert.match(text, /leakThresholdBytes +5\.0 MiB +growth of the live floor/);
  assert.match(text, /longTestSeconds +8h 0m /);
  assert.match(text, /transport +http +\(http, memory\)/);
});

test('defineConfig takes numbers and text with units, and the profile', () => {
  const config = defineConfig({
    profile: 'ci',
    thresholds: { leakThresholdBytes: '2MiB', maxMemoryGrowthRate: '1MiB/s', cleanupTimeoutSeconds: '1m' },
    sampling: { rateHz: 100 },
  });
  assert.equal(config.profile, 'ci');
  // @ts-expect-error a duration is no size
  defineConfig({ thresholds: { leakThresholdBytes: '30s' } });
  // @ts-expect-error a misspelt name
  defineConfig({ treshholds: {} });
});
