import { installPeer, median } from '../../peer.js';
import { type Finding, type Part, percent, quantile } from '../finding.js';
import { answerOf, startProgram } from '../program.js';
import { PROFILERS } from '../programs/allocating.js';

const PART = 'profile';
const OURS = 'crucible-memory';
const INTERVAL_BYTES = 512 * 1024;
/** Beyond, all is within noise. */
const NOISE_MAX = 0.05;
const [RATIO_LEAST, RATIO_MOST] = [0.8, 1.25];

/** V8's sampling heap profiler at 512 KiB, in several hands, and how right its estimate of a growth is. */
export const profile: Part = async (effort, say) => {
  installPeer('v8-profiler-next');
  installPeer('datadog-pprof', '@datadog/pprof');
  return [...(await costs(effort, say)), ...(await growths(effort, say))];
};

const costs: Part = async ({ rounds, seconds, giveUpSeconds }, say) => {
  const names = Object.keys(PROFILERS);
  const measured = new Map<string, (number | string)[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    say(`round ${round + 1} of ${rounds}`);
    for (const name of names) {
      const child = startProgram('allocating', [name, String(seconds)]);
      const answer = await answerOf<{ moreCpu: number }>(child, giveUpSeconds);
      measured.get(name)?.push(typeof answer === 'string' ? answer : answer.moreCpu);
    }
  }
  const numbers = (name: string) =>
    (measured.get(name) ?? []).filter((one): one is number => typeof one === 'number');
  const noise = Math.max(...numbers('none').map(Math.abs));
  return names
    .filter((name) => name !== 'none')
    .map((name): Finding => {
      const [failure] = (measured.get(name) ?? []).filter((one) => typeof one === 'string');
      const moreCpu = median(numbers(name));
      return {
        part: PART,
        what: `${name}: CPU time added to an allocating program at 512 KiB`,
        measured: failure ?? `${percent(moreCpu, 1)} (noise ${percent(noise, 1)})`,
        ...(name === OURS && {
          goal: 'within noise',
          isMet: noise > NOISE_MAX ? undefined : moreCpu <= noise,
        }),
      };
    });
};

const growths: Part = async ({ runs, giveUpSeconds }, say) => {
  const ratios: number[] = [];
  for (let run = 0; run < runs; run++) {
    if (run % 10 === 0) say(`growth ${run} of ${runs}`);
    const child = startProgram('growing', [String(INTERVAL_BYTES)], { nodeOptions: ['--expose-gc'] });
    const answer = await answerOf<{ trueBytes: number; estimatedBytes: number }>(child, giveUpSeconds);
    if (typeof answer === 'string') throw new Error(answer);
    ratios.push(answer.estimatedBytes / answer.trueBytes);
  }
  const [middle, least, most] = [median(ratios), quantile(ratios, 0), Math.max(...ratios)];
  return [
    {
      part: PART,
      what: `estimated by true growth of 120 MB at 512 KiB`,
      measured: `${middle.toFixed(2)} (${least.toFixed(2)} .. ${most.toFixed(2)} in ${runs} runs)`,
      goal: `${RATIO_LEAST} .. ${RATIO_MOST}`,
      isMet: middle >= RATIO_LEAST && middle <= RATIO_MOST,
    },
  ];
};
