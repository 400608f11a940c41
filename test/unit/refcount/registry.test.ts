import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { counter, counters } from '../../../src/refcount/index.js';

const own = (name: string) => counters().filter((each) => each.name === name);

test('a name has one counter, whoever asks for it', () => {
  const mine = counter('test.sessions');
  mine.add(3);
  counter('test.sessions').add(-1);
  assert.equal(mine.value, 2);
  assert.deepEqual(own('test.sessions'), [{ name: 'test.sessions', value: 2 }]);
});

test('a counter counts on beyond 32 bits', () => {
  const large = counter('test.large');
  for (let i = 0; i < 5; i++) large.add(2 ** 32);
  assert.equal(large.value, 5 * 2 ** 32);
});

test('names may hold any text of up to 112 bytes, and no more', () => {
  for (const name of ['größe "in" \\ 日本', 'x'.repeat(112)]) {
    counter(name).add(1);
    assert.deepEqual(own(name), [{ name, value: 1 }]);
  }
  for (const name of ['', 'x'.repeat(113), 'ü'.repeat(57)]) {
    assert.throws(() => counter(name), { code: 'USAGE', fix: /a few words/ });
    assert.deepEqual(own(name), []);
  }
});

test('a name per single thing is refused before it fills the memory, and the message says what to do', () => {
  const refcount = new URL('../../../src/refcount/index.js', import.meta.url).href;
  const program = `
    import { counter, Arc } from ${JSON.stringify(refcount)};
    const known = counter('known');
    try { for (let i = 0; ; i++) counter('session ' + i); }
    catch (error) { console.log(error.code + ' | ' + error.message); }
    known.add(2);
    console.log(known.value + counter('session 7').value);
  `;
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  assert.match(said, /^COUNTERS_EXHAUSTED \| there is no room for a count named "session 4095"/);
  assert.match(said, /fix: name counts after a kind of thing/);
  assert.match(said, /\n2\n$/, 'what is there goes on counting');
});

test('copies of this package in one thread count in the same memory', async () => {
  const path = new URL('../../../src/refcount/index.js?another-copy', import.meta.url).href;
  const other = (await import(path)) as typeof import('../../../src/refcount/index.js');
  // A query makes the index anew; what it imports is shared, so a child process tells about the rest.
  assert.equal(other.counter('test.copies').name, 'test.copies');
  const folder = new URL('../../../src/', import.meta.url);
  const program = `
    import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
    import { fileURLToPath } from 'node:url';
    const copy = mkdtempSync('/tmp/refcount-copy-');
    for (const part of ['refcount', 'errors.js']) cpSync(new URL(part, ${JSON.stringify(folder.href)}), copy + '/' + part, { recursive: true });
    writeFileSync(copy + '/package.json', '{ "type": "module" }');
    const first = await import(new URL('refcount/index.js', ${JSON.stringify(folder.href)}));
    const second = await import(copy + '/refcount/index.js');
    rmSync(copy, { recursive: true });
    first.counter('shared').add(1);
    second.counter('shared').add(2);
    console.log(first.counter('shared') !== second.counter('shared'), first.counter('shared').value, second.counter('shared').value);
  `;
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  assert.equal(said, 'true 3 3\n');
});
