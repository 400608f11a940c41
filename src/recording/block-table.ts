/** Blocks of one stream, each directly behind the one before it, to be reduced to one. */
export interface BlockRun {
  blocks: number[];
  stream: number;
  sequence: number;
  covered: number;
  level: number;
}

interface Use {
  stream: number;
  sequence: number;
  covered: number;
  level: number;
  state: 'free' | 'open' | 'sealed' | 'reducing' | 'kept';
}

const RUN_MAX = 8;

/**
 * Which block of a file is what, and which ones are to be reduced next when there may be no more of them.
 * native/recording/block_table.h says how that is decided.
 */
export class BlockTable {
  readonly #blocksMax: number;
  readonly #uses: Use[] = [];

  /** @param blocksMax how many the file may have; Infinity: any number */
  constructor(blocksMax: number) {
    this.#blocksMax = blocksMax;
  }

  /** Blocks of the file so far, free ones included. */
  get count(): number {
    return this.#uses.length;
  }

  /** A block for a stream; undefined while the last one has to be kept for a reduction. */
  take(claim: { stream: number; sequence: number; isReducible: boolean }): number | undefined {
    const { stream, sequence, isReducible } = claim;
    if (this.#left() <= 1) return undefined;
    return this.#takeAny({ stream, sequence, covered: 1, level: 0, state: isReducible ? 'open' : 'kept' });
  }

  /** The block that a run is to be reduced into. */
  takeFor({ stream, sequence, covered, level }: BlockRun): number | undefined {
    return this.#takeAny({ stream, sequence, covered, level: level + 1, state: 'reducing' });
  }

  giveBack(block: number): void {
    this.#use(block).state = 'free';
  }

  /** Nothing is added to it any more. */
  sealed(block: number): void {
    const use = this.#use(block);
    if (use.state === 'open') use.state = 'sealed';
  }

  /** What to reduce next, so many blocks at most; nobody else gets them until finished() or giveUp(). */
  nextRun(blocksMax = RUN_MAX): BlockRun | undefined {
    const run = this.#bestRun(blocksMax, true) ?? this.#bestRun(blocksMax, false);
    for (const block of run?.blocks ?? []) this.#use(block).state = 'reducing';
    return run;
  }

  #bestRun(blocksMax: number, isOfOneLevel: boolean): BlockRun | undefined {
    const sealed = [...this.#uses.keys()].filter((block) => this.#use(block).state === 'sealed');
    const byLevelAndStream = new Map<string, number[]>();
    for (const block of sealed) {
      const { level, stream } = this.#use(block);
      const key = `${isOfOneLevel ? level : 0} ${stream}`;
      byLevelAndStream.set(key, [...(byLevelAndStream.get(key) ?? []), block]);
    }
    const candidates = [...byLevelAndStream.values()].flatMap((blocks) => {
      blocks.sort((a, b) => this.#use(a).sequence - this.#use(b).sequence);
      const run = this.#firstRun(blocks, blocksMax);
      const level = isOfOneLevel ? (run?.level ?? 0) : 0;
      return run === undefined ? [] : [{ run, level, blocks: blocks.length }];
    });
    candidates.sort((a, b) => b.blocks - a.blocks || a.level - b.level || a.run.stream - b.run.stream);
    return candidates[0]?.run;
  }

  /** The first two or more that lie directly behind each other. */
  #firstRun(blocks: readonly number[], blocksMax: number): BlockRun | undefined {
    let run: BlockRun | undefined;
    for (const block of blocks) {
      const { stream, sequence, covered, level } = this.#use(block);
      const isBehind = run !== undefined && sequence === run.sequence + run.covered;
      if (run === undefined || (!isBehind && run.blocks.length < 2)) {
        run = { blocks: [block], stream, sequence, covered, level };
      } else if (isBehind && run.blocks.length < blocksMax) {
        run.blocks.push(block);
        run.covered += covered;
        run.level = Math.max(run.level, level);
      }
    }
    return run !== undefined && run.blocks.length >= 2 ? run : undefined;
  }

  /** They are in `reduced` now, and free. */
  finished(run: BlockRun, reduced: number): void {
    for (const block of run.blocks) this.giveBack(block);
    this.#use(reduced).state = 'sealed';
  }

  /** They were not reduced. @param keepsFirst it is not tried again */
  giveUp({ blocks }: BlockRun, keepsFirst: boolean): void {
    for (const block of blocks) this.#use(block).state = 'sealed';
    if (keepsFirst) this.#use(blocks[0] as number).state = 'kept';
  }

  #left(): number {
    return this.#blocksMax - this.count + this.#uses.filter(({ state }) => state === 'free').length;
  }

  #takeAny(use: Use): number | undefined {
    const free = this.#uses.findIndex(({ state }) => state === 'free');
    if (free >= 0) {
      this.#uses[free] = use;
      return free;
    }
    if (this.count >= this.#blocksMax) return undefined;
    return this.#uses.push(use) - 1;
  }

  #use(block: number): Use {
    return this.#uses[block] as Use;
  }
}
