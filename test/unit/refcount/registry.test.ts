import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { counter, counters } from '../../../src/refcount/index.js';

test('a name has one counter, whoever asks for it', () => {
  const mine = counter('test.sessions');
  assert.equal(mine.add(3), 3);
  assert.equal(counter('test.sessions').add(-1), 2);
  assert.equal(mine.value, 2);
  assert.deepEqual(
    counters().filter(({ name }) => name === 'test.sessions'),
    [{ name: 'test.sessions', value: 2 }],
  );
  mine.add(-2);
});

test('a name per single thing is refused before it fills the memory, and the message says what to do', () => {
  const registry = new URL('../../../src/refcount/registry.js', import.meta.url).href;
  const program = `
    import { counter } from ${JSON.stringify(registry)};
    try { for (let i = 0; ; i++) counter('session ' + i); }
    catch (error) { console.log(error.code + ' | ' + error.message); }
  `;
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  assert.match(said, /^COUNTERS_EXHAUSTED \| there is no room for a counter named "session 1024"/);
  assert.match(said, /fix: name counters after a kind of thing/);
});
