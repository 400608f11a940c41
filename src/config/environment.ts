import { nearestName } from '../nearest-name.js';
import { type ConfigLayer, nested, overlay } from './layer.js';
import type { ConfigProblem } from './problem.js';
import { allSettings, ENVIRONMENT_PREFIX, findSetting } from './settings.js';

/** Settings from `CRUCIBLE_MEMORY_<SECTION>_<FIELD>`. */

/**
 * Variables that belong to the tests of this package and to its own child
 * processes; the section `testDurations` begins alike and is none of them.
 */
const NOT_SETTINGS = /^CRUCIBLE_MEMORY_(TEST_(?!DURATIONS)|INTERNAL_)/;
/** Read elsewhere. */
const OTHER_VARIABLES = ['CRUCIBLE_MEMORY_PROFILE'];

/**
 * An empty variable counts as unset: that is how CI systems pass on what nobody gave.
 * @returns undefined when no variable is set
 */
export function environmentLayer(env: NodeJS.ProcessEnv, problems: ConfigProblem[]): ConfigLayer | undefined {
  const settings = new Map(allSettings().map((setting) => [setting.environmentName, setting]));
  let value: Record<string, unknown> = {};
  let count = 0;
  for (const [variable, text] of Object.entries(env)) {
    if (!isMeant(variable) || !text) continue;
    const setting = settings.get(variable);
    if (setting) {
      value = overlay(value, nested(setting.path, text));
      count++;
    } else {
      problems.push(unknownVariable(variable, [...settings.keys(), ...OTHER_VARIABLES]));
    }
  }
  if (count === 0) return undefined;
  return {
    label: count === 1 ? '1 environment variable' : `${count} environment variables`,
    value,
    where: (path) => findSetting(path)?.environmentName ?? 'environment',
    textOnly: true,
  };
}

function isMeant(variable: string): boolean {
  return (
    variable.startsWith(ENVIRONMENT_PREFIX) &&
    !OTHER_VARIABLES.includes(variable) &&
    !NOT_SETTINGS.test(variable)
  );
}

function unknownVariable(variable: string, known: readonly string[]): ConfigProblem {
  // Without the prefix, which all of them share: else everything would be near.
  const names = known.map((name) => name.slice(ENVIRONMENT_PREFIX.length));
  const nearest = nearestName(variable.slice(ENVIRONMENT_PREFIX.length), names);
  const advice = nearest === undefined ? 'unset it' : `did you mean ${ENVIRONMENT_PREFIX}${nearest}?`;
  return { where: variable, setting: '', message: `no setting has this variable; ${advice}` };
}
