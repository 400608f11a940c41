import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What the container of a process has used, and may use. Bytes. */
export interface CgroupMemory {
  usedBytes: number;
  /** File pages that the kernel drops first when memory is short; part of what is used. */
  inactiveFileBytes: number;
  /** The tightest limit of it and its parents; null: none. */
  limitBytes: number | null;
}

interface Layout {
  used: string;
  limit: string;
  inactiveFile: RegExp;
}

/** The names of the same files in the two versions of control groups. */
const V1: Layout = {
  used: 'memory.usage_in_bytes',
  limit: 'memory.limit_in_bytes',
  inactiveFile: /^total_inactive_file (\d+)/m,
};
const V2: Layout = { used: 'memory.current', limit: 'memory.max', inactiveFile: /^inactive_file (\d+)/m };

/** "No limit" is a number in version 1: the largest that a page counter holds. */
const NO_LIMIT_BYTES = 2 ** 60;

/**
 * The memory control group of a process; undefined where there is none, or not one that can be read.
 * Version 1 and version 2, as the process's own table names them: most systems mount one, some both.
 */
export function cgroupOf(
  pid: number,
  mount = '/sys/fs/cgroup',
  proc = '/proc',
): (() => CgroupMemory | undefined) | undefined {
  const table = readText(join(proc, String(pid), 'cgroup'));
  if (table === undefined) return undefined;
  const v1Path = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(table)?.[1];
  const v2Path = /^0::(.*)$/m.exec(table)?.[1];
  const places: [string, string | undefined, Layout][] = [
    [join(mount, 'memory'), v1Path, V1],
    [mount, v2Path, V2],
    [join(mount, 'unified'), v2Path, V2],
  ];
  for (const [root, path, layout] of places) {
    if (path === undefined) continue;
    // Inside a container the table may name the path of outside, while the container's own group is the root.
    for (const folder of [join(root, path), root])
      if (read(folder, root, layout)) return () => read(folder, root, layout);
  }
  return undefined;
}

function read(folder: string, root: string, layout: Layout): CgroupMemory | undefined {
  const used = numberIn(join(folder, layout.used));
  if (used === undefined) return undefined;
  const stat = readText(join(folder, 'memory.stat')) ?? '';
  return {
    usedBytes: used,
    inactiveFileBytes: Number(layout.inactiveFile.exec(stat)?.[1] ?? 0),
    limitBytes: tightestLimit(folder, root, layout),
  };
}

function tightestLimit(folder: string, root: string, layout: Layout): number | null {
  let tightest: number | null = null;
  for (let at = folder; at.startsWith(root); at = dirname(at)) {
    const limit = numberIn(join(at, layout.limit));
    if (limit !== undefined && limit < NO_LIMIT_BYTES) tightest = Math.min(tightest ?? limit, limit);
  }
  return tightest;
}

/** Undefined for a file that is missing, and for the word `max`. */
function numberIn(path: string): number | undefined {
  const text = readText(path)?.trim();
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
