import type { Suspect } from '../diagnosis/index.js';

/** What is known of something that grows, by the names in it. */
export interface Traits {
  /** As a person would write it, with every reference of the way to it behind it. */
  path: string;
  holderClass: string | null;
  entryClass: string | null;
  /** Of the bytes that it gained, what lies outside the V8 heap, 0 to 1. */
  externalShare: number;
}

/** A leak that has a name, and what helps against it. */
export interface KnownPattern {
  kind: Suspect['kind'];
  /** As part of a sentence. */
  name: string;
  matches(traits: Traits): boolean;
  /** What to do, in the imperative. */
  advice: string;
}

/** Classes whose objects stand for something that native code holds, by what they are commonly called. */
export const NATIVE_HANDLES =
  /(Statement|Cursor|Database|Handle|Wrap|Tensor|Model|InferenceSession|Transaction|Worker|MessagePort)(Sync)?$/;

const holderIs = (words: RegExp) => (traits: Traits) => words.test(traits.holderClass ?? '');
const entryIs = (words: RegExp) => (traits: Traits) => words.test(traits.entryClass ?? '');
const pathHas = (words: RegExp) => (traits: Traits) => words.test(traits.path);
const any =
  (...tests: ((traits: Traits) => boolean)[]) =>
  (traits: Traits) =>
    tests.some((test) => test(traits));

/**
 * The leaks that have a name, the particular before the general: the first that matches is the one.
 * They are told by the names that V8 and Node.js themselves give, so a program need not know of us.
 */
export const KNOWN_PATTERNS: readonly KnownPattern[] = [
  {
    kind: 'timers',
    name: 'timers that are not cleared',
    matches: any(
      entryIs(/^(Timeout|Immediate|Interval)$/),
      pathHas(/timerListMap|timerListQueue|immediateQueue/),
    ),
    advice: 'clear each timer when what it waits for is done, and set no long one per operation',
  },
  {
    kind: 'listeners',
    name: 'listeners on an AbortSignal or EventTarget that lives on',
    matches: any(entryIs(/^(Listener|WeakListener)$/), pathHas(/kEvents|kDependantSignals|kSourceSignals/)),
    advice:
      'remove each listener when its operation ends, or give every operation a signal of its own ({ once: true } removes it only when it fires)',
  },
  {
    kind: 'listeners',
    name: 'listeners on an emitter that lives on',
    matches: pathHas(/\._events\b|\["_events"\]/),
    advice:
      'remove each listener when its operation ends (off), or register it once outside of the operation',
  },
  {
    kind: 'promises',
    name: 'reactions on a promise that is not settled',
    matches: any(
      holderIs(/^Promise$/),
      entryIs(/^PromiseReaction$/),
      (traits) => traits.entryClass === 'Promise' && !/^(Map|Set|Array)$/.test(traits.holderClass ?? ''),
      pathHas(/reactions_or_result/),
    ),
    advice:
      'settle the promise, or do not race or await one promise that outlives all operations: Promise.race leaves a reaction on it each time',
  },
  {
    kind: 'contexts',
    name: 'contexts of node:vm that stay reachable',
    matches: any(entryIs(/contextify:context|NativeContext|^Context$/), pathHas(/contextify/)),
    advice:
      'keep no reference to a context, its global object or a function of it; run scripts in one context if they may share it',
  },
  {
    kind: 'contexts',
    name: 'modules or scripts that are compiled again and again',
    matches: any(
      entryIs(/^(ModuleWrap|ModuleJob|SourceTextModule|Module|Script|ContextifyScript|CompiledFunction)$/),
      pathHas(/\.loadCache|require\.cache|Module\._cache|wasm::NativeModule/),
    ),
    advice: 'compile once and reuse; imports of ever new URLs and cleared require caches are never freed',
  },
  {
    kind: 'external',
    name: 'WebAssembly memory, which never shrinks',
    matches: any(entryIs(/^WebAssembly\.|^(Memory|Instance)$/), pathHas(/WebAssembly/)),
    advice: 'use one instance again instead of a new one per operation: its memory can only grow',
  },
  {
    kind: 'strings',
    name: 'small slices that keep large strings alive',
    matches: entryIs(/^\(sliced string\)$/),
    advice:
      'copy the slice before it is kept, with Buffer.from(text).toString() or JSON.parse(JSON.stringify(text))',
  },
  {
    kind: 'array-buffers',
    name: 'buffers that are kept',
    matches: (traits) =>
      /Buffer|^(Uint|Int|Float|BigInt|BigUint)\d+(Clamped)?Array$|TypedArray|DataView|JSArrayBufferData/.test(
        traits.entryClass ?? '',
      ) || traits.externalShare > 0.7,
    advice:
      'let go of each buffer when it was used, and copy what is kept of it: a slice keeps the whole buffer',
  },
  {
    kind: 'objects',
    name: 'sessions, sockets or streams that nothing closes',
    matches: entryIs(
      /(Session|Socket|Stream|Connection|Request|Response|IncomingMessage|Readable|Writable|Transport|Transform)$/,
    ),
    advice:
      'close or destroy each when its operation ends, also when it fails, and delete it from what lists it',
  },
  {
    kind: 'objects',
    name: 'handles of native code that nothing closes',
    matches: entryIs(NATIVE_HANDLES),
    advice:
      'finalize, close or dispose each when its operation ends: what native code holds for it is not on the heap',
  },
  {
    kind: 'objects',
    name: 'objects that wait for finalizers',
    matches: any(entryIs(/^(FinalizationRegistry|WeakCell|WeakRef)$/), pathHas(/FinalizationRegistry/)),
    advice: 'unregister what is released by hand, and let no callback hold what it waits for',
  },
  {
    kind: 'closures',
    name: 'functions that are kept with all that they see',
    matches: any(entryIs(/^(Function|system \/ Context|Generator|AsyncFunction)$/)),
    advice: 'do not keep a function per operation, or let its scope hold only what it needs',
  },
  {
    kind: 'collection',
    name: 'a Map or Set without a bound',
    matches: holderIs(/^(Map|Set|WeakMap)$/),
    advice: 'delete entries when their work is done, or bound it (least recently used, time to live)',
  },
  {
    kind: 'collection',
    name: 'an array that only grows',
    matches: holderIs(/^Array$/),
    advice: 'take entries out again, or keep only the last ones',
  },
  {
    kind: 'collection',
    name: 'an object that is used as a cache without a bound',
    matches: (traits) =>
      holderIs(/^Object$|^\{/)(traits) || /\.[^.]*(cache|registry|index|byKey|map)s?$/i.test(traits.path),
    advice: 'delete keys when their work is done, or use a cache with a bound',
  },
  {
    kind: 'strings',
    name: 'strings that are kept',
    matches: entryIs(/^\((concatenated )?string\)$/),
    advice: 'look for what keeps a text per operation, and bound it',
  },
];

/** When no pattern fits. */
const UNKNOWN: KnownPattern = {
  kind: 'objects',
  name: 'objects that stay reachable',
  matches: () => true,
  advice: 'let go of what each operation adds there',
};

/** The pattern's name and advice; what lies in a collection is one for whoever sorts by kind. */
export function knownPattern(traits: Traits): Pick<KnownPattern, 'kind' | 'name' | 'advice'> {
  const { kind, name, advice } = KNOWN_PATTERNS.find(({ matches }) => matches(traits)) ?? UNKNOWN;
  const isCollected = kind === 'objects' && /^(Map|Set|Array|Object)$|^\{/.test(traits.holderClass ?? '');
  return { kind: isCollected ? 'collection' : kind, name, advice };
}
