import { CrucibleMemoryError } from '../errors.js';
import { plainName, suggestion } from '../nearest-name.js';
import { SERVICE_TYPES, type ServiceType, TEST_SCENARIOS, type TestScenario } from '../vocabulary.js';

/** Names as people type them: any case, with dashes, or only as much as is unique. */

/** In the order of the vocabulary, each once. @throws UNKNOWN_NAME */
export function servicesNamed(given: readonly string[]): ServiceType[] {
  const named = given.map((name) => nameIn(SERVICE_TYPES, name, 'service'));
  return SERVICE_TYPES.filter((service) => named.includes(service));
}

/** In the order of the vocabulary, each once. @throws UNKNOWN_NAME */
export function scenariosNamed(given: readonly string[]): TestScenario[] {
  const named = given.map((name) => nameIn(TEST_SCENARIOS, name, 'scenario'));
  return TEST_SCENARIOS.filter((scenario) => named.includes(scenario));
}

/** The service of exactly this name, in any spelling; undefined when there is none. */
export function serviceCalled(name: string): ServiceType | undefined {
  return SERVICE_TYPES.find((service) => plainName(service) === plainName(name));
}

function nameIn<Name extends string>(names: readonly Name[], given: string, kind: string): Name {
  const plain = plainName(given);
  const exact = names.find((name) => plainName(name) === plain);
  if (exact !== undefined) return exact;
  const beginning = plain === '' ? [] : names.filter((name) => plainName(name).startsWith(plain));
  if (beginning.length === 1 && beginning[0] !== undefined) return beginning[0];
  throw new CrucibleMemoryError('UNKNOWN_NAME', {
    what: `there is no ${kind} "${given}"`,
    why: beginning.length > 1 ? `it could be ${beginning.join(' or ')}` : suggestion(given, names),
    fix: `name one of ${names.join(', ')}; \`crucible-memory run --list\` shows them all`,
  });
}
