import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRecording } from '../../../../src/recording/index.js';
import { KIB, MIB } from '../../../../src/units.js';
import { ROOT } from '../../peer.js';
import type { Finding, Part } from '../finding.js';
import { inFolder } from '../program.js';

const PART = 'out-of-memory';
const LIMIT_BYTES = 256 * MIB;
const WAYS = ['heap', 'buffers'] as const;
type Way = (typeof WAYS)[number];

/** What stops a program: its own heap limit, or one that holds for its whole process. */
interface Limit {
  name: string;
  ways: readonly Way[];
  nodeOptions?: string[];
  /** For the shell that becomes the program. */
  enter?: string;
}

/** What `record` has saved of programs whose memory runs out. */
export const outOfMemory: Part = async ({ runs }, say) => {
  const group = containerOf(LIMIT_BYTES);
  const limits: Limit[] = [
    { name: '--max-old-space-size=60', ways: ['heap'], nodeOptions: ['--max-old-space-size=60'] },
    {
      name: 'ulimit -d, 256 MiB more than Node takes',
      ways: WAYS,
      enter: `ulimit -d ${dataKibOfNode() + LIMIT_BYTES / KIB} && `,
    },
  ];
  if (group !== undefined)
    limits.push({
      name: 'a control group of 256 MiB',
      ways: WAYS,
      enter: `echo $$ > ${group}/cgroup.procs && `,
    });
  const findings: Finding[] = [];
  try {
    for (const limit of limits)
      for (const way of limit.ways) findings.push(await ranOut(limit, way, runs, say));
  } finally {
    if (group !== undefined) rmdirSync(group);
  }
  if (group === undefined)
    findings.push({ part: PART, what: 'a control group', measured: 'cannot be made here (needs root)' });
  return findings;
};

/** Half a gigabyte from Node 24 on, whose tables are reserved as if they were used. */
function dataKibOfNode(): number {
  const script = "console.log(require('node:fs').readFileSync('/proc/self/status', 'utf8'))";
  const status = execFileSync(process.execPath, ['-e', script]).toString();
  return Number(/VmData:\s+(\d+)/.exec(status)?.[1]);
}

async function ranOut(limit: Limit, way: Way, runs: number, say: (line: string) => void): Promise<Finding> {
  let saved = 0;
  const lacks = new Set<string>();
  for (let run = 0; run < runs; run++) {
    if (run % 5 === 0) say(`${limit.name}, ${way} ${run} of ${runs}`);
    const lack = await inFolder((folder) => whatIsNotSaved(folder, limit, way));
    if (lack === undefined) saved++;
    else lacks.add(lack);
  }
  return {
    part: PART,
    what: `recording and allocation profile there: ${limit.name}, by ${way === 'heap' ? 'objects' : 'buffers'}`,
    measured: [`${saved} of ${runs}`, ...lacks].join('; '),
    goal: `${runs} of ${runs}`,
    isMet: saved === runs,
  };
}

/** Undefined: all is there. */
async function whatIsNotSaved(
  folder: string,
  { nodeOptions = [], enter = '' }: Limit,
  way: Way,
): Promise<string | undefined> {
  const program = join(import.meta.dirname, '../programs/running-out.js');
  const command = ['sh', '-c', `${enter}exec "$@"`, 'sh', process.execPath, ...nodeOptions, program, way];
  const out = join(folder, 'out');
  const child = spawn(
    process.execPath,
    [join(ROOT, 'dist', 'src', 'cli', 'main.js'), 'record', '--quiet', '--output', out, '--', ...command],
    { stdio: 'ignore' },
  );
  await once(child, 'exit');
  const names = readdirSync(out);
  const file = names.find((name) => name.endsWith('.cmrec'));
  if (file === undefined) return 'no recording';
  const { problems } = await readRecording(join(out, file));
  if (problems.length > 0) return problems[0];
  const profile = names.find((name) => name.endsWith('.near-limit.heapprofile'));
  if (profile === undefined) return 'no profile';
  return isProfile(join(out, profile), way) ? undefined : 'a profile without samples';
}

/** Objects must be in it. Buffers lie outside the heap: of a few dozen of them it may hold nothing. */
function isProfile(path: string, way: Way): boolean {
  const { head, samples } = JSON.parse(readFileSync(path, 'utf8')) as { head?: object; samples?: object[] };
  return head !== undefined && samples !== undefined && (way === 'buffers' || samples.length > 0);
}

/** A control group of either version, below this process's own; undefined where that may not be. */
function containerOf(limitBytes: number): string | undefined {
  try {
    const table = readFileSync('/proc/self/cgroup', 'utf8');
    const v1 = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(table)?.[1];
    const v2 = /^0::(.*)$/m.exec(table)?.[1];
    const [parent, file] =
      v1 === undefined
        ? [join('/sys/fs/cgroup', v2 ?? ''), 'memory.max']
        : [join('/sys/fs/cgroup/memory', v1), 'memory.limit_in_bytes'];
    const group = join(
      existsSync(parent) ? parent : '/sys/fs/cgroup/memory',
      `crucible-memory-bench-${process.pid}`,
    );
    mkdirSync(group);
    writeFileSync(join(group, file), String(limitBytes));
    return group;
  } catch {
    return undefined;
  }
}
