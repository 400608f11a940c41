import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeRecording } from '../../src/recording/index.js';
import { MAIN } from '../fixtures/command-line.js';
import { folderWith } from '../fixtures/folder.js';

/** `export` as a user meets it. */

function run(args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** 10,000 samples of RSS, a millisecond apart, and ten of the heap. */
function recordingIn(folder: string): string {
  const path = join(folder, 'one.cmrec');
  const bytes = encodeRecording(
    { header: '{}', startNs: 0n, startedAtEpochMs: 1_700_000_000_000 },
    (writer) => {
      const channel = (name: string) => ({
        name,
        unit: 'bytes' as const,
        kind: 'integer' as const,
        description: '',
      });
      const rss = writer.defineGroup('process', [channel('rss_bytes')]);
      const heap = writer.defineGroup('v8', [channel('heap_used_bytes')]);
      for (let ms = 0; ms < 10_000; ms++) {
        writer.append(rss, Float64Array.of(1000 + ms), BigInt(ms) * 1_000_000n);
        if (ms % 1000 === 0) writer.append(heap, Float64Array.of(ms), BigInt(ms) * 1_000_000n);
      }
    },
  );
  writeFileSync(path, bytes);
  return path;
}

test('export prints a recording as CSV: wall clock first, a column a channel, a row a moment', (t) => {
  const { status, stdout, stderr } = run(['export', recordingIn(folderWith(t))]);
  assert.equal(status, 0, stderr);
  const lines = stdout.trimEnd().split('\n');
  assert.equal(lines[0], 't_ms,rss_bytes,heap_used_bytes');
  assert.equal(lines.length, 1 + 10_000);
  assert.equal(lines[1], '1700000000000,1000,0');
  assert.equal(lines[2], '1700000000001,1001,');
  assert.equal(lines.at(-1), '1700000009999,10999,');
});

test('export --format ndjson --output writes a file for its owner only, and nothing to stdout', (t) => {
  const folder = folderWith(t);
  const path = recordingIn(folder);
  const output = join(folder, 'samples.ndjson');
  const { status, stdout, stderr } = run(['export', path, '--format', 'ndjson', '--output', output]);
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' });
  const rows = readFileSync(output, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(rows[1000], { t_ms: 1_700_000_001_000, rss_bytes: 2000, heap_used_bytes: 1000 });
  assert.equal(statSync(output).mode & 0o777, 0o600);
});

test('export of what is no recording, or to where nothing can be written, exits 2 and leaves nothing behind', (t) => {
  const folder = folderWith(t, { 'notes.txt': 'not a recording' });
  const path = recordingIn(folder);
  for (const [args, expected] of [
    [[join(folder, 'notes.txt')], /notes\.txt/],
    [[join(folder, 'missing.cmrec')], /missing\.cmrec cannot be read/],
    [[path, '--output', join(folder, 'notes.txt', 'below.csv')], /cannot write .*below\.csv/],
    [[path, '--format', 'jsonl'], /'jsonl' is invalid/],
  ] as const) {
    const { status, stdout, stderr } = run(['export', ...args]);
    assert.equal(status, 2, stderr);
    assert.match(stderr, expected);
    assert.equal(stdout, '');
  }
  assert.deepEqual(readdirSync(folder).sort(), ['notes.txt', 'one.cmrec']);
  assert.equal(existsSync(join(folder, 'below.csv')), false);
});

test('a reader that has seen enough ends export without a word', (t) => {
  const path = recordingIn(folderWith(t));
  const piped = spawnSync('sh', ['-c', `"$0" "$1" export "$2" | head -n 1`, process.execPath, MAIN, path], {
    encoding: 'utf8',
  });
  assert.equal(piped.stdout, 't_ms,rss_bytes,heap_used_bytes\n');
  assert.equal(piped.stderr, '');
});
