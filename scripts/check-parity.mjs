/**
 * Compares what we say of a heap snapshot with what DevTools' own engine says of
 * it: dominator, retained size and distance of every node, figures of every
 * class, objects that came and went. Every difference is printed with its reason;
 * one without a reason fails the check (exit 1).
 *
 *   npm run check:parity                    snapshots of Node 20, 22, 24 and 26, made here
 *   npm run check:parity -- 26              of one major
 *   npm run check:parity -- A.heapsnapshot  of files that are there
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadDevTools } from '../dist/scripts/bench/heap/devtools.js';
import { compareClasses, compareDiffs, compareNodes } from '../dist/scripts/bench/heap/parity.js';
import { installNode, nodeIn } from './node-majors.mjs';

const MAJORS = ['20', '22', '24', '26'];
const PROGRAM = fileURLToPath(new URL('bench/heap/programs/every-kind.mjs', import.meta.url));
const SHOWN_MAX = 20;

/** Differences that are meant: `covers(difference)` and the `reason`. None so far. */
const KNOWN = [];

// DevTools warns of every node that nothing reaches.
console.warn = () => {};
const devTools = await loadDevTools();
const words = process.argv.slice(2);
const files = words.filter((word) => !/^\d+$/.test(word));
const majors = words.length === 0 ? MAJORS : words.filter((word) => !files.includes(word));
let unexplained = 0;
for (const major of majors) await checkMajor(major);
for (const file of files) {
  const { snapshot } = await devTools.read(file);
  await show(`${file}, nodes`, compareNodes(file, snapshot));
}
console.log(
  unexplained === 0
    ? 'parity with DevTools: complete'
    : `parity with DevTools: ${unexplained} differences without a reason`,
);
process.exit(unexplained === 0 ? 0 : 1);

async function checkMajor(major) {
  const node = nodeIn(installNode(major));
  const version = execFileSync(node, ['--version']).toString().trim();
  const folder = mkdtempSync(join(tmpdir(), 'crucible-memory-parity-'));
  try {
    execFileSync(node, [PROGRAM, folder], { stdio: ['ignore', 'ignore', 'inherit'] });
    const read = {};
    for (const name of ['plain', 'internals', 'later']) {
      const path = join(folder, `${name}.heapsnapshot`);
      const { snapshot } = await devTools.read(path);
      await show(`Node ${version}, ${name}, nodes`, compareNodes(path, snapshot));
      await show(`Node ${version}, ${name}, classes`, compareClasses(path, snapshot));
      read[name] = [path, snapshot];
    }
    await show(`Node ${version}, plain to later, classes`, compareDiffs(read.plain, read.later));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function show(title, comparison) {
  const { compared, differences } = await comparison.catch(refused);
  console.log(`${title}: ${compared} compared, ${differences.length} differences`);
  const reasons = new Map();
  const others = [];
  for (const difference of differences) {
    const known = KNOWN.find(({ covers }) => covers(difference));
    if (known === undefined) others.push(difference);
    else reasons.set(known.reason, (reasons.get(known.reason) ?? 0) + 1);
  }
  for (const [reason, count] of reasons) console.log(`  ${count}: ${reason}`);
  for (const { of, field, ours, devTools: theirs } of others.slice(0, SHOWN_MAX))
    console.log(`  NO REASON: ${of}: ${field} is ${ours}, for DevTools ${theirs}`);
  if (others.length > SHOWN_MAX) console.log(`  ... and ${others.length - SHOWN_MAX} more`);
  unexplained += others.length;
}

/** DevTools reads the file, and we do not: one difference. */
function refused(error) {
  return {
    compared: 0,
    differences: [{ of: 'the file', field: 'answer', ours: error.what ?? error.message, devTools: 'given' }],
  };
}
