/**
 * Fuzzes the heap-snapshot parser and everything behind it with libFuzzer,
 * under AddressSanitizer and UndefinedBehaviorSanitizer. Needs clang++ (Debian:
 * clang and libclang-rt-*-dev).
 *
 *   node scripts/fuzz-heap.mjs [SECONDS]     default: 60
 *
 * The corpus starts from small pieces of real snapshots, which the running
 * Node.js writes and this script cuts down, and grows in build/fuzz-heap/corpus.
 * An input that fails is kept in build/fuzz-heap and can be given to
 * build/fuzz-heap/heap-fuzz as an argument.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { nativeBuild, root, sourcesUnder } from './native-build.mjs';

const seconds = Number(process.argv[2] ?? 60);
if (!(seconds > 0)) {
  console.error(`fuzz-heap: ${process.argv[2]} is no number of seconds`);
  process.exit(2);
}
const folder = join(root, 'build', 'fuzz-heap');
const corpus = join(folder, 'corpus');
mkdirSync(corpus, { recursive: true });
if (readdirSync(corpus).length === 0) await writeSeeds();
process.exit(await fuzz(await build()));

async function build() {
  const compiler = process.env.CXX ?? 'clang++';
  const link = nativeBuild({
    folder,
    compiler,
    flags: [
      '-std=c++20',
      '-O1',
      '-g',
      '-Wall',
      '-Wextra',
      '-pthread',
      `-I${join(root, 'native')}`,
      `-I${root}`,
      '-fsanitize=address,undefined,fuzzer-no-link',
      '-fno-sanitize-recover=all',
      '-fno-omit-frame-pointer',
    ],
  });
  const library = sourcesUnder('native/heap').filter((path) => !path.endsWith('inspect/main.cc'));
  try {
    return await link('heap-fuzz', [...library, 'test/native/heap/fuzz_parser.cc'], ['-fsanitize=fuzzer']);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    console.error(
      `fuzz-heap: ${compiler} is not installed (Debian: apt-get install clang libclang-rt-14-dev)`,
    );
    process.exit(3);
  }
}

function fuzz(program) {
  const words = [
    corpus,
    `-max_total_time=${seconds}`,
    // One input may not take long nor much: a hang or an allocation beyond the file's size is a finding.
    '-timeout=20',
    '-rss_limit_mb=2048',
    '-malloc_limit_mb=512',
    '-max_len=65536',
    `-artifact_prefix=${folder}/`,
    '-print_final_stats=1',
    '-verbosity=1',
  ];
  const dictionary = join(root, 'test', 'native', 'heap', 'snapshot.dict');
  if (existsSync(dictionary)) words.push(`-dict=${dictionary}`);
  return new Promise((resolve, reject) => {
    spawn(program, words, { stdio: 'inherit' })
      .on('error', reject)
      .on('close', (code) => resolve(code ?? 1));
  });
}

/** A plain snapshot and one with allocation stacks, cut down to 20, 60 and 200 nodes. */
async function writeSeeds() {
  const session = new Session();
  session.connect();
  let text = '';
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ params }) => {
    text += params.chunk;
  });
  await session.post('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  const plain = JSON.parse(text);
  text = '';
  await session.post('HeapProfiler.startTrackingHeapObjects', { trackAllocations: true });
  const kept = Array.from({ length: 50 }, (_, at) => new Map([[{ at }, `entry ${at}`]]));
  await session.post('HeapProfiler.stopTrackingHeapObjects', { reportProgress: false });
  session.disconnect();
  const tracked = JSON.parse(text);
  for (const [name, snapshot] of [
    ['plain', plain],
    ['tracked', tracked],
  ])
    for (const nodes of [20, 60, 200])
      for (const salvage of [0, 1]) {
        // The first byte tells the target whether to salvage and how long the pieces are.
        const seed = `${String.fromCharCode(64 + salvage)}${JSON.stringify(cut(snapshot, nodes))}`;
        writeFileSync(join(corpus, `${name}-${nodes}-${salvage}`), seed);
      }
  if (kept.length !== 50) throw new Error('unreachable: keeps the entries alive until here');
}

/** The snapshot with its first nodes, the edges among them, and the strings that they use. */
function cut(snapshot, nodeCount) {
  const { meta } = snapshot.snapshot;
  const nodeWidth = meta.node_fields.length;
  const edgeWidth = meta.edge_fields.length;
  const column = (fields, name) => fields.indexOf(name);
  const edgeCountAt = column(meta.node_fields, 'edge_count');
  const [toAt, edgeNameAt, edgeTypeAt] = ['to_node', 'name_or_index', 'type'].map((name) =>
    column(meta.edge_fields, name),
  );
  const strings = ['<dummy>'];
  const places = new Map();
  const place = (text) => {
    if (!places.has(text)) places.set(text, strings.push(text) - 1);
    return places.get(text);
  };
  const nodes = [];
  const edges = [];
  let edge = 0;
  for (let node = 0; node < nodeCount; node++) {
    const row = snapshot.nodes.slice(node * nodeWidth, (node + 1) * nodeWidth);
    let kept = 0;
    for (const last = edge + row[edgeCountAt]; edge < last; edge++) {
      const reference = snapshot.edges.slice(edge * edgeWidth, (edge + 1) * edgeWidth);
      if (reference[toAt] >= nodeCount * nodeWidth) continue;
      const type = meta.edge_types[edgeTypeAt][reference[edgeTypeAt]];
      if (type !== 'element' && type !== 'hidden')
        reference[edgeNameAt] = place(snapshot.strings[reference[edgeNameAt]]);
      edges.push(...reference);
      kept++;
    }
    row[edgeCountAt] = kept;
    const nameAt = column(meta.node_fields, 'name');
    row[nameAt] = place(snapshot.strings[row[nameAt]].slice(0, 100));
    nodes.push(...row);
  }
  const locationWidth = meta.location_fields.length;
  const functionWidth = meta.trace_function_info_fields.length;
  return {
    snapshot: { ...snapshot.snapshot, node_count: nodeCount, edge_count: edges.length / edgeWidth },
    nodes,
    edges,
    trace_function_infos: snapshot.trace_function_infos
      .slice(0, functionWidth * 3)
      .map((value, at) =>
        meta.trace_function_info_fields[at % functionWidth].endsWith('name')
          ? place(snapshot.strings[value])
          : value,
      ),
    trace_tree: snapshot.trace_tree.length ? [1, 0, 1, 8, [2, 1, 1, 8, []]] : [],
    samples: snapshot.samples.slice(0, 4),
    locations: snapshot.locations.filter(
      (_, at, all) => all[at - (at % locationWidth)] < nodeCount * nodeWidth,
    ),
    strings,
  };
}
