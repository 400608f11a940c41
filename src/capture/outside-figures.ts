import { readFileSync } from 'node:fs';
import { loadCore } from '../native.js';
import { type CgroupMemory, cgroupOf } from './cgroup.js';
import { startTicksOf } from './process-table.js';

/** What the kernel tells of the parts of a process's memory. Absent: this user may not know, or there is no such figure. */
export interface OutsideDetails {
  pssBytes?: number;
  anonymousBytes?: number;
  fileBytes?: number;
  threadCount?: number;
  /** User and system time since its start. */
  cpuTimeMs?: number;
}

/** Reading PSS walks the process's page tables while it waits for them: at most this share of the time. */
const PSS_TIME_SHARE_MAX = 0.0025;
/** Linux counts CPU time in hundredths of a second for user space, whatever its own clock is. */
const MS_PER_TICK = 10;

/** Memory of another process, without its help. */
export class OutsideFigures {
  readonly #pid: number;
  readonly #startTicks: string | undefined;
  readonly #readCgroup: (() => CgroupMemory | undefined) | undefined;
  readonly #readRss: (pid: number) => number | null;
  #pssDueMs = 0;

  constructor(pid: number) {
    this.#pid = pid;
    this.#startTicks = startTicksOf(pid);
    this.#readCgroup = cgroupOf(pid);
    this.#readRss = residentReader();
  }

  /** Null when the process is gone. */
  rssBytes(): number | null {
    return this.#readRss(this.#pid);
  }

  /** false: it has ended, and its id may by now be somebody else's. */
  isSame(): boolean {
    return startTicksOf(this.#pid) === this.#startTicks;
  }

  details(): OutsideDetails {
    return { ...this.#accounting(), ...this.#parts() };
  }

  cgroup(): CgroupMemory | undefined {
    return this.#readCgroup?.();
  }

  #accounting(): OutsideDetails {
    const fields = textOf(this.#pid, 'stat')
      ?.replace(/^.*\) /s, '')
      .split(' ');
    if (!fields) return {};
    return {
      cpuTimeMs: (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK,
      threadCount: Number(fields[17]),
    };
  }

  #parts(): OutsideDetails {
    const beganMs = performance.now();
    if (beganMs < this.#pssDueMs) return {};
    const rollup = textOf(this.#pid, 'smaps_rollup');
    this.#pssDueMs = beganMs + (performance.now() - beganMs) / PSS_TIME_SHARE_MAX;
    if (rollup === undefined) return {};
    const bytes = (name: string) => {
      const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1];
      return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
    };
    const pssBytes = bytes('Pss');
    const anonymousBytes = bytes('Anonymous');
    const rssBytes = bytes('Rss');
    return {
      ...(pssBytes !== undefined && { pssBytes }),
      ...(anonymousBytes !== undefined && { anonymousBytes }),
      ...(anonymousBytes !== undefined && rssBytes !== undefined && { fileBytes: rssBytes - anonymousBytes }),
    };
  }
}

/** The addon's if there is one: a microsecond; /proc/<pid>/status costs fifteen. */
function residentReader(): (pid: number) => number | null {
  try {
    const core = loadCore();
    return (pid) => core.readRss(pid);
  } catch {
    return (pid) => {
      const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(textOf(pid, 'status') ?? '')?.[1];
      return kilobytes === undefined ? null : Number(kilobytes) * 1024;
    };
  }
}

function textOf(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
