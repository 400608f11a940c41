import type { LeakDetectionResult } from '../diagnosis/index.js';
import { falseDiscoveryRates } from './false-discovery.js';

/** What is to be said of many series once all were judged. */
export interface FleetConclusion {
  series: number;
  /** Judged to leak, each by itself. */
  leaks: number;
  falseDiscoveryRate: number;
  /** Of those, how many are still named when at most that share of the named may be wrong. */
  confirmed: number;
  /** The others: among so many series, chance may have made them. At most the first hundred. */
  doubtful: string[];
}

const DOUBTFUL_LISTED = 100;

/**
 * The verdicts on a fleet. Each series is judged by itself as it comes; of a
 * thousand clean ones a few are then called leaking by chance. Over all of
 * them the false discovery rate is held down by the procedure of Benjamini and
 * Hochberg, which allows for processes that rise and fall together.
 *
 * Holds a number for each series and a name for each leak, no results.
 */
export class Fleet {
  readonly #falseDiscoveryRate: number;
  readonly #pValues: number[] = [];
  readonly #leaks: { id: string; place: number }[] = [];

  constructor(falseDiscoveryRate: number) {
    this.#falseDiscoveryRate = falseDiscoveryRate;
  }

  /** Series without a verdict for want of data count as clean: they were asked, too. */
  add(id: string, result: LeakDetectionResult): void {
    if (result.leakDetected) this.#leaks.push({ id, place: this.#pValues.length });
    this.#pValues.push(result.pValue ?? 1);
  }

  conclude(): FleetConclusion {
    const rates = falseDiscoveryRates(this.#pValues, 'positive');
    const doubtful = this.#leaks.filter(({ place }) => (rates[place] as number) > this.#falseDiscoveryRate);
    return {
      series: this.#pValues.length,
      leaks: this.#leaks.length,
      falseDiscoveryRate: this.#falseDiscoveryRate,
      confirmed: this.#leaks.length - doubtful.length,
      doubtful: doubtful.slice(0, DOUBTFUL_LISTED).map(({ id }) => id),
    };
  }
}
