import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ConfigError, checkConfig, type FlagSetting, loadConfig } from '../../../src/config/index.js';
import { CrucibleMemoryError } from '../../../src/errors.js';
import { folderWith } from '../../fixtures/folder.js';

interface Given {
  file?: readonly [name: string, text: string];
  env?: Record<string, string>;
  flags?: FlagSetting[];
  profile?: string;
}

/** The problems of a configuration as a person reads them, one a line. */
async function problemsOf(t: TestContext, given: Given): Promise<string[]> {
  const { file, ...rest } = given;
  const directory = folderWith(t, file ? { [file[0]]: file[1] } : {});
  try {
    await loadConfig({ env: {}, ...rest, ...(file && { file: file[0] }), directory });
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.equal(error.code, 'CONFIG_INVALID');
    return error.problems.map(({ where, setting, message }) =>
      [where, setting, message].filter(Boolean).join(': '),
    );
  }
  return assert.fail('the configuration was accepted');
}

test('YAML: a wrong type is reported with file, line and column of the value', async (t) => {
  const text = 'sampling:\n  rateHz: 10\nthresholds:\n  leakThresholdBytes: lots\n';
  assert.deepEqual(await problemsOf(t, { file: ['a.yaml', text] }), [
    'a.yaml:4:23: thresholds.leakThresholdBytes: expected a number of bytes or a size such as 5MiB, received "lots"',
  ]);
});

test('JSON: a wrong type is reported with file, line and column of the value', async (t) => {
  const text = '{\n  "reporting": {\n    "enableAlerts": "perhaps"\n  }\n}\n';
  assert.deepEqual(await problemsOf(t, { file: ['a.json', text] }), [
    'a.json:3:21: reporting.enableAlerts: expected true or false, received "perhaps"',
  ]);
});

test('TypeScript: a wrong type is reported with file, line and column of the value', async (t) => {
  const text = [
    '// leakThresholdBytes: in a comment is not the place',
    "const note = 'thresholds: { leakThresholdBytes: nor is a string }';",
    'export default {',
    '  reporting: { outputDirectory: note },',
    '  loadTesting: { largeDataSizeBytes: 5, maxPayloadSizeBytes: 5 },',
    "  'thresholds': {",
    '    maxMemoryPerOperation: 1, /* , */ leakThresholdBytes: [1, 2],',
    '  },',
    '} as const;',
  ].join('\n');
  assert.deepEqual(await problemsOf(t, { file: ['a.ts', text] }), [
    'a.ts:7:59: thresholds.leakThresholdBytes: expected a number of bytes or a size such as 5MiB, received [1,2]',
  ]);
});

test('TypeScript: a setting whose text cannot be found is reported at the deepest key that can', async (t) => {
  const text =
    'const section = Object.fromEntries([["rateHz", -1]]);\nexport default {\n  sampling: section,\n};\n';
  assert.deepEqual(await problemsOf(t, { file: ['a.mjs', text] }), [
    'a.mjs:3:3: sampling.rateHz: expected more than 0, received -1',
  ]);
});

test('an unknown key is reported where it stands, with the nearest valid name', async (t) => {
  const expected = 'loadTesting.concurentOperations: no such setting; did you mean "concurrentOperations"?';
  const files = [
    ['a.yaml', 'loadTesting:\n  concurentOperations: 5\n', '2:3'],
    ['a.json', '{ "loadTesting": {\n "concurentOperations": 5 } }', '2:2'],
    ['a.ts', 'export default { loadTesting: {\n    concurentOperations: 5 } }', '2:5'],
  ] as const;
  for (const [name, text, position] of files) {
    assert.deepEqual(await problemsOf(t, { file: [name, text] }), [`${name}:${position}: ${expected}`]);
  }
});

test('a key in the wrong section is sent to the right one', async (t) => {
  assert.deepEqual(await problemsOf(t, { file: ['a.yaml', 'thresholds:\n  rateHz: 100\n'] }), [
    'a.yaml:2:3: thresholds.rateHz: no such setting; did you mean "sampling.rateHz"?',
  ]);
});

test('an unknown key with nothing near lists the choices', async (t) => {
  assert.deepEqual(await problemsOf(t, { file: ['a.yaml', 'sampling:\n  colour: red\n'] }), [
    'a.yaml:2:3: sampling.colour: no such setting; choose from rateHz, detailIntervalMs',
  ]);
});

test('an unknown choice is reported with the nearest one', async (t) => {
  assert.deepEqual(
    await problemsOf(t, { file: ['a.yaml', 'services: { mcpGateway: { transport: htp } }\n'] }),
    [
      'a.yaml:1:38: services.mcpGateway.transport: expected "http" or "memory", received "htp"; did you mean "http"?',
    ],
  );
});

test('a value where a section belongs says which settings the section has', async (t) => {
  assert.deepEqual(await problemsOf(t, { file: ['a.yaml', 'sampling: 1000\n'] }), [
    'a.yaml:1:11: sampling: expected a section with settings (rateHz, detailIntervalMs), received 1000',
  ]);
});

test('limits are reported as limits', async (t) => {
  const text = 'sampling: { rateHz: 20000 }\nleakDetection: { minSamples: 2.5, significanceThreshold: 1 }\n';
  assert.deepEqual(await problemsOf(t, { file: ['a.yaml', text] }), [
    'a.yaml:2:30: leakDetection.minSamples: expected a whole number, received 2.5',
    'a.yaml:2:58: leakDetection.significanceThreshold: expected less than 1, received 1',
    'a.yaml:1:21: sampling.rateHz: expected at most 10000, received 20000',
  ]);
});

test('syntax errors carry their position in every format', async (t) => {
  const files = [
    [
      'a.json',
      '{\n  "sampling": { "rateHz": 5, }\n}\n',
      /^a\.json:2:30: expected a name in double quotes, found "}"$/,
    ],
    [
      'b.json',
      '{ "sampling": { "rateHz": 5 }\n',
      /^b\.json:2:1: expected "," or "}", found the end of the file$/,
    ],
    ['c.json', '{ sampling: {} }\n', /^c\.json:1:3: expected a name in double quotes, found "s"$/],
    ['d.json', '', /^d\.json:1:1: expected a value, found the end of the file$/],
    ['a.yaml', 'sampling:\n  rateHz: 5\n detailIntervalMs: 6\n', /^a\.yaml:3:1: .*/],
    ['b.yaml', 'sampling: [\n', /^b\.yaml:2:1: .*/],
    [
      'a.ts',
      'export default {\n  sampling: 1 2\n}\n',
      /^a\.ts:2:15: the file cannot be run: Unexpected token/,
    ],
  ] as const;
  for (const [name, text, expected] of files) {
    const problems = await problemsOf(t, { file: [name, text] });
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? '', expected);
  }
});

test('a key that is given twice is an error, because one of the two would silently lose', async (t) => {
  for (const file of [
    ['a.yaml', 'sampling:\n  rateHz: 5\n  rateHz: 6\n'],
    ['a.json', '{ "sampling": {\n  "rateHz": 5,\n  "rateHz": 6 } }'],
  ] as const) {
    assert.deepEqual(await problemsOf(t, { file }), [`${file[0]}:3:3: Map keys must be unique`]);
  }
});

test('a configuration module that throws is reported with the line that threw', async (t) => {
  const text = 'const section = undefined;\nexport default {\n  sampling: section.nowhere,\n};\n';
  const [problem] = await problemsOf(t, { file: ['a.mjs', text] });
  assert.match(problem ?? '', /^a\.mjs:3:\d+: the file cannot be run: Cannot read properties of undefined/);
});

test('a configuration module without a default export says what it has instead', async (t) => {
  assert.deepEqual(await problemsOf(t, { file: ['a.mjs', 'export const sampling = 1;\n'] }), [
    'a.mjs: expected "export default { ... }", received only the named exports sampling',
  ]);
});

test('a wrong environment variable is reported by its own name', async (t) => {
  const env = { CRUCIBLE_MEMORY_SAMPLING_RATE_HZ: 'fast', CRUCIBLE_MEMORY_LEAK_DETECTION_ENABLED: 'maybe' };
  assert.deepEqual(await problemsOf(t, { env }), [
    'CRUCIBLE_MEMORY_LEAK_DETECTION_ENABLED: leakDetection.enabled: expected true or false, received "maybe"',
    'CRUCIBLE_MEMORY_SAMPLING_RATE_HZ: sampling.rateHz: expected a number, received "fast"',
  ]);
});

test('an unknown environment variable is reported with the nearest one', async (t) => {
  const env = {
    CRUCIBLE_MEMORY_THRESHOLDS_LEAK_TRESHOLD_BYTES: '5',
    CRUCIBLE_MEMORY_TEST_DURATIONS_SHORT_SECONDS: '5',
    CRUCIBLE_MEMORY_TEST_KEEP_FILES: 'not a setting',
    CRUCIBLE_MEMORY_INTERNAL_CHANNEL: 'not a setting',
    UNRELATED: 'yes',
  };
  assert.deepEqual(await problemsOf(t, { env }), [
    'CRUCIBLE_MEMORY_THRESHOLDS_LEAK_TRESHOLD_BYTES: no setting has this variable; did you mean CRUCIBLE_MEMORY_THRESHOLDS_LEAK_THRESHOLD_BYTES?',
    'CRUCIBLE_MEMORY_TEST_DURATIONS_SHORT_SECONDS: no setting has this variable; did you mean CRUCIBLE_MEMORY_TEST_DURATIONS_SHORT_TEST_SECONDS?',
  ]);
});

test('a wrong flag is reported as it was typed, with the nearest setting', async (t) => {
  const flags = [
    { name: 'loadTesting.maxOperations', text: 'lots', flag: '--operations lots' },
    { name: 'thresholds.leakTresholdBytes', text: '5', flag: '--set thresholds.leakTresholdBytes=5' },
    { name: 'rateHz', text: '5', flag: '--set rateHz=5' },
  ];
  assert.deepEqual(await problemsOf(t, { flags }), [
    '--set thresholds.leakTresholdBytes=5: no such setting; did you mean thresholds.leakThresholdBytes?',
    '--set rateHz=5: no such setting; did you mean sampling.rateHz?',
    '--operations lots: loadTesting.maxOperations: expected a whole number, received "lots"',
  ]);
});

test('an unknown profile is reported where it was named, with the nearest one', async (t) => {
  assert.deepEqual(await problemsOf(t, { profile: 'smok' }), [
    '--profile: unknown profile "smok"; did you mean "smoke"?',
  ]);
  assert.deepEqual(await problemsOf(t, { env: { CRUCIBLE_MEMORY_PROFILE: 'constructor' } }), [
    'CRUCIBLE_MEMORY_PROFILE: unknown profile "constructor"; choose from smoke, ci, standard, soak',
  ]);
  assert.deepEqual(await problemsOf(t, { file: ['a.yaml', 'sampling: {}\nprofile: standart\n'] }), [
    'a.yaml:2:10: unknown profile "standart"; did you mean "standard"?',
  ]);
});

test('the problems of all sources are listed at once', async (t) => {
  const problems = await problemsOf(t, {
    file: ['a.yaml', 'samplin: {}\nthresholds: { leakThresholdBytes: -1 }\n'],
    env: { CRUCIBLE_MEMORY_SAMPLING_RATE_HZ: '0' },
    flags: [{ name: 'sampling.rateHz', text: 'x', flag: '--set sampling.rateHz=x' }],
    profile: 'nightly',
  });
  assert.deepEqual(
    problems.map((problem) => problem.split(': ')[0]),
    ['--profile', 'a.yaml:2:35', 'a.yaml:1:1', 'CRUCIBLE_MEMORY_SAMPLING_RATE_HZ', '--set sampling.rateHz=x'],
  );
});

test('a secret of the wrong type is not shown', async (t) => {
  const [problem] = await problemsOf(t, {
    file: ['a.yaml', 'services: { inferenceEngine: { apiKey: 12345 } }\n'],
  });
  assert.match(problem ?? '', /expected text, received a number$/);
});

test('a file that is not there is CONFIG_UNREADABLE, with the file that was probably meant', async (t) => {
  const directory = folderWith(t, { 'night.yaml': '' });
  await assert.rejects(loadConfig({ file: 'nihgt.yaml', env: {}, directory }), {
    code: 'CONFIG_UNREADABLE',
    what: 'cannot read the configuration nihgt.yaml',
    fix: `did you mean ${join(directory, 'night.yaml')}?`,
  });
});

test('a file of an unknown format is CONFIG_UNREADABLE', async (t) => {
  const directory = folderWith(t, { 'night.toml': '' });
  await assert.rejects(loadConfig({ file: 'night.toml', env: {}, directory }), {
    code: 'CONFIG_UNREADABLE',
    why: '".toml" is no format that is known',
  });
});

test('a configuration that a program hands over is checked the same way', () => {
  assert.throws(
    // A caller without TypeScript.
    () => checkConfig({ sampling: { rateHz: '10', ratHz: 5 } }),
    (error) => {
      assert.ok(error instanceof ConfigError && error instanceof CrucibleMemoryError);
      assert.deepEqual(
        error.problems.map(({ setting, message }) => `${setting}: ${message}`),
        [
          'sampling.rateHz: expected a number, received "10"',
          'sampling.ratHz: no such setting; did you mean "rateHz"?',
        ],
      );
      return true;
    },
  );
  assert.equal(
    checkConfig({ thresholds: { leakThresholdBytes: '1KiB' } }).thresholds.leakThresholdBytes,
    1024,
  );
});
