import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { peerFolder } from '../../peer.js';
import type { Contender } from '../contender.js';
import type { DevToolsDiff, DevToolsSnapshot } from '../devtools.js';
import { sizesOf, totalsOf } from './devtools-frontend.js';

interface Toolkit {
  parse(stream: NodeJS.ReadableStream): Promise<DevToolsSnapshot>;
  diffFromStreams(
    before: NodeJS.ReadableStream,
    after: NodeJS.ReadableStream,
  ): AsyncGenerator<{ type: 'start' | 'end' | 'diff'; result: unknown }>;
}

const NAME = 'heap-snapshot-toolkit';
const main = createRequire(join(peerFolder(NAME), 'package.json')).resolve(NAME);
const toolkit = (await import(pathToFileURL(main).href)) as Toolkit;
const open = (path: string) => createReadStream(path, 'utf8');

/** DevTools of August 2025 as a library: one thread. */
export const contender: Contender = {
  async load(path) {
    const snapshot = await toolkit.parse(open(path));
    return () => sizesOf(snapshot);
  },
  /** Its leaner way: of the first snapshot only what the diff needs stays. */
  async diff(before, after) {
    for await (const { type, result } of toolkit.diffFromStreams(open(before), open(after)))
      if (type === 'diff') return totalsOf(result as Record<string, DevToolsDiff>);
    throw new Error(`${NAME} gave no diff`);
  },
};
