/**
 * A real program with much in its heap, which writes two snapshots of itself:
 * the second after more work, in which some of the old is let go.
 *
 *   node --max-old-space-size=8192 compiler-heap.js SIZE FIRST SECOND
 *
 * `small` holds parsed YAML documents, `medium` and `large` type-checked programs
 * of the TypeScript compiler. All input comes from packages whose versions the
 * lock file pins.
 */
import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { writeHeapSnapshot } from 'node:v8';
import { ROOT } from '../peer.js';

export type HeapSize = 'small' | 'medium' | 'large';

/** What is held, found from the global object like a service's state. */
const held = new Map<string, unknown>();
(globalThis as { held?: unknown }).held = held;

const packages = join(ROOT, 'node_modules');

async function holdDocuments(count: number): Promise<void> {
  const { parseDocument } = await import('yaml');
  // package.json is YAML as well.
  const text = readFileSync(join(packages, 'yaml', 'package.json'), 'utf8');
  for (let i = 0; i < count; i++) held.set(`document ${held.size}`, parseDocument(text));
}

/** Type-checks declaration files and keeps everything that the compiler made of them. */
async function holdProgram(...roots: string[]): Promise<void> {
  const { default: ts } = await import('typescript');
  const library = dirname(createRequire(import.meta.url).resolve('typescript'));
  const program = ts.createProgram(
    roots.map((root) => join(packages, root)),
    {
      lib: [join(library, 'lib.es2022.d.ts')],
      noEmit: true,
      strict: true,
      types: [],
      target: ts.ScriptTarget.ES2022,
    },
  );
  program.getSemanticDiagnostics();
  held.set(`${roots} ${held.size}`, program);
}

const YAML = 'yaml/dist/index.d.ts';
const FAST_CHECK = 'fast-check/lib/fast-check.d.ts';
const ZOD = 'zod/index.d.ts';
const NODE = '@types/node/index.d.ts';

const WORK: Record<HeapSize, { first: () => Promise<void>; more: () => Promise<void> }> = {
  small: { first: () => holdDocuments(2), more: () => holdDocuments(1) },
  medium: { first: () => holdProgram(YAML, FAST_CHECK), more: () => holdProgram(YAML) },
  large: {
    first: async () => {
      await holdProgram(YAML, FAST_CHECK);
      await holdProgram(ZOD, NODE);
    },
    more: async () => {
      held.delete([...held.keys()][0] ?? '');
      await holdProgram(YAML, FAST_CHECK, 'simple-statistics/index.d.ts');
    },
  },
};

/**
 * Node 20 takes minutes for the positions of functions in large scripts, unless a
 * debugger had their lines counted. The session stays open: closing it makes V8
 * forget the ids of all objects, and then nothing in the second snapshot could be
 * recognised.
 */
const session = new Session();
session.connect();
function countLines(): void {
  session.post('Debugger.enable');
  session.post('Debugger.disable');
}

const [size, first, second] = process.argv.slice(2) as [HeapSize, string, string];
await WORK[size].first();
countLines();
writeHeapSnapshot(first);
await WORK[size].more();
countLines();
writeHeapSnapshot(second);
