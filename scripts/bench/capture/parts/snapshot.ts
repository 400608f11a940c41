import { statSync } from 'node:fs';
import { join } from 'node:path';
import { formatBytes } from '../../../../src/units.js';
import { installPeer } from '../../peer.js';
import type { Finding, Part } from '../finding.js';
import { answerOf, inFolder, startProgram } from '../program.js';
import { WAYS } from '../programs/compiling.js';

const PART = 'snapshot';
const OURS = 'crucible-memory';
const NODES = 'v8.writeHeapSnapshot';
const RATIO_GOAL = 30;

interface Answer {
  elapsedMs: number;
  /** From the start of the process to the snapshot. */
  beforeMs: number;
  heapUsed: number;
}

/** One snapshot of a program that holds what TypeScript made of some declarations, in each way. */
export const snapshot: Part = (effort, say) =>
  inFolder(async (folder) => {
    installPeer('v8-profiler-next');
    const seconds = new Map<string, number>();
    let patienceSeconds = effort.giveUpSeconds;
    const findings: Finding[] = [];
    for (const way of Object.keys(WAYS)) {
      say(`${way}, given up after ${effort.giveUpSeconds} s`);
      const path = join(folder, 'one.heapsnapshot');
      const child = startProgram('compiling', [way, path], { nodeOptions: ['--max-old-space-size=8192'] });
      const answer = await answerOf<Answer>(child, effort.giveUpSeconds);
      const isKnown = typeof answer !== 'string';
      if (isKnown) {
        seconds.set(way, answer.elapsedMs / 1000);
        // Who is given up on had as long as this for the snapshot itself.
        patienceSeconds = effort.giveUpSeconds - answer.beforeMs / 1000;
      }
      findings.push({
        part: PART,
        what: `${way}: the TypeScript compiler holding a program`,
        measured: isKnown
          ? `${(answer.elapsedMs / 1000).toFixed(1)} s (${formatBytes(answer.heapUsed)} of heap, ${formatBytes(statSync(path).size)} of file)`
          : answer,
      });
    }
    return [...findings, ratio(seconds, patienceSeconds)];
  });

function ratio(seconds: ReadonlyMap<string, number>, patienceSeconds: number): Finding {
  const ours = seconds.get(OURS) ?? Number.NaN;
  const theirs = seconds.get(NODES);
  const times = (theirs ?? patienceSeconds) / ours;
  const isNode20 = process.version.startsWith('v20.');
  return {
    part: PART,
    what: `${NODES} by ${OURS}`,
    measured: `${theirs === undefined ? 'more than ' : ''}${times.toFixed(1)} times`,
    ...(isNode20 && {
      goal: `at least ${RATIO_GOAL} times on Node 20`,
      // Given up on too early to say.
      isMet: theirs === undefined && times < RATIO_GOAL ? undefined : times >= RATIO_GOAL,
    }),
  };
}
