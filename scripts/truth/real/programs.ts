import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { createDeflateRaw, deflateSync } from 'node:zlib';
import type { LeakPatternType } from '../../../src/diagnosis/index.js';

/**
 * Small programs that do what services do, of which it is known whether they
 * leak. An operation gets its number and the share of the run that is over.
 */
export interface Program {
  /** Undefined: clean. */
  pattern?: LeakPatternType;
  make: () => (i: number, x: number) => unknown;
}

const text = (length: number, i: number) => Buffer.alloc(length, 97 + (i % 26)).toString('latin1');
const record = (i: number) => ({ id: i, name: `name ${i}`, tags: [i, i + 1, i + 2], at: { day: i % 7 } });
const records = (count: number, i: number) => Array.from({ length: count }, (_, k) => record(i * count + k));

/** A map that forgets its oldest entry beyond so many. */
function bounded(most: number, made: (i: number) => unknown, keys: number) {
  const kept = new Map<number, unknown>();
  return (i: number) => {
    const key = (i * 7919) % keys;
    if (!kept.has(key)) kept.set(key, made(i));
    if (kept.size > most) kept.delete(kept.keys().next().value as number);
    return kept.get(key);
  };
}

/** Keeps what is made at each of these shares of the run. */
function atTimes(times: number[], make: (k: number) => unknown) {
  const kept: unknown[] = [];
  return (_: number, x: number) => {
    while (kept.length < times.length && x >= (times[kept.length] as number)) kept.push(make(kept.length));
    return JSON.stringify(records(5, kept.length));
  };
}

const evenly = (count: number) => Array.from({ length: count }, (_, k) => (k + 0.5) / count);

export const CLEAN: Record<string, Program['make']> = {
  churn: () => (i) => records(40, i).length,
  json: () => (i) => JSON.parse(JSON.stringify(records(20, i))),
  'cache early': () => bounded(400, (i) => text(8000, i), 100_000),
  'cache late': () => bounded(2800, (i) => text(6000, i), 100_000),
  'cache objects': () => bounded(1500, (i) => records(12, i), 100_000),
  'cache repeating keys': () => bounded(900, (i) => text(9000, i), 900),
  'cache buffers': () => bounded(500, (i) => Buffer.alloc(20_000, i), 100_000),
  'cache with expiry': () => {
    const kept = new Map<number, unknown>();
    return (i) => {
      kept.set(i, text(4000, i));
      kept.delete(i - 600);
    };
  },
  'cache cleared': () => {
    let kept: unknown[] = [];
    return (i) => {
      kept.push(text(5000, i));
      if (kept.length > 450) kept = [];
    };
  },
  'weak references': () => {
    const kept = new Map<number, WeakRef<object>>();
    return (i) => {
      kept.set(i, new WeakRef(record(i)));
      kept.delete(i - 500);
    };
  },
  'compiled code': () => {
    const functions = Array.from(
      { length: 600 },
      (_, k) =>
        new Function('x', `let s = ${k}; for (let i = 0; i < x % 90; i++) s += i * ${k}; return [s, x];`),
    );
    return (i) => {
      for (let k = 0; k < 15; k++) functions[(i * 15 + k) % 600]?.(i);
    };
  },
  'lazy start': () => {
    const loaded = new Map<number, unknown>();
    return (i, x) => {
      const part = Math.floor(Math.min(x, 0.3) * 100);
      if (!loaded.has(part)) loaded.set(part, records(1500, part));
      return record(i);
    };
  },
  'one step': () => atTimes([0.45], (k) => records(40_000, k)),
  'two steps': () => atTimes([0.2, 0.55], (k) => records(25_000, k)),
  'buffer pool': () => {
    const pool = Array.from({ length: 64 }, () => Buffer.alloc(64 * 1024));
    return (i) => pool[i % 64]?.fill(i % 256);
  },
  'buffer churn': () => (i) => Buffer.alloc(30_000 + (i % 50) * 3000, i).length,
  fragments: () => {
    const kept: Buffer[] = [];
    return (i) => {
      const buffer = Buffer.allocUnsafeSlow(500 + ((i * 7919) % 60_000)).fill(i);
      kept[(i * 104_729) % 700] = buffer;
    };
  },
  compression: () => (i) => deflateSync(Buffer.alloc(20_000, i)).length,
  hashing: () => (i) => createHash('sha256').update(text(20_000, i)).digest('hex'),
  'listeners removed': () => {
    const emitter = new EventEmitter();
    return (i) => {
      const held = records(10, i);
      const listener = () => held.length;
      emitter.on('event', listener);
      emitter.emit('event');
      emitter.off('event', listener);
    };
  },
  'timers that end': () => (i) => {
    const held = records(10, i);
    setTimeout(() => held.length, 200 + (i % 300));
  },
  'load that swings': () => {
    const busy: unknown[] = [];
    return (i, x) => {
      const inFlight = Math.round(150 + 140 * Math.sin(2 * Math.PI * 4 * x));
      busy.push(text(20_000, i));
      while (busy.length > inFlight) busy.shift();
    };
  },
};

export const LEAKING: Record<string, Program> = {
  array: { pattern: 'linear', make: () => keep((i) => records(25, i)) },
  strings: { pattern: 'linear', make: () => keep((i) => text(5000, i)) },
  map: {
    pattern: 'linear',
    make: () => {
      const kept = new Map<string, unknown>();
      return (i) => kept.set(`session ${i}`, { ...record(i), data: text(3000, i) });
    },
  },
  buffers: { pattern: 'linear', make: () => keep((i) => Buffer.alloc(8000, i)) },
  'array buffers': { pattern: 'linear', make: () => keep(() => new ArrayBuffer(6000)) },
  listeners: {
    pattern: 'linear',
    make: () => {
      const emitter = new EventEmitter().setMaxListeners(0);
      return (i) => {
        const held = records(15, i);
        emitter.on('event', () => held.length);
      };
    },
  },
  timers: {
    pattern: 'linear',
    make: () => (i) => {
      const held = text(4000, i);
      setInterval(() => held.length, 3_600_000).unref();
    },
  },
  promises: {
    pattern: 'linear',
    make: () =>
      keep((i) => {
        const held = records(15, i);
        const never = new Promise<void>(() => {});
        never.then(() => held.length);
        return never;
      }),
  },
  errors: {
    pattern: 'linear',
    make: () => keep((i) => Object.assign(new Error(`failure ${i}`), { body: text(4000, i) })),
  },
  'native streams': {
    pattern: 'linear',
    make: () => {
      const deflate = keep(() => createDeflateRaw({ windowBits: 9, memLevel: 1 }));
      return (i) => (i % 8 === 0 ? deflate(i) : undefined);
    },
  },
  slow: { pattern: 'linear', make: () => keep((i) => text(2000, i)) },
  'beside a cache': {
    pattern: 'linear',
    make: () => {
      const cache = bounded(700, (i) => text(10_000, i), 100_000);
      const leak = keep((i) => text(4000, i));
      return (i) => [cache(i), leak(i)];
    },
  },
  'after compiled code': {
    pattern: 'linear',
    make: () => {
      const compiled = CLEAN['compiled code']?.();
      const leak = keep((i) => text(4000, i));
      return (i, x) => [compiled?.(i, x), leak(i)];
    },
  },
  'late onset': {
    pattern: 'linear',
    make: () => {
      const leak = keep((i) => text(10_000, i));
      return (i, x) => (x > 0.45 ? leak(i) : record(i));
    },
  },
  'some operations': {
    pattern: 'linear',
    make: () => {
      const leak = keep((i) => text(30_000, i));
      return (i) => ((i * 7919) % 10 === 0 ? leak(i) : record(i));
    },
  },
  'few steps': { pattern: 'stepped', make: () => atTimes(evenly(4), (k) => records(30_000, k)) },
  'many steps': { pattern: 'stepped', make: () => atTimes(evenly(9), (k) => records(15_000, k)) },
  'steps of buffers': {
    pattern: 'stepped',
    make: () => atTimes(evenly(6), (k) => Buffer.alloc(4_000_000, k)),
  },
  sporadic: {
    pattern: 'sporadic',
    make: () => atTimes([0.06, 0.11, 0.35, 0.4, 0.62, 0.85], (k) => records(20_000, k)),
  },
  'sporadic buffers': {
    pattern: 'sporadic',
    make: () => atTimes([0.15, 0.2, 0.24, 0.55, 0.6, 0.9], (k) => Buffer.alloc(5_000_000, k)),
  },
  exponential: {
    pattern: 'exponential',
    make: () => {
      const kept: unknown[] = [];
      return (i, x) => {
        const wanted = 60 * 2 ** (7 * x);
        while (kept.length < wanted) kept.push(text(4000, i));
      };
    },
  },
  'exponential objects': {
    pattern: 'exponential',
    make: () => {
      const kept: unknown[] = [];
      return (i, x) => {
        const wanted = 40 * 2 ** (8 * x);
        while (kept.length < wanted) kept.push(records(8, i));
      };
    },
  },
  cyclic: {
    pattern: 'cyclic',
    make: () => {
      const leak = keep((i) => text(4000, i));
      const queue: unknown[] = [];
      return (i, x) => {
        const waiting = Math.round(400 + 390 * Math.sin(2 * Math.PI * 6 * x));
        queue.push(text(20_000, i));
        while (queue.length > waiting) queue.shift();
        leak(i);
      };
    },
  },
};

function keep(make: (i: number) => unknown) {
  const kept: unknown[] = [];
  return (i: number) => kept.push(make(i));
}
