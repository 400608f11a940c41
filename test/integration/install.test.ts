import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { folderWith } from '../fixtures/folder.js';

const INSTALL = resolve(import.meta.dirname, '../../../scripts/install.mjs');
const TOOLS = ['g++', 'make', 'python3'];
const onUnix = process.platform === 'win32' ? { skip: 'PATH of links: not on Windows' } : {};

function find(tool: string): string | undefined {
  const { status, stdout } = spawnSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** Runs the install script where only these tools can be found. */
function installWith(t: TestContext, tools: string[]) {
  const folder = folderWith(t);
  for (const tool of tools) {
    const path = find(tool);
    if (path) symlinkSync(path, join(folder, tool));
  }
  const { CXX, MAKE, PYTHON, npm_config_python, ...env } = process.env;
  return spawnSync(process.execPath, [INSTALL, '--force'], {
    env: { ...env, PATH: [folder].join(delimiter) },
    encoding: 'utf8',
  });
}

describe('installing without what building takes', onUnix, () => {
  for (const missing of TOOLS)
    test(`without ${missing}: one sentence that names it and the line to install it on three systems, exit code 1`, (t) => {
      const { status, stdout, stderr } = installWith(
        t,
        TOOLS.filter((tool) => tool !== missing),
      );
      assert.equal(status, 1);
      assert.equal(stdout, '');
      assert.equal(stderr.trim().split('\n').length, 1, stderr);
      assert.match(stderr, new RegExp(`because ${missing.replaceAll('+', '\\+')} is missing: `));
      assert.match(stderr, /on Debian run `apt-get install -y g\+\+ make python3`/);
      assert.match(stderr, /on macOS run `xcode-select --install`/);
      assert.match(stderr, /on Windows run `winget install /);
    });

  test('without any of them: all are named in one sentence', (t) => {
    const { status, stderr } = installWith(t, []);
    assert.equal(status, 1);
    assert.match(stderr, /because python3 and make and g\+\+ are missing: /);
  });
});
