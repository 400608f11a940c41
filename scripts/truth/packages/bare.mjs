/**
 * How much an operation leaves behind, measured without any of this project:
 * `node --expose-gc bare.mjs TARGET OPERATIONS` prints bytes an operation that
 * V8 counts, and that are resident.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const [path, operations] = [process.argv[2], Number(process.argv[3])];
const target = await import(pathToFileURL(path).href);
let next = 0;

async function run() {
  for (const end = next + operations; next < end; next++) {
    const result = await target.operation(next, {});
    if (result?.error) throw new Error(result.error);
  }
}

async function live() {
  for (let round = 0; round < 4; round++) {
    await sleep(25);
    globalThis.gc();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { counted: heapUsed + external, rss };
}

await target.setup?.();
await run();
const before = await live();
await run();
const after = await live();
console.log(
  JSON.stringify({
    counted: (after.counted - before.counted) / operations,
    resident: (after.rss - before.rss) / operations,
  }),
);
process.exit(0);
