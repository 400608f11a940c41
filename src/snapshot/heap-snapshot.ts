import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { CrucibleMemoryError } from '../errors.js';
import { loadCore, type NativeHeapSnapshot } from '../native.js';
import type {
  ClassAnswer,
  CollectionAnswer,
  NodeAnswer,
  NodeDetailAnswer,
  OverviewAnswer,
  SnapshotAnswer,
} from './answers.js';
import { type FollowOptions, follow } from './following.js';
import { fed, type HeapSource, openSource } from './heap-source.js';
import { inOrder, located, type Retained, retained } from './retained.js';
import { type Located, SourceLocations } from './source-locations.js';

export interface HeapOptions extends FollowOptions {
  /** Analyse what can be read of a damaged file; `missing` says what could not. */
  salvage?: boolean | undefined;
  /** Default: as many as the machine has cores, at most 8. */
  threads?: number | undefined;
  /** The contents of strings appear as length and keyed hash in every answer. */
  redact?: boolean | undefined;
}

/** A class of one heap. */
export type HeapClass = Omit<ClassAnswer, 'place'> & Located;
/** An object of one heap. `location` is its constructor's, or the closure's own. */
export type HeapNode = Omit<NodeAnswer, 'place'> & Located;
/** What is in a heap: OverviewAnswer with places in the source and paths to read. */
export interface HeapOverview
  extends Omit<OverviewAnswer, 'classes' | 'retainers' | 'objects' | 'collections'> {
  classes: HeapClass[];
  retainers: (HeapNode & Retained)[];
  objects: HeapNode[];
  collections: (Omit<CollectionAnswer, 'path'> & Retained)[];
}

/** One object with everything around it: NodeDetailAnswer with places in the source. */
export interface HeapNodeDetail
  extends Omit<NodeDetailAnswer, 'node' | 'dominator' | 'shortestPath' | 'distinctPaths' | 'allocationStack'>,
    Retained {
  node: HeapNode;
  dominator: HeapNode | null;
  distinctPaths: Retained[];
  allocationStack: ({ functionName: string } & Located)[];
}

/**
 * Reads and analyses a heap snapshot (.heapsnapshot or .heaptimeline, also
 * compressed with gzip) on threads of its own: the event loop stays free.
 * Memory: about as many bytes as the plain file has, half as many again while it is being analysed.
 * @param source a path, or a stream such as process.stdin
 * @throws CrucibleMemoryError SNAPSHOT_* with the byte offset of what is wrong;
 *   INTERRUPTED; ADDON_MISSING
 */
export async function openHeapSnapshot(source: HeapSource, options: HeapOptions = {}): Promise<HeapSnapshot> {
  const core = loadCore();
  const { salvage = false, threads, redact = false, signal } = options;
  const opened = await openSource(core, source, { salvage, signal });
  const task = core.readHeap(opened.native, {
    salvage,
    redact,
    ...(threads !== undefined && { threads }),
  });
  const { result, missing } = await fed([opened], follow(task, options));
  return new HeapSnapshot(result, source, options, missing);
}

/** An analysed heap. Close it, or let it go out of scope with `using`, to have its memory back at once. */
export class HeapSnapshot implements Disposable, AsyncDisposable {
  readonly #native: NativeHeapSnapshot;
  readonly #source: string | Readable;
  readonly #options: HeapOptions;
  readonly #missing: string[];
  readonly #locations = new SourceLocations();

  /** @internal use openHeapSnapshot() */
  constructor(native: NativeHeapSnapshot, source: HeapSource, options: HeapOptions, missing: string[][]) {
    this.#native = native;
    this.#source = source;
    this.#options = options;
    this.#missing = missing.flat();
  }

  /**
   * Totals, the largest classes and objects, the fullest collections, repeated strings.
   * @param options.top rows a list, default 10
   * @param options.entriesMin collections with fewer entries are left out, default 100
   */
  async overview({ top = 10, entriesMin = 100 } = {}): Promise<HeapOverview> {
    const answer = await this.#ask<OverviewAnswer>(this.#native.overview({ top, entriesMin }));
    return overviewOf({ ...answer, snapshot: this.#withMissing(answer.snapshot) }, this.#locations);
  }

  /**
   * One object: sizes, references, who holds it.
   * @param id as reports and DevTools show it behind an `@`
   * @param options.paths retaining paths that share no object, at most; default 5
   * @param options.fields references to list each way, at most; default 20
   * @throws UNKNOWN_NODE
   */
  async node(id: number, { paths = 5, fields = 20 } = {}): Promise<HeapNodeDetail> {
    const answer = await this.#ask<NodeDetailAnswer>(this.#native.node({ id, paths, fields }));
    return detailOf(answer, this.#locations);
  }

  /**
   * `id,type,name,self_bytes,retained_bytes,dominator_id,distance` of every node as CSV, mode 0600.
   * @throws OUTPUT_UNWRITABLE
   */
  async writeNodes(path: string): Promise<void> {
    await follow(this.#native.writeNodes({ path: resolve(path) }), this.#options);
  }

  /**
   * The same snapshot with the contents of its strings replaced by length and
   * hash, mode 0600: to be shared. The source is read once more.
   * @throws OUTPUT_UNWRITABLE; USAGE for a stream, which can be read only once
   */
  async writeRedacted(path: string): Promise<void> {
    if (typeof this.#source !== 'string') {
      throw new CrucibleMemoryError('USAGE', {
        what: 'a snapshot that came through a stream cannot be written again',
        why: 'its bytes are gone once they are analysed',
        fix: 'save the snapshot to a file and give its path',
      });
    }
    const { salvage = false, signal } = this.#options;
    const from = await openSource(loadCore(), this.#source, { salvage, signal });
    const task = this.#native.writeRedacted({ path: resolve(path), from: from.native });
    await fed([from], follow(task, this.#options));
  }

  /** Gives the memory back. Questions that are being answered are answered first. */
  close(): void {
    this.#native.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  async #ask<Answer>(task: ReturnType<NativeHeapSnapshot['overview']>): Promise<Answer> {
    return JSON.parse(await follow(task, this.#options)) as Answer;
  }

  #withMissing(snapshot: SnapshotAnswer): SnapshotAnswer {
    return { ...snapshot, missing: [...this.#missing, ...snapshot.missing] };
  }
}

/** The native engine's answer in the form that is given out. */
export async function overviewOf(
  answer: OverviewAnswer,
  locations: SourceLocations = new SourceLocations(),
): Promise<HeapOverview> {
  return {
    ...answer,
    classes: await inOrder(answer.classes, (row) => located(row, locations)),
    objects: await inOrder(answer.objects, (row) => located(row, locations)),
    retainers: await inOrder(answer.retainers, async (row) => ({
      ...(await located(row, locations)),
      ...(await retained(row.path, locations)),
    })),
    collections: await inOrder(answer.collections, async (row) => ({
      ...row,
      ...(await retained(row.path, locations)),
    })),
  };
}

/** The native engine's answer in the form that is given out. */
export async function detailOf(
  { shortestPath, ...answer }: NodeDetailAnswer,
  locations: SourceLocations = new SourceLocations(),
): Promise<HeapNodeDetail> {
  return {
    ...answer,
    node: await located(answer.node, locations),
    dominator: answer.dominator && (await located(answer.dominator, locations)),
    ...(await retained(shortestPath, locations)),
    distinctPaths: await inOrder(answer.distinctPaths, (steps) => retained(steps, locations)),
    allocationStack: await inOrder(answer.allocationStack, (frame) => located(frame, locations)),
  };
}
