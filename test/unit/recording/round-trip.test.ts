import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { loadCore } from '../../../src/native.js';
import { decodeRecording, encodeRecording, type Recording } from '../../../src/recording/index.js';
import { BLOCK_BYTES, BLOCK_HEADER, HEADER_STEP_BYTES } from '../../../src/recording/layout.js';
import { folderWith } from '../../fixtures/folder.js';
import { anyScript, expectedOf, perform, type Script } from '../../fixtures/recordings.js';

const HEADER = JSON.stringify({ service: 'ScriptEngine', text: 'ünïcode\n' });

function assertHolds(recording: Recording, script: Script): void {
  const expected = expectedOf(script);
  assert.deepEqual(recording.problems, []);
  assert.equal(recording.isClosed, true);
  assert.deepEqual(
    recording.channels,
    script.groups.flatMap((group) => group.channels),
  );
  for (const [name, { timesMs, values }] of expected.series) {
    const series = recording.series(name);
    assert.deepEqual(Array.from(series?.timesMs ?? []), timesMs, `times of ${name}`);
    assert.deepEqual(Array.from(series?.values ?? []), values, `values of ${name}`);
    assert.equal(recording.count(name), values.length);
  }
  assert.deepEqual(recording.events(), expected.events);
  assert.deepEqual(recording.header.details, JSON.parse(HEADER));
}

function writtenByTypeScript(script: Script, startNs = 1_000_000_000n): Buffer {
  return encodeRecording({ header: HEADER, startNs }, (writer) => perform(script, writer, startNs));
}

describe('recording, round trip', () => {
  test('what the TypeScript writer wrote, the reader gives back', () => {
    fc.assert(
      fc.property(anyScript, (script) => assertHolds(decodeRecording(writtenByTypeScript(script)), script)),
      { numRuns: 60 },
    );
  });

  test('what the native writer wrote, the reader gives back, and its blocks are those of the TypeScript writer to the byte', (t) => {
    const path = join(folderWith(t), 'native.recording');
    fc.assert(
      fc.property(anyScript, (script) => {
        const writer = loadCore().createRecording({ path, header: HEADER });
        const { startNs } = decodeRecording(readFileSync(path)).header;
        perform(script, writer, startNs);
        writer.close();
        const native = readFileSync(path);
        assertHolds(decodeRecording(native), script);
        const typescript = writtenByTypeScript(script, startNs);
        const blocksOf = (bytes: Buffer) => withoutDefinitionTime(bytes.subarray(4096));
        assert.ok(blocksOf(native).equals(blocksOf(typescript)), 'the two writers disagree');
      }),
      { numRuns: 60 },
    );
  });
});

/** The catalogue block says when its groups were defined, which no one decides. */
function withoutDefinitionTime(blocks: Buffer): Buffer {
  const copy = Buffer.from(blocks);
  copy.fill(0, 16, 24);
  copy.fill(0, 32, 40);
  return copy;
}

test('blocks that are known to be whole are read as those whose records are checked one by one', () => {
  fc.assert(
    fc.property(anyScript, (script) => {
      const sealed = Buffer.from(
        encodeRecording({ header: HEADER, startNs: 0n }, (writer) => perform(script, writer, 0n)),
      );
      const open = Buffer.from(sealed);
      for (let at = HEADER_STEP_BYTES; at < open.length; at += BLOCK_BYTES)
        open.writeUInt8(0, at + BLOCK_HEADER.sealed);
      const [quick, careful] = [decodeRecording(sealed), decodeRecording(open)];
      assert.deepEqual(quick.groups, careful.groups);
      assert.equal(quick.endMs, careful.endMs);
    }),
    { numRuns: 60 },
  );
});
