import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { folderWith } from '../fixtures/folder.js';

const ROOT = resolve(import.meta.dirname, '../../..');
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** The contents of the first fenced block in a language. */
function block(language: string): string {
  const [, text] = readme.match(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``)) ?? [];
  assert.ok(text, `README.md has a block of ${language}`);
  return text;
}

/** Text with its figures, bars and the explanation taken out: they differ from run to run. */
const shape = (text: string) =>
  text
    .replace(/[▁▂▃▄▅▆▇█]+/g, 'BARS')
    .replace(/-?\d+(\.\d+)?/g, 'N')
    .replace(/[KM]iB|\bB\b/g, 'UNIT')
    .replace(/\s+/g, ' ')
    .replace(/: [a-z ,]+ \(next best explanation: [^)]*\)/, ': WHY')
    .trim();

test("the README's first program is the one in examples/", () => {
  assert.equal(block('js'), readFileSync(join(ROOT, 'examples/sessions.mjs'), 'utf8'));
});

test('the README shows what the example of counted references prints', () => {
  const path = 'examples/references.mjs';
  assert.ok(readme.includes(readFileSync(join(ROOT, path), 'utf8')));
  const run = spawnSync(process.execPath, ['--expose-gc', path], { cwd: ROOT, encoding: 'utf8' });
  assert.equal(run.stderr, '');
  const printed = run.stdout.replaceAll(/file:[^ ]*(?=examples)/g, '');
  assert.ok(readme.includes(`$ node --expose-gc ${path}\n${printed}`), printed);
});

test("the README's first output is what its command prints", () => {
  const [command = '', ...shown] = block('console').trimEnd().split('\n');
  const [, args] = command.match(/^\$ npx crucible-memory (.*)$/) ?? [];
  assert.ok(args, command);
  const output = mkdtempSync(join(tmpdir(), 'crucible-readme-'));
  try {
    const cli = join(ROOT, 'dist/src/cli/main.js');
    const run = spawnSync(process.execPath, [cli, ...args.split(' '), '--quiet', '--output', output], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    assert.equal(run.status, 1, run.stderr);
    // Figures of another length may wrap a sentence elsewhere: compared without line ends.
    assert.ok(shape(run.stdout).includes(shape(shown.join('\n'))), run.stdout);
    const [, kibibytes] =
      run.stdout.match(/^LEAK {2}sessions leaves (\d+\.\d) KiB per operation behind/) ?? [];
    // 256 elements of 8 bytes, an object, a key and a place in the Map.
    assert.ok(Number(kibibytes) >= 2 && Number(kibibytes) <= 2.6, `${kibibytes} KiB`);
  } finally {
    rmSync(output, { recursive: true, force: true });
  }
});

test("the README's heap diff is what its commands print, down to the fingerprint of the leak", (t) => {
  const [, text] = readme.match(/(\$ node leaking-server\.mjs[\s\S]*?)```/) ?? [];
  const [, command = '', ...shown] = (text ?? '').trimEnd().split('\n');
  const [, args] = command.match(/^\$ npx crucible-memory (diff .*)$/) ?? [];
  assert.ok(args, command);
  const folder = folderWith(t, {
    'leaking-server.mjs': readFileSync(join(ROOT, 'examples/leaking-server.mjs'), 'utf8'),
  });
  const run = (words: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: folder, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return stdout;
  };
  run(['leaking-server.mjs']);
  const printed = run([join(ROOT, 'dist/src/cli/main.js'), ...args.split(' ')]);
  const section = (from: string, title: string) =>
    from
      .slice(from.indexOf(`\n${title} `))
      .split('\n\n')[0]
      ?.replace(/@\d+/g, '@N') ?? '';
  // What the leak is and what it costs is the same to the byte; the rest of the heap differs a little.
  const leak = (from: string) => section(from, 'Growing').split('\n').slice(0, 6).join('\n');
  assert.equal(leak(printed), leak(shown.join('\n')));
  assert.equal(shape(section(printed, 'Growers')), shape(section(shown.join('\n'), 'Growers')));
  const verdict = (from: string) => shape(from.slice(0, from.indexOf('\n\n')));
  assert.equal(verdict(printed), verdict(shown.join('\n')));
  assert.match(printed, /\nbalance .*; residual 0 B\n/);
});
