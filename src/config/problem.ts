import { CrucibleMemoryError } from '../errors.js';

/** One thing that is wrong with the configuration, and where it stands. */
export interface ConfigProblem {
  /** `crucible-memory.config.yaml:5:10`, `CRUCIBLE_MEMORY_SAMPLING_RATE_HZ` or `--set`. */
  where: string;
  /** The setting's dotted name; empty when the whole source is meant. */
  setting: string;
  /** What was expected, what was found, and the nearest valid name. */
  message: string;
}

/** CONFIG_INVALID with every problem of every source, not only the first. */
export class ConfigError extends CrucibleMemoryError {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], fix: string) {
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
    const sentences = problems.map(sentenceOf);
    super('CONFIG_INVALID', {
      what: `the configuration has ${count}`,
      why:
        problems.length === 1
          ? sentences.join('')
          : sentences.map((sentence) => `\n    ${sentence}`).join(''),
      fix,
    });
    this.problems = problems;
  }
}

function sentenceOf({ where, setting, message }: ConfigProblem): string {
  return [where, setting, message].filter((part) => part !== '').join(': ');
}
