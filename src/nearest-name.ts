import { distance } from 'fastest-levenshtein';

/**
 * The name that a person most likely meant, or undefined when none is near:
 * a far-fetched suggestion is worse than the list of choices.
 * Case, dashes and underscores do not count as differences.
 */
export function nearestName<Name extends string>(given: string, choices: readonly Name[]): Name | undefined {
  const plain = plainName(given);
  const ranked = choices
    .map((choice) => ({ choice, edits: distance(plain, plainName(choice)) }))
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
  const nearest = nearestName(given, choices);
  return nearest === undefined ? `choose from ${choices.join(', ')}` : `did you mean "${nearest}"?`;
}
