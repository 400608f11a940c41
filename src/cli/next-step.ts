import { basename, extname } from 'node:path';
import { DEFAULT_PROFILE } from '../config/index.js';
import type { MemoryTestResult, RunReport } from '../diagnosis/index.js';
import { SERVICE_TYPES, TEST_SCENARIOS } from '../vocabulary.js';
import type { RunArguments } from './arguments.js';

/** The one command that tells most after a run. */
export interface NextStep {
  command: string;
  reason: string;
}

/** What the run was asked for; the next one should be asked in the same way. */
export interface Asked {
  targets: readonly string[];
  given: RunArguments;
}

/** Undefined when there is nothing left to ask. */
export function nextStep({ results, interrupted, profile }: RunReport, asked: Asked): NextStep | undefined {
  const [leaking] = results.filter(({ leakDetection }) => leakDetection.leakDetected);
  if (leaking) {
    return {
      command: commandFor([leaking], asked, '--duration 1m'),
      reason: 'the leaking test for longer: a closer figure',
    };
  }
  const failed = results.filter(({ status }) => status === 'failed');
  if (failed.length > 0) {
    return {
      command: commandFor(failed, asked),
      reason: 'what could not be carried out, once its cause is gone',
    };
  }
  if (interrupted || results.length === 0) return undefined;
  const undecided = results.filter(({ leakDetection }) => leakDetection.verdict === 'inconclusive');
  if (undecided.length > 0) {
    return {
      command: commandFor(undecided, asked, longEnough(undecided)),
      reason: 'long enough to judge what was not judged',
    };
  }
  if (profile !== DEFAULT_PROFILE) return undefined;
  return {
    command: commandFor(results, asked, '--profile ci'),
    reason: 'the same for longer: sees slower leaks',
  };
}

/** The shortest command that runs these tests, and as few others as the options allow. */
function commandFor(results: readonly MemoryTestResult[], { targets, given }: Asked, change = ''): string {
  const names = [...new Set(results.map(({ testId }) => testId.slice(0, testId.lastIndexOf('/'))))];
  const services = SERVICE_TYPES.filter((service) => names.includes(service));
  const modules = targets.filter((path) => names.includes(basename(path, extname(path))));
  const scenarios = TEST_SCENARIOS.filter((scenario) =>
    results.some((result) => result.scenario === scenario),
  );
  const allServices = services.length === SERVICE_TYPES.length && modules.length === 0;
  return [
    'crucible-memory run',
    ...modules.map(quoted),
    services.length === 0 || allServices ? '' : `--service ${services.join(',')}`,
    scenarios.length === TEST_SCENARIOS.length ? '' : `--scenario ${scenarios.join(',')}`,
    ...repeated(given, change),
    change,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

/** Options that shape the load or the judgement stay as they were, unless they are what changes. */
function repeated(given: RunArguments, change: string): string[] {
  const options = [
    ['--inject', given.inject],
    ['--profile', given.profile],
    ['--config', given.config],
    ['--rate', given.rate],
    ['--concurrency', given.concurrency],
    ['--duration', change.startsWith('--profile') ? undefined : given.duration],
    ...(given.set ?? []).map((setting) => ['--set', setting] as const),
  ] as const;
  return options.flatMap(([option, text]) =>
    text === undefined || change.startsWith(option) ? [] : [`${option} ${quoted(text)}`],
  );
}

function longEnough(undecided: readonly MemoryTestResult[]): string {
  const seconds = Math.max(...undecided.map(({ leakDetection }) => leakDetection.neededSeconds ?? 0));
  return seconds > 0 ? `--duration ${easilyTyped(seconds)}` : '--profile ci';
}

/** Rounded up. */
export function easilyTyped(seconds: number): string {
  if (seconds <= 90) return `${Math.ceil(seconds / 10) * 10}s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes <= 90 ? `${minutes}m` : `${Math.ceil(minutes / 60)}h`;
}

/** As a POSIX shell takes it. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
