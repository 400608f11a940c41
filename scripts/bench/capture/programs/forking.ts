/**
 * Takes snapshots of itself by fork, making garbage meanwhile: node forking.js OBJECTS RUNS FILE. Prints what
 * each took.
 */
import { rmSync, statSync } from 'node:fs';
import { forkHeapSnapshot } from '../../../../src/capture/forked-snapshot.js';
import { messageOf } from '../../../../src/errors.js';

const [objects = '100000', runs = '1', path = ''] = process.argv.slice(2);
const kept: object[] = [];
for (let i = 0; i < Number(objects); i++) kept.push({ i, text: `object ${i}`, more: { i } });
let churned: object[] = [];
const churn = setInterval(() => {
  churned = Array.from({ length: 2000 }, (_, i) => ({ i, text: `${i}` }));
}, 5);

const taken: object[] = [];
for (let run = 0; run < Number(runs); run++) {
  try {
    const { pauseMs, attempts, childCpuMs } = await forkHeapSnapshot({ path });
    taken.push({ pauseMs, attempts, childCpuMs, bytes: statSync(path).size });
    rmSync(path);
  } catch (error) {
    taken.push({ failure: messageOf(error) });
  }
}
clearInterval(churn);
const { heapUsed } = process.memoryUsage();
console.log(JSON.stringify({ heapUsed, taken, kept: kept.length + churned.length }));
