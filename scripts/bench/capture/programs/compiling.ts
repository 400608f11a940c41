/**
 * Holds a program that TypeScript has checked, and takes one snapshot of itself: node compiling.js WAY FILE.
 * Says how long that took, and how long what came before.
 */
import { closeSync, createWriteStream, openSync, writeSync } from 'node:fs';
import { Session } from 'node:inspector';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { writeHeapSnapshot } from 'node:v8';
import ts from 'typescript';
import { writeBoundedSnapshot } from '../../../../src/capture/bounded-snapshot.js';
import { ROOT, requirePeer } from '../../peer.js';

export const WAYS: Record<string, (path: string) => void | Promise<void>> = {
  'crucible-memory': (path) => void writeBoundedSnapshot({ path }),
  'v8.writeHeapSnapshot': (path) => void writeHeapSnapshot(path),
  inspector: async (path) => {
    const file = openSync(path, 'w');
    const session = new Session();
    session.connect();
    session.on('HeapProfiler.addHeapSnapshotChunk', ({ params }) => void writeSync(file, params.chunk));
    await new Promise<void>((resolve, reject) => {
      session.post('HeapProfiler.takeHeapSnapshot', (error) => (error ? reject(error) : resolve()));
    });
    session.disconnect();
    closeSync(file);
  },
  'v8-profiler-next': async (path) => {
    const { takeSnapshot } = requirePeer('v8-profiler-next') as {
      takeSnapshot(): { export(): NodeJS.ReadableStream; delete(): void };
    };
    const snapshot = takeSnapshot();
    await finished(snapshot.export().pipe(createWriteStream(path)));
    snapshot.delete();
  },
};

if (process.argv[1] === import.meta.filename) {
  const [way = '', path = ''] = process.argv.slice(2);
  const packages = join(ROOT, 'node_modules');
  const library = dirname(createRequire(import.meta.url).resolve('typescript'));
  const program = ts.createProgram(
    ['zod/index.d.ts', '@types/node/index.d.ts', 'yaml/dist/index.d.ts'].map((file) => join(packages, file)),
    { lib: [join(library, 'lib.es2022.d.ts')], noEmit: true, strict: true, types: [] },
  );
  program.getSemanticDiagnostics();
  const { heapUsed } = process.memoryUsage();
  const beganMs = performance.now();
  await WAYS[way]?.(path);
  const elapsedMs = performance.now() - beganMs;
  const files = program.getSourceFiles().length;
  console.log(JSON.stringify({ elapsedMs, beforeMs: beganMs, heapUsed, files }));
}
