/**
 * Heap snapshots: reading them with dominators and retained sizes, comparing two,
 * and how the time grows with the size; beside DevTools' own engine and memlab.
 * Every measurement is a process of its own; contenders take turns; medians.
 * README.md says what is measured and why.
 *
 *   node dist/scripts/bench/heap/main.js [--size small|medium|large|all] [--rounds 3]
 *        [--only NAME[,NAME]] [--timeout SECONDS] [--json]
 */
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { installPeer, median, peerVersion, ROOT } from '../peer.js';
import type { HeapSize } from './compiler-heap.js';
import { CONTENDERS, type ContenderName } from './contender.js';
import { bundleDevTools } from './devtools.js';
import { makePair, makeRepeated, type SnapshotPair } from './make-snapshots.js';
import { inRounds, type Job, measure, type Row, rowOf, warm } from './measure.js';
import { type Comparison, type CurvePoint, type ParseRate, print, type Report, verdicts } from './report.js';

const OURS = 'crucible-memory';
const SIZES: HeapSize[] = ['small', 'medium', 'large'];

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: 'all' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    timeout: { type: 'string', default: '300' },
    json: { type: 'boolean', default: false },
  },
});
const sizes = values.size === 'all' ? SIZES : SIZES.filter((size) => size === values.size);
const contenders = (values.only?.split(',') ?? Object.keys(CONTENDERS)) as ContenderName[];
const unknown = contenders.find((name) => !(name in CONTENDERS));
const [rounds, timeoutSeconds] = [Number(values.rounds), Number(values.timeout)];
if (sizes.length === 0 || unknown !== undefined || !(rounds >= 1) || !(timeoutSeconds > 0)) {
  console.error(
    `usage: bench:heap [--size small|medium|large|all] [--rounds N] [--only ${Object.keys(CONTENDERS)}] [--timeout SECONDS] [--json]`,
  );
  process.exit(2);
}

const report = await run();
if (values.json) console.log(JSON.stringify({ ...report, verdicts: verdicts(report) }, undefined, 2));
else print(report);

async function run(): Promise<Report> {
  await preparePeers();
  const versions = versionsOf();
  const pairs = sizes.map((size) => ({ size, ...makePair(size, log) }));
  const repeated = values.size === 'all' ? makeRepeated((pairs.at(-1) as SnapshotPair).first, log) : [];
  const [loads, diffs]: Comparison[][] = [[], []];
  // What ran before must be over: the load of the machine counts from here.
  const machine = machineNow();
  for (const { size, first, second } of pairs) {
    loads?.push(await compare({ job: 'load', files: [first] }, size));
    diffs?.push(await compare({ job: 'diff', files: [first, second] }, size));
  }
  const files = [...pairs.map(({ first }) => first), ...repeated];
  const isMeasured = contenders.includes(OURS);
  return {
    machine,
    versions,
    rounds,
    timeoutSeconds,
    loads: loads ?? [],
    diffs: diffs ?? [],
    parseRates: isMeasured ? files.map(parseRate) : [],
    curve: isMeasured ? await curve(loads ?? [], repeated) : [],
  };
}

async function preparePeers(): Promise<void> {
  if (contenders.includes('chrome-devtools-frontend')) await bundleDevTools();
  if (contenders.includes('heap-snapshot-toolkit')) installPeer('heap-snapshot-toolkit');
  if (contenders.includes('memlab')) installPeer('memlab', '@memlab/heap-analysis');
  if (contenders.includes(OURS))
    execFileSync(process.execPath, [join(ROOT, 'scripts', 'native-heap-tests.mjs'), '--inspect'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
}

async function compare(job: Job, size: HeapSize): Promise<Comparison> {
  job.files.forEach(warm);
  const measured = await inRounds(contenders, rounds, (name) => {
    log(`${job.job} ${size}: ${name}`);
    return measure(name, job, timeoutSeconds);
  });
  const rows = contenders.map((name) => rowOf(name, measured.get(name) ?? []));
  return { ...job, size, bytes: job.files.reduce((sum, file) => sum + statSync(file).size, 0), rows };
}

/** What was measured beside the others, and the sizes that only we read. */
async function curve(loads: Comparison[], repeated: string[]): Promise<CurvePoint[]> {
  const points = loads.map(({ files, bytes, rows }) => ({
    file: basename(files[0] ?? ''),
    bytes,
    row: rows.find(({ contender }) => contender === OURS) as Row,
  }));
  for (const path of repeated) {
    warm(path);
    const measured = await inRounds([OURS], rounds, (name) => {
      log(`load ${basename(path)}: ${name}`);
      return measure(name, { job: 'load', files: [path] }, timeoutSeconds);
    });
    const row = rowOf(OURS, measured.get(OURS) ?? []);
    points.push({ file: basename(path), bytes: statSync(path).size, row });
  }
  return points;
}

/** The parser alone can only be had without Node: by the tool that native/heap is tested with. */
function parseRate(path: string): ParseRate {
  warm(path);
  const inspect = join(ROOT, 'build', 'native-heap', 'plain', 'heap-inspect');
  const seconds = Array.from({ length: rounds }, () => {
    log(`parse ${basename(path)} in one thread`);
    const answer = execFileSync(inspect, [path, '--parse-only', '--threads', '1']).toString();
    return (JSON.parse(answer) as { parseSeconds: number }).parseSeconds;
  });
  const bytes = statSync(path).size;
  return { file: basename(path), bytes, bytesPerSecond: bytes / median(seconds) };
}

function versionsOf(): Record<string, string> {
  const peers: Record<string, () => string> = {
    'chrome-devtools-frontend': () => peerVersion('chrome-devtools-frontend'),
    'heap-snapshot-toolkit': () => peerVersion('heap-snapshot-toolkit'),
    memlab: () => peerVersion('memlab', '@memlab/heap-analysis'),
  };
  return Object.fromEntries(contenders.flatMap((name) => (peers[name] ? [[name, peers[name]()]] : [])));
}

function machineNow(): string {
  const load = loadavg()[0]?.toFixed(1);
  return `${cpus().length} x ${cpus()[0]?.model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}, ${process.platform} ${process.arch}, load ${load} before`;
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
