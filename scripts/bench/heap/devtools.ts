import { createReadStream, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { installPeer, peerFolder, peerVersion, ROOT, requirePeer } from '../peer.js';

const PEER = 'chrome-devtools-frontend';

/** What is used of DevTools' JSHeapSnapshot. A node's index is its ordinal times nodeFieldCount. */
export interface DevToolsSnapshot {
  nodeCount: number;
  nodeFieldCount: number;
  nodeIdOffset: number;
  edgeFieldsCount: number;
  rootNodeIndexInternal: number;
  nodes: { getValue(index: number): number };
  containmentEdges: { length: number };
  /** By ordinal, ordinals. */
  dominatorsTree: Uint32Array;
  /** By ordinal. */
  retainedSizes: Float64Array;
  /** By ordinal. */
  nodeDistances: Int32Array;
  createNode(index: number): { className(): string; type(): string; selfSize(): number };
  aggregatesWithFilter(filter: object): Record<string, DevToolsClass>;
  interfaceDefinitions(): string;
  aggregatesForDiff(interfaceDefinitions: string): unknown;
  calculateSnapshotDiff(baseId: number, base: unknown): Record<string, DevToolsDiff>;
}

export interface DevToolsClass {
  name: string;
  count: number;
  /** With backing stores counted to their owners. */
  self: number;
  maxRet: number;
}

/** Of one class. */
export interface DevToolsDiff {
  name: string;
  addedCount: number;
  removedCount: number;
  sizeDelta: number;
  addedIds: number[];
  deletedIds: number[];
}

/** What is used of the modules of DevTools' worker; the toolkit exports the same. */
export interface DevToolsModules {
  HeapSnapshotLoader: {
    HeapSnapshotLoader: new (dispatcher: {
      sendEvent(): void;
    }) => {
      parsingComplete: Promise<void>;
      write(chunk: string): void;
      close(): void;
      buildSnapshot(secondWorker: MessagePort): Promise<DevToolsSnapshot>;
    };
  };
}

/** DevTools reads files in chunks of this size (HeapSnapshotView.ts). */
const CHUNK_BYTES = 10_000_000;

/** Installs and bundles DevTools' worker unless that is done. Returns the bundle, an ES module. */
export async function bundleDevTools(): Promise<string> {
  installPeer(PEER);
  const folder = join(ROOT, 'build', 'bench-heap');
  const bundle = join(folder, `devtools-${peerVersion(PEER)}.mjs`);
  if (existsSync(bundle)) return bundle;
  mkdirSync(folder, { recursive: true });
  const { build } = requirePeer(PEER, 'esbuild') as { build(options: object): Promise<unknown> };
  const worker = 'chrome-devtools-frontend/front_end/entrypoints/heap_snapshot_worker';
  await build({
    stdin: {
      contents: `
        // Node 20 lacks it, and the modules below call it when they run, not when they are loaded.
        Promise.withResolvers ??= function () {
          const parts = {};
          parts.promise = new this((resolve, reject) => Object.assign(parts, { resolve, reject }));
          return parts;
        };
        export { SecondaryInitManager } from '${worker}/HeapSnapshot.ts';
        export * as HeapSnapshotLoader from '${worker}/HeapSnapshotLoader.ts';`,
      resolveDir: peerFolder(PEER),
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    outfile: bundle,
    logLevel: 'error',
    plugins: [{ name: 'devtools', setup: adaptDevTools }],
  });
  return bundle;
}

interface EsbuildPlugin {
  onResolve(on: { filter: RegExp }, resolve: (found: EsbuildImport) => unknown): void;
  onLoad(on: { filter: RegExp; namespace: string }, load: () => { contents: string }): void;
  resolve(path: string, options: object): Promise<{ errors: unknown[] } & Record<string, unknown>>;
}

interface EsbuildImport {
  path: string;
  importer: string;
  resolveDir: string;
  kind: string;
  pluginData?: unknown;
}

/**
 * The package is the source tree without what Chromium's build generates: the
 * list of languages, of which only the texts of the progress bar would be taken.
 * And it does not say that its modules have no side effects: without that the
 * worker would drag a code editor along.
 */
function adaptDevTools(esbuild: EsbuildPlugin): void {
  esbuild.onResolve({ filter: /^\.\/locales\.js$/ }, () => ({
    path: 'locales',
    namespace: 'generated',
    sideEffects: false,
  }));
  esbuild.onLoad({ filter: /.*/, namespace: 'generated' }, () => ({
    contents: `
      export const DEFAULT_LOCALE = 'en-US', LOCALES = ['en-US'], BUNDLED_LOCALES = LOCALES;
      export const LOCAL_FETCH_PATTERN = '', REMOTE_FETCH_PATTERN = '';`,
  }));
  const isAsked = Symbol('asked');
  esbuild.onResolve({ filter: /.*/ }, async ({ path, pluginData, ...found }) => {
    if (pluginData === isAsked || found.kind === 'entry-point') return undefined;
    const resolved = await esbuild.resolve(path, { ...found, pluginData: isAsked });
    return resolved.errors.length > 0 ? resolved : { ...resolved, sideEffects: false };
  });
}

export interface DevTools {
  /**
   * Reads a snapshot as DevTools does: one thread parses and computes distances and
   * classes, a second one dominators and retained sizes. The first is this one.
   */
  read(path: string): Promise<{ snapshot: DevToolsSnapshot; parseMs: number }>;
}

/** Loads DevTools' engine, installed and bundled before if need be. */
export async function loadDevTools(): Promise<DevTools> {
  const bundle = pathToFileURL(await bundleDevTools()).href;
  const modules = (await import(bundle)) as DevToolsModules;
  return {
    async read(path) {
      const start = performance.now();
      const loader = new modules.HeapSnapshotLoader.HeapSnapshotLoader({ sendEvent: () => {} });
      for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: CHUNK_BYTES }))
        loader.write(chunk as string);
      loader.close();
      await loader.parsingComplete;
      const parseMs = performance.now() - start;
      return { snapshot: await withSecondThread(bundle, (port) => loader.buildSnapshot(port)), parseMs };
    },
  };
}

async function withSecondThread<Result>(
  bundle: string,
  work: (port: MessagePort) => Promise<Result>,
): Promise<Result> {
  const { port1, port2 } = new MessageChannel();
  const second = new Worker(join(import.meta.dirname, 'devtools-second-thread.js'), {
    workerData: { bundle, port: port2 },
    transferList: [port2],
  });
  try {
    return await work(port1);
  } finally {
    port1.close();
    await second.terminate();
  }
}
