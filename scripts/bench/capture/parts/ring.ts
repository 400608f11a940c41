import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { median, ROOT } from '../../peer.js';
import type { Part } from '../finding.js';
import { inFolder } from '../program.js';

const GOAL_NS = 50;

/** One append to the recording, without Node: ring_append.cc. */
export const ring: Part = async ({ rounds }, say) => {
  if (process.platform !== 'linux') return [];
  say('compiling');
  return inFolder(async (folder) => {
    const program = join(folder, 'ring_append');
    const native = join(ROOT, 'native', 'recording');
    const sources = readdirSync(native).filter(
      (name) => name.endsWith('.cc') && !name.endsWith('_windows.cc'),
    );
    const own = join(ROOT, 'scripts', 'bench', 'capture', 'ring_append.cc');
    execFileSync(process.env.CXX ?? 'g++', [
      ...['-O2', '-std=c++20', '-pthread', own, ...sources.map((name) => join(native, name))],
      ...['-o', program],
    ]);
    const measured = Array.from({ length: Math.max(3, rounds) }, () =>
      execFileSync(program, [join(folder, 'ring.cmrec')])
        .toString()
        .trim()
        .split(' ')
        .map(Number),
    );
    const [one, five] = [0, 1].map((i) => median(measured.map((all) => all[i] as number)));
    return [
      {
        part: 'ring',
        what: 'appending one sample of one channel (of five)',
        measured: `${one?.toFixed(0)} ns (${five?.toFixed(0)} ns)`,
        goal: `at most ${GOAL_NS} ns`,
        isMet: (one ?? Number.NaN) <= GOAL_NS,
      },
    ];
  });
};
