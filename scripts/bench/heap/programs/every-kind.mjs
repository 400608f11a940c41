/**
 * Holds objects of every kind that V8's heap snapshots know, in the ways that
 * make an analysis err: cycles, shared and weak references, ephemerons that keep
 * each other, long chains, large fan-out, objects that nothing reaches.
 *
 *   node every-kind.mjs FOLDER
 *
 * Writes FOLDER/plain.heapsnapshot; FOLDER/internals.heapsnapshot of the same
 * heap with V8's internals and numbers; and FOLDER/later.heapsnapshot after some
 * objects came and others went. Runs on Node 20 to 26.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import { Session } from 'node:inspector';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { writeHeapSnapshot } from 'node:v8';
import vm from 'node:vm';
import { MessageChannel, Worker } from 'node:worker_threads';

class Account {
  static count = 0;
  #secret = { pin: 1234 };
  balance = 0.5;
  constructor(owner) {
    this.owner = owner;
    Account.count++;
  }
  get secret() {
    return this.#secret;
  }
}

class SavingsAccount extends Account {
  history = [];
}

function collections() {
  const keys = Array.from({ length: 200 }, (_, i) => ({ key: i }));
  const weakMap = new WeakMap();
  const secondWeakMap = new WeakMap();
  // Values that hold the next key: alive only because the first key is.
  keys.forEach((key, i) => {
    weakMap.set(key, { value: i, next: i % 3 === 0 ? { key: {} } : null });
    if (i % 2 === 0) secondWeakMap.set(key, { inBoth: weakMap });
  });
  const chained = new WeakMap();
  let link = {};
  const firstLink = link;
  for (let i = 0; i < 50; i++) {
    const next = { link: i };
    chained.set(link, next);
    link = next;
  }
  return {
    map: new Map(keys.map((key, i) => [`entry ${i}`, { key }])),
    mapOfObjects: new Map(keys.map((key) => [key, Symbol(`of ${key.key}`)])),
    set: new Set(keys),
    emptyMap: new Map(),
    weakMap,
    secondWeakMap,
    chained: [chained, firstLink],
    unkept: new WeakMap([[{ gone: true }, { value: 'gone' }]]),
    weakSet: new WeakSet(keys),
    weakRef: new WeakRef(keys[0]),
    registry: new FinalizationRegistry(() => {}),
    keys,
    iterators: [new Map([[1, {}]]).entries(), new Set([{}]).values(), [{}][Symbol.iterator]()],
  };
}

function functions() {
  const shared = { shared: 'by closures' };
  const unused = { unused: new Array(1000).fill('x') };
  const closures = Array.from({ length: 100 }, (_, i) => {
    const own = { own: i };
    return i % 2 === 0 ? () => shared : () => own;
  });
  const readsUnused = () => unused;
  function named() {
    // biome-ignore lint/complexity/noArguments: it is an object of a kind of its own
    return arguments;
  }
  function* generate() {
    const local = { inside: 'a generator' };
    yield local;
    yield shared;
  }
  const generator = generate();
  generator.next();
  async function* generateLater() {
    yield { inside: 'an async generator' };
  }
  return {
    closures,
    readsUnused,
    bound: named.bind({ receiver: true }, { first: 1 }, 'second'),
    boundTwice: named.bind(null).bind(null, shared),
    arguments: named(1, { argument: true }),
    generator,
    asyncGenerator: generateLater(),
    evaluated: new Function('a', 'return { a }'),
    accessors: Object.defineProperty({}, 'computed', {
      get: () => shared,
      set: () => {},
      configurable: true,
    }),
    proxy: new Proxy({ target: true }, { get: () => shared }),
  };
}

function texts() {
  const long = 'all work and no play makes a dull heap '.repeat(60);
  return {
    long,
    concatenated: Array.from({ length: 20 }, (_, i) => `${long}${i}` + `and ${i}`),
    sliced: Array.from({ length: 20 }, (_, i) => long.slice(i, i + 200)),
    twoBytes: 'größer als Ω – 中文 😀'.repeat(20),
    odd: [
      '"',
      '\\',
      '\n\t\u0000\u007f',
      '\u2028',
      '\ud800 alone',
      '},"edges":[',
      '__proto__',
      'constructor',
      '',
    ],
    // The name of this property reads like that of a WeakMap entry.
    '1 / part of key (Object @1) -> value (Object @3) pair in WeakMap (table @5)': { forged: true },
    symbols: { [Symbol('property')]: { bySymbol: true }, [Symbol.for('registered')]: 1 },
    bigints: [1n, 2n ** 200n, -(2n ** 64n)],
    regexps: [/plain/, /with (groups) and (?<names>x)/giu, new RegExp('a'.repeat(300))],
    errors: [new Error('with a stack'), new TypeError('other', { cause: new Error('cause') })],
  };
}

function arraysAndObjects() {
  const dictionary = Object.create(null);
  for (let i = 0; i < 2000; i++) dictionary[`key ${i}`] = { i };
  for (let i = 0; i < 1000; i += 2) delete dictionary[`key ${i}`];
  const sparse = [];
  sparse[100_000] = { far: true };
  const holes = [{ a: 1 }, 'deleted', { b: 2 }, 'deleted', 1.5];
  delete holes[1];
  delete holes[3];
  const cycle = { name: 'cycle' };
  cycle.self = cycle;
  cycle.other = { back: cycle };
  let chain = null;
  for (let i = 0; i < 20_000; i++) chain = { next: chain };
  const diamond = { bottom: true };
  return {
    dictionary,
    __proto__: { inherited: { through: 'a prototype' } },
    numbers: Array.from({ length: 500 }, (_, i) => i + 0.5),
    integers: Array.from({ length: 500 }, (_, i) => i),
    fanOut: Array.from({ length: 5000 }, (_, i) => ({ i })),
    sparse,
    holes,
    cycle,
    chain,
    diamond: [{ left: diamond }, { right: diamond }],
    shapes: Array.from({ length: 300 }, (_, i) => ({ x: i, y: { z: i }, [`only in ${i % 10}`]: true })),
    accounts: Array.from({ length: 100 }, (_, i) =>
      i % 2 === 0 ? new Account({ i }) : new SavingsAccount({ i }),
    ),
    indexed: { 0: 'zero', 1: { one: true }, 4000000000: 'beyond' },
    frozen: Object.freeze({ frozen: Object.seal([1, 2, {}]) }),
    primitives: [new String('boxed'), new Number(1.25), Object(1n), Object(Symbol('boxed')), new Date(0)],
  };
}

function memory() {
  const shared = new SharedArrayBuffer(4096);
  const buffer = new ArrayBuffer(10_000);
  const growing = new ArrayBuffer(16, { maxByteLength: 1 << 16 });
  growing.resize(4096);
  const given = new ArrayBuffer(100);
  structuredClone(given, { transfer: [given] });
  // The smallest module that exports something.
  const wasm = new WebAssembly.Module(
    Uint8Array.of(
      0,
      97,
      115,
      109,
      1,
      0,
      0,
      0,
      1,
      4,
      1,
      96,
      0,
      0,
      3,
      2,
      1,
      0,
      7,
      5,
      1,
      1,
      102,
      0,
      0,
      10,
      4,
      1,
      2,
      0,
      11,
    ),
  );
  return {
    buffers: [Buffer.alloc(20_000, 1), Buffer.from('pooled'), Buffer.from('pooled too')],
    views: [new Float64Array(buffer), new DataView(buffer, 8), new Uint8Array(shared), new BigInt64Array(16)],
    growing,
    given,
    wasm: new WebAssembly.Instance(wasm),
    wasmMemory: new WebAssembly.Memory({ initial: 1 }),
  };
}

function waiting() {
  const emitter = new EventEmitter().setMaxListeners(100);
  for (let i = 0; i < 20; i++) emitter.on('event', () => i);
  const storage = new AsyncLocalStorage();
  const aborter = new AbortController();
  aborter.signal.addEventListener('abort', () => emitter);
  const { promise, ...settle } = withResolvers();
  return {
    emitter,
    target: new EventTarget(),
    aborter,
    stream: new PassThrough(),
    channel: new MessageChannel(),
    timers: [setTimeout(() => emitter, 1e6), setInterval(() => storage, 1e6)],
    pending: promise,
    settle,
    chained: promise.then(() => ({ after: 1 })).catch(() => {}),
    resolved: Promise.resolve({ resolved: true }),
    asyncFunction: (async () => {
      const local = { awaiting: true };
      await promise;
      return local;
    })(),
    inStorage: storage.run({ stored: true }, () => promise.then(() => storage.getStore())),
  };
}

function withResolvers() {
  let settle;
  const promise = new Promise((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle };
}

const held = {
  collections: collections(),
  functions: functions(),
  texts: texts(),
  arraysAndObjects: arraysAndObjects(),
  memory: memory(),
  waiting: waiting(),
  contexts: [
    vm.createContext({ outer: { from: 'outside' } }),
    vm.runInNewContext(
      '({ array: [1, {}], map: new Map([[{}, {}]]), error: new Error("inner"), f: () => this })',
    ),
    new vm.Script('globalThis.outer'),
  ],
  intl: [new Intl.NumberFormat('de'), new Intl.DateTimeFormat('en')],
  url: new URL('https://example.com/a?b=c'),
  worker: new Worker('require("node:worker_threads").parentPort.on("message", () => {})', { eval: true }),
};
globalThis.held = held;

// Node 20 takes long for the positions of functions unless a debugger had the lines counted. The
// session stays open: closing it makes V8 forget the ids of all objects.
const session = new Session();
session.connect();
session.post('Debugger.enable');
session.post('Debugger.disable');

await new Promise((resolve) => held.worker.once('online', resolve));
const folder = process.argv[2];
writeHeapSnapshot(join(folder, 'plain.heapsnapshot'));
writeHeapSnapshot(join(folder, 'internals.heapsnapshot'), {
  exposeInternals: true,
  exposeNumericValues: true,
});
change();
writeHeapSnapshot(join(folder, 'later.heapsnapshot'));
process.exit();

function change() {
  const { collections, arraysAndObjects, functions, waiting } = held;
  for (let i = 0; i < 500; i++) {
    collections.map.set(`later ${i}`, { later: i });
    arraysAndObjects.accounts.push(new SavingsAccount({ later: i }));
    arraysAndObjects.dictionary[`later ${i}`] = { later: i };
  }
  for (const [key] of [...collections.map].slice(0, 100)) collections.map.delete(key);
  functions.closures.length = 40;
  arraysAndObjects.chain = null;
  waiting.emitter.removeAllListeners();
  for (const key of collections.keys.splice(0, 50)) collections.set.delete(key);
}
