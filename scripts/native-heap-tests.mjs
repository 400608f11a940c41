/**
 * Builds native/heap without Node and runs its tests.
 *
 *   node scripts/native-heap-tests.mjs [--sanitize address,undefined | --sanitize thread]
 *                                      [--fuzz SECONDS] [--build-only] [--inspect]
 *
 * Objects go to build/native-heap/<variant>/. The last tests read snapshots that the
 * running Node.js writes here. `--inspect` only builds the heap-inspect tool. `--fuzz`
 * feeds made-up and damaged heaps; scripts/fuzz-heap.mjs does it with libFuzzer.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { nativeBuild, root, sanitizerFlags, sourcesUnder } from './native-build.mjs';

const options = readOptions(process.argv.slice(2));
const variant = options.sanitize ? options.sanitize.replaceAll(',', '-') : 'plain';
const outDirectory = join(root, 'build', 'native-heap', variant);
const link = nativeBuild({
  folder: outDirectory,
  flags: [
    '-std=c++20',
    '-O2',
    '-g',
    '-Wall',
    '-Wextra',
    '-Wshadow',
    '-pthread',
    `-I${join(root, 'native')}`,
    `-I${root}`,
    ...sanitizerFlags(options.sanitize),
  ],
});

const library = sourcesUnder('native/heap').filter((path) => !path.endsWith('inspect/main.cc'));
const testSources = sourcesUnder('test/native/heap').filter((path) => !basename(path).startsWith('fuzz_'));
const truth = ['heap_builder', 'slow_truth'].map((name) => `test/native/heap/${name}.cc`);

await link('heap-inspect', [...library, 'native/heap/inspect/main.cc']);
if (!options.inspect) {
  await link('heap-tests', [...library, ...testSources]);
  if (options.fuzzSeconds > 0)
    await link('heap-fuzz', [
      ...library,
      ...truth,
      'test/native/heap/fuzz_parser.cc',
      'test/native/heap/fuzz_driver.cc',
    ]);
  if (!options.buildOnly) process.exitCode = await runTests();
}

function readOptions(words) {
  const read = { sanitize: '', fuzzSeconds: 0, buildOnly: false, inspect: false };
  for (let at = 0; at < words.length; at++) {
    if (words[at] === '--sanitize') read.sanitize = words[++at] ?? '';
    else if (words[at] === '--fuzz') read.fuzzSeconds = Number(words[++at]);
    else if (words[at] === '--build-only') read.buildOnly = true;
    else if (words[at] === '--inspect') read.inspect = true;
    else throw new Error(`unknown option ${words[at]}: give --sanitize, --fuzz, --build-only or --inspect`);
  }
  return read;
}

async function runTests() {
  const directory = mkdtempSync(join(tmpdir(), 'crucible-heap-'));
  try {
    const snapshots = writeSnapshots(directory);
    const tests = await exitCodeOf(join(outDirectory, 'heap-tests'), snapshots);
    if (tests !== 0 || options.fuzzSeconds === 0) return tests;
    return await exitCodeOf(join(outDirectory, 'heap-fuzz'), [String(options.fuzzSeconds)]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function exitCodeOf(program, words) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/** Three snapshots of a process in which five kinds of container take 1,000 entries from each to the next. */
function writeSnapshots(directory) {
  const names = ['first', 'second', 'third'].map((name) => join(directory, `${name}.heapsnapshot`));
  const program = `
    const { Session } = require('node:inspector');
    const { writeHeapSnapshot } = require('node:v8');
    // What a redacted answer must not show, in everything of a program that holds text.
    const secret = (kind) => 'the planted secret of a ' + kind;
    class Holder { [secret('method')]() {} static [secret('static')] = 1; }
    const key = { [secret('key of a record')]: secret('value') };
    globalThis.planted = {
      [secret('property')]: secret('content'), half: secret('rope') + process.pid, slice: (secret('slice') + 'x'.repeat(40)).slice(3, 40),
      map: new Map([[secret('map key'), { [secret('nested property')]: 1 }]]), set: new Set([secret('set')]),
      symbol: Symbol(secret('symbol')), [Symbol(secret('symbol key'))]: 1, pattern: new RegExp(secret('pattern')),
      template: ((parts) => parts)\`the planted secret of a template\`, key, weak: new WeakMap([[key, secret('weak value')]]),
      records: Array.from({ length: 500 }, (_, i) => ({ [secret('column')]: i + 0.5, ['row ' + secret('row ' + i)]: {} })),
      table: Object.fromEntries(Array.from({ length: 200 }, (_, i) => [secret('entry ' + i), { i }])), held: new Holder(),
      growing: { [secret('growing list')]: [] }, named: { [secret('function')]: function () {} }, made: new Function('return 1'),
      error: new Error(secret('error')), Class: Object.defineProperty(class {}, 'name', { value: secret('class') }),
      odd: new (class { static name = secret('class name'); constructor() { this.x = {}; } })(), twins: [secret('twin').slice() + '!', secret('twin') + '!'],
    };
    globalThis.leak = { map: new Map(), set: new Set(), array: [], dictionary: Object.create(null), weakMap: new WeakMap(), keys: [] };
    let next = 0;
    function grow(count) {
      for (let i = 0; i < count; i++, next++) {
        leak.map.set('m' + next, { m: next });
        leak.set.add({ s: next });
        leak.array.push({ a: next });
        leak.dictionary['d' + next] = { d: next };
        const key = {};
        leak.keys.push(key);
        leak.weakMap.set(key, { w: next });
        Object.values(planted.growing)[0].push({ g: next });
      }
    }
    grow(2000);
    // Node 20 takes minutes for the source positions of large scripts unless line tables exist.
    const session = new Session();
    session.connect();
    session.post('Debugger.enable');
    session.post('Debugger.disable');
    session.disconnect();
    for (const name of ${JSON.stringify(names)}) {
      writeHeapSnapshot(name);
      grow(1000);
    }`;
  const child = spawnSync(process.execPath, ['-e', program], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (child.status !== 0) throw new Error(`the program that writes snapshots ended with ${child.status}`);
  return names;
}
