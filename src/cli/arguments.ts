import { InvalidArgumentError } from 'commander';
import { type FlagSetting, parseQuantity } from '../config/index.js';
import { suggestion } from '../nearest-name.js';

/** The options of `run` as commander hands them over. */
export interface RunArguments {
  service?: string[];
  scenario?: string[];
  inject?: string;
  profile?: string;
  config?: string;
  output?: string;
  format: 'text' | 'json';
  operations?: string;
  duration?: string;
  concurrency?: string;
  rate?: string;
  /** true: given without a word. */
  stopEarly?: string | true;
  set?: string[];
  diagnose?: boolean;
  color?: boolean;
  quiet?: boolean;
  list?: boolean;
  helpConfig?: boolean;
}

/** For options that may be repeated and take several names, also separated by commas. */
export function collectNames(given: string, before: string[] = []): string[] {
  return [...before, ...given.split(',').filter((name) => name !== '')];
}

/** For options that may be repeated. */
export function collect(given: string, before: string[] = []): string[] {
  return [...before, given];
}

/** For an option that names one thing, and would silently forget the first if it were given twice. */
export function once(given: string, before: string | undefined): string {
  if (before !== undefined) throw new InvalidArgumentError(`There is "${before}" already: one at a time.`);
  return given;
}

/** One of a few words, with the nearest one when it is none of them. */
export function oneOf<Choice extends string>(choices: readonly Choice[]): (given: string) => Choice {
  return (given) => {
    const choice = choices.find((candidate) => candidate === given);
    if (choice === undefined) throw new InvalidArgumentError(sentence(suggestion(given, choices)));
    return choice;
  };
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A duration in seconds, as a bare number or with its unit. Checked here, because it stands for three settings. */
export function duration(given: string): string {
  const isNumber = /^\d+(\.\d+)?$/.test(given) && Number(given) > 0;
  if (!isNumber && !parseQuantity(given, 'seconds'))
    throw new InvalidArgumentError('Expected a time such as 30s, 5m or 8h.');
  return given;
}

/** The options that are settings of the configuration, under the names they have there. */
export function flagSettings(
  given: Omit<RunArguments, 'format' | 'scenario'>,
  outputDirectory: string | undefined,
): FlagSetting[] {
  const settings = [
    ...settingOf('loadTesting.maxOperations', '--operations', given.operations),
    ...settingOf('loadTesting.concurrentOperations', '--concurrency', given.concurrency),
    ...settingOf('loadTesting.operationsPerSecond', '--rate', given.rate),
    // How long a scenario lasts is one of these three.
    ...settingOf('testDurations.shortTestSeconds', '--duration', given.duration),
    ...settingOf('testDurations.mediumTestSeconds', '--duration', given.duration),
    ...settingOf('testDurations.longTestSeconds', '--duration', given.duration),
    ...settingOf(
      'testDurations.stopEarly',
      '--stop-early',
      given.stopEarly === true ? 'leak' : given.stopEarly,
    ),
    ...settingOf('leakDetection.diagnose', '--no-diagnose', given.diagnose === false ? 'false' : undefined),
    ...(given.set ?? []).map(assignment),
  ];
  if (outputDirectory === undefined) return settings;
  return [...settings, ...settingOf('reporting.outputDirectory', '--output', outputDirectory)];
}

function settingOf(name: string, option: string, text: string | undefined): FlagSetting[] {
  return text === undefined ? [] : [{ name, text, flag: `${option} ${text}` }];
}

function assignment(given: string): FlagSetting {
  const [name = '', ...rest] = given.split('=');
  return { name: name.trim(), text: rest.join('=').trim(), flag: `--set ${given}` };
}
