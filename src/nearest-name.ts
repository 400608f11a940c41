import { createRequire } from 'node:module';

type EditDistance = typeof import('fastest-levenshtein');

/** Loaded when a name is wrong: every start would wait 10 ms for it otherwise. */
function distance(a: string, b: string): number {
  const { distance: edits } = createRequire(import.meta.url)('fastest-levenshtein') as EditDistance;
  return edits(a, b);
}

/**
 * The name that a person most likely meant, or undefined when none is near:
 * a far-fetched suggestion is worse than the list of choices.
 * Case, dashes and underscores do not count as differences.
 */
export function nearestName<Name extends string>(given: string, choices: readonly Name[]): Name | undefined {
  return nearestBy(given, choices, (plain, choice) => distance(plain, plainName(choice)));
}

/** People shorten names: `idel` means IdleBaseline, `exhustion` ResourceExhaustion. */
function nearestByPart<Name extends string>(given: string, choices: readonly Name[]): Name | undefined {
  if (plainName(given).length < 3) return undefined;
  return nearestBy(given, choices, (plain, choice) => {
    const beginning = plainName(choice).slice(0, plain.length);
    const words = choice.split(/(?=[A-Z])|[-_\s.]/).map(plainName);
    return Math.min(...[beginning, ...words].map((part) => distance(plain, part)));
  });
}

function nearestBy<Name extends string>(
  given: string,
  choices: readonly Name[],
  editsTo: (plain: string, choice: Name) => number,
): Name | undefined {
  const plain = plainName(given);
  const ranked = choices
    .map((choice) => ({ choice, edits: editsTo(plain, choice) }))
    .sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  const editsAllowed = Math.max(2, Math.floor(plain.length * 0.4));
  return best && best.edits <= editsAllowed ? best.choice : undefined;
}

/** Names that differ only in this way are the same to a person: `script-engine`, `ScriptEngine`. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/[-_\s]/g, '');
}

/** @example suggestion('htp', ['http', 'memory']) // 'did you mean "http"?' */
export function suggestion(given: string, choices: readonly string[]): string {
  const nearest = nearestName(given, choices) ?? nearestByPart(given, choices);
  return nearest === undefined ? `choose from ${choices.join(', ')}` : `did you mean "${nearest}"?`;
}
