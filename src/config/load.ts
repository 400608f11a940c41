import { resolve } from 'node:path';
import { suggestion } from '../nearest-name.js';
import { checkLayer } from './check.js';
import { discoverConfigFile, readConfigFile } from './config-file.js';
import { environmentLayer } from './environment.js';
import { type FlagSetting, flagLayer } from './flags.js';
import { type ConfigLayer, isRecord, overlay } from './layer.js';
import { ConfigError, type ConfigProblem } from './problem.js';
import { DEFAULT_PROFILE, PROFILE_NAMES, PROFILES, type ProfileName } from './profiles.js';
import { type MemoryTestConfig, MemoryTestConfigSchema } from './schema.js';
import { ENVIRONMENT_PREFIX } from './settings.js';

export interface LoadConfigOptions {
  /** Before the profile that the environment or the file names. Default: `smoke`. */
  profile?: string;
  /** Path of the file. Default: `crucible-memory.config.*` of the working folder, if there is one. */
  file?: string;
  /** Settings of the command line. */
  flags?: readonly FlagSetting[];
  /** Default: process.env */
  env?: NodeJS.ProcessEnv;
  /** Working folder. Default: process.cwd() */
  directory?: string;
}

export interface LoadedConfig {
  config: MemoryTestConfig;
  profile: ProfileName;
  /** What was read, weakest first: `profile smoke`, `crucible-memory.config.ts`, ... */
  sources: string[];
}

/** Overrides the profile that a file names. */
const PROFILE_VARIABLE = `${ENVIRONMENT_PREFIX}PROFILE`;

/**
 * The configuration of a run: defaults < profile < file < environment < flags.
 * @throws ConfigError with every problem of every source; CONFIG_UNREADABLE
 */
export async function loadConfig(options: LoadConfigOptions = {}): Promise<LoadedConfig> {
  const { env = process.env, directory = process.cwd(), flags = [] } = options;
  const problems: ConfigProblem[] = [];

  const path = options.file === undefined ? discoverConfigFile(directory) : resolve(directory, options.file);
  const file = path === undefined ? undefined : takeProfile(await readConfigFile(path, directory), problems);
  const profile = chooseProfile(options.profile, env[PROFILE_VARIABLE], file?.profile, problems);

  const layers = [file?.layer, environmentLayer(env, problems), flagLayer(flags, problems)].filter(
    (layer) => layer !== undefined,
  );
  let merged: Record<string, unknown> = { ...PROFILES[profile].overlay };
  for (const layer of layers) {
    const checked = checkLayer(layer);
    problems.push(...checked.problems);
    merged = overlay(merged, checked.value);
  }
  if (problems.length > 0) {
    throw new ConfigError(
      problems,
      'correct what is listed; `crucible-memory run --help-config` shows every setting',
    );
  }
  return {
    config: MemoryTestConfigSchema.parse(merged),
    profile,
    sources: [`profile ${profile}`, ...layers.map((layer) => layer.label)],
  };
}

/** A file may name its profile beside the settings; the schema does not know that key. */
function takeProfile(
  layer: ConfigLayer,
  problems: ConfigProblem[],
): { layer: ConfigLayer; profile?: ProfileName } {
  if (!isRecord(layer.value) || !('profile' in layer.value)) return { layer };
  const { profile, ...settings } = layer.value;
  const rest = { ...layer, value: settings };
  if (isProfileName(profile)) return { layer: rest, profile };
  problems.push(unknownProfile(profile, layer.where(['profile'], 'value')));
  return { layer: rest };
}

function chooseProfile(
  option: string | undefined,
  variable: string | undefined,
  ofFile: ProfileName | undefined,
  problems: ConfigProblem[],
): ProfileName {
  const [given, where] =
    option === undefined ? [variable || undefined, PROFILE_VARIABLE] : [option, '--profile'];
  if (given === undefined) return ofFile ?? DEFAULT_PROFILE;
  if (isProfileName(given)) return given;
  problems.push(unknownProfile(given, where));
  return DEFAULT_PROFILE;
}

function isProfileName(name: unknown): name is ProfileName {
  return typeof name === 'string' && Object.hasOwn(PROFILES, name);
}

function unknownProfile(given: unknown, where: string): ConfigProblem {
  const message = `unknown profile ${JSON.stringify(given)}; ${suggestion(String(given), PROFILE_NAMES)}`;
  return { where, setting: '', message };
}
