/** What a part of the bench has found: one line of the table. */
export interface Finding {
  part: string;
  what: string;
  measured: string;
  /** What it is held to; absent for peers and other figures to compare with. */
  goal?: string;
  /** Undefined where there is no goal, or where the machine was too noisy to say. */
  isMet?: boolean | undefined;
}

/** How much to measure. */
export interface Effort {
  /** Of what is measured in turns. */
  rounds: number;
  seconds: number;
  /** How often programs run out of memory and grow; a fifth of how often they are killed and forked from. */
  runs: number;
  /** Majors of Node that are forked from. */
  nodes: string[];
  /** Until a contender is given up on. */
  giveUpSeconds: number;
}

export type Part = (effort: Effort, say: (line: string) => void) => Promise<Finding[]>;

export const percent = (share: number, digits = 2) => `${(100 * share).toFixed(digits)} %`;
export const ms = (value: number) => `${value.toFixed(value < 10 ? 2 : 0)} ms`;

/** At a share of the sorted numbers, 0.5 being the median; NaN of none. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
