/** Published packages of which it is known whether they leak, and how each is driven. */
export interface PackageCase {
  /** Of the target in targets/, and of the case. */
  name: string;
  /** What npm installs, without the version of the package itself. */
  packageName: string;
  /** Beside the package: what it does not bring along. */
  besides?: readonly string[];
  leaking?: Leak;
  /** Versions that do not leak. */
  clean: string;
  operationsPerSecond: number;
}

export interface Leak {
  version: string;
  /** One of these must be named by a suspect: a class, a file, a property. */
  culprit: readonly RegExp[];
  /** Where it is known. */
  reference: string;
  /** Outside what V8 counts: its size shows in resident memory only. */
  isNative?: boolean;
}

export const PACKAGE_CASES: readonly PackageCase[] = [
  {
    name: 'debug',
    packageName: 'debug',
    leaking: {
      version: '4.2.0',
      culprit: [/\binstances\b/, /debug\/src\/common\.js/],
      reference: 'issue 678',
    },
    clean: '4.3.0',
    operationsPerSecond: 1000,
  },
  {
    name: 'undici',
    packageName: 'undici',
    leaking: {
      version: '7.14.0',
      culprit: [/\bPool\b/, /dispatcher\/(agent|pool)[\w-]*\.js/],
      reference: 'issue 4424',
    },
    clean: '7.15.0',
    operationsPerSecond: 60,
  },
  {
    name: 'got',
    packageName: 'got',
    leaking: {
      version: '12.5.2',
      culprit: [/AbortSignal/, /\bRequest\b/, /got\/dist\/source\/core/],
      reference: 'issue 2160',
    },
    clean: '12.5.3',
    operationsPerSecond: 60,
  },
  {
    name: 'winston',
    packageName: 'winston',
    leaking: {
      version: '3.3.3',
      culprit: [/ExceptionHandler/, /exception-handler\.js/, /uncaughtException/],
      reference: 'pull request 1824',
    },
    clean: '3.3.4',
    operationsPerSecond: 200,
  },
  {
    name: 'micromatch',
    packageName: 'micromatch',
    leaking: {
      version: '3.1.10',
      culprit: [
        /regex-cache|fragment-cache|map-cache|to-regex/,
        /micromatch\/(index|lib\/cache)\.js/,
        /\bcaches\b/,
      ],
      reference: 'rewritten in 4.0 without caches',
    },
    clean: '4.0.8',
    operationsPerSecond: 100,
  },
  {
    name: 'repeater',
    packageName: '@repeaterjs/repeater',
    leaking: {
      version: '3.0.1',
      culprit: [/PromiseReaction/, /repeater\.(esm|cjs)\.js/],
      reference: 'issue 65',
    },
    clean: '3.0.4',
    operationsPerSecond: 500,
  },
  {
    name: 'opentelemetry',
    packageName: '@opentelemetry/sdk-metrics',
    leaking: {
      version: '1.17.0',
      culprit: [/_unreportedAccumulations/, /TemporalMetricProcessor/, /AttributeHashMap/],
      reference: 'issue 4115',
    },
    clean: '1.17.1',
    operationsPerSecond: 500,
  },
  {
    name: 'ioredis',
    packageName: 'ioredis',
    leaking: {
      version: '4.27.0',
      culprit: [/\bTimeout\b|TimersList/, /ioredis\/built\/(redis\/index|command)\.js/],
      reference: 'pull request 1336',
    },
    clean: '4.27.1',
    operationsPerSecond: 500,
  },
  {
    name: 'mcp',
    packageName: '@modelcontextprotocol/sdk',
    leaking: {
      version: '1.30.0',
      culprit: [/_streamMapping/, /[sS]treamableH(ttp|TTP)/],
      reference: 'issue 2559',
    },
    clean: '1.24.3',
    operationsPerSecond: 60,
  },
  {
    name: 'snappy',
    packageName: 'snappy',
    leaking: { version: '7.2.0', culprit: [/\bBuffer\b|ArrayBuffer/, /snappy/], reference: 'issue 99' },
    clean: '7.2.1',
    operationsPerSecond: 500,
  },
  {
    name: 'leveldown',
    packageName: 'leveldown',
    leaking: { version: '6.1.0', culprit: [/leveldown/], reference: 'issue 804', isNative: true },
    clean: '6.1.1',
    operationsPerSecond: 300,
  },
  {
    name: 'crc32',
    packageName: '@node-rs/crc32',
    leaking: { version: '1.5.1', culprit: [/crc32/], reference: 'issue 655', isNative: true },
    clean: '1.6.0',
    operationsPerSecond: 500,
  },
  { name: 'lru-cache', packageName: 'lru-cache', clean: '11.5.3', operationsPerSecond: 1000 },
  { name: 'semver', packageName: 'semver', clean: '7.8.6', operationsPerSecond: 500 },
  {
    name: 'babel',
    packageName: '@babel/core',
    besides: ['@babel/preset-env@7.29.14'],
    clean: '7.29.13',
    operationsPerSecond: 30,
  },
  { name: 'luxon', packageName: 'luxon', clean: '3.7.2', operationsPerSecond: 200 },
];
