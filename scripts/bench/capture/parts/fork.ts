import { join } from 'node:path';
import { formatBytes } from '../../../../src/units.js';
import { median } from '../../peer.js';
import { type Effort, type Finding, ms, type Part } from '../finding.js';
import { type Host, hostOf } from '../other-nodes.js';
import { answerOf, inFolder, startProgram } from '../program.js';

const PART = 'fork';
const PAUSE_GOAL_MS = 50;
const COMPLETE_GOAL = 0.99;
/** Forks of the small heap for each run of the effort: 100 of 20. */
const FORKS_OF_A_RUN = 5;
const SMALL_OBJECTS = 100_000;
/** 140 MB of heap. */
const LARGE_OBJECTS = 950_000;
const LARGE_RUNS = 5;
/** A child may take 14 s of CPU for the large heap, and may be tried four times. */
const SECONDS_OF_A_RUN = 60;

interface Answer {
  heapUsed: number;
  taken: ({ pauseMs: number; attempts: number; childCpuMs: number } | { failure: string })[];
}

/** Heap snapshots that a forked child writes: how long the program stands still, and how many come whole. */
export const fork: Part = async (effort, say) => {
  if (process.platform !== 'linux')
    return [{ part: PART, what: 'snapshots by fork', measured: 'Linux only' }];
  const findings: Finding[] = [];
  for (const major of effort.nodes) {
    say(`the addons for Node ${major}`);
    findings.push(...(await ofHost(await hostOf(major), effort, say)));
  }
  return findings;
};

function ofHost(host: Host, { runs }: Effort, say: (line: string) => void): Promise<Finding[]> {
  return inFolder(async (folder) => {
    const forked = async (objects: number, count: number) => {
      say(`Node ${host.version}, ${count} of ${objects} objects`);
      const args = [String(objects), String(count), join(folder, 'forked.heapsnapshot')];
      const child = startProgram('forking', args, { nodeOptions: ['--max-old-space-size=2048'], host });
      const answer = await answerOf<Answer>(child, count * SECONDS_OF_A_RUN);
      if (typeof answer === 'string') throw new Error(answer);
      return answer;
    };
    return [
      pauses(host, await forked(LARGE_OBJECTS, LARGE_RUNS)),
      completeness(host, await forked(SMALL_OBJECTS, FORKS_OF_A_RUN * runs)),
    ];
  });
}

function successes({ taken }: Answer) {
  return taken.flatMap((one) => ('pauseMs' in one ? [one] : []));
}

function pauses({ version }: Host, answer: Answer): Finding {
  const each = successes(answer).map(({ pauseMs, attempts }) => pauseMs / attempts);
  return {
    part: PART,
    what: `Node ${version}: pause for one fork of a program with ${formatBytes(answer.heapUsed)} of heap`,
    measured: `${ms(median(each))} (longest ${ms(Math.max(...each))} of ${each.length})`,
    goal: `at most ${PAUSE_GOAL_MS} ms`,
    isMet: median(each) <= PAUSE_GOAL_MS,
  };
}

function completeness({ version }: Host, answer: Answer): Finding {
  const whole = successes(answer);
  const { length } = answer.taken;
  const atOnce = whole.filter(({ attempts }) => attempts === 1).length;
  const pausesMs = whole.map(({ pauseMs }) => pauseMs);
  const [failure] = answer.taken.flatMap((one) => ('failure' in one ? [`; ${one.failure}`] : []));
  return {
    part: PART,
    what: `Node ${version}: whole snapshots of ${formatBytes(answer.heapUsed)} of heap, with retries`,
    measured: `${whole.length} of ${length} (${atOnce} at once; pause ${ms(median(pausesMs))}, longest ${ms(Math.max(...pausesMs))}; the child's CPU ${ms(median(whole.map(({ childCpuMs }) => childCpuMs)))})${failure ?? ''}`,
    goal: `at least ${Math.ceil(COMPLETE_GOAL * length)} of ${length}`,
    isMet: whole.length >= COMPLETE_GOAL * length,
  };
}
