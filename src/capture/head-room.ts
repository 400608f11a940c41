import { readFileSync, statfsSync } from 'node:fs';
import { freemem } from 'node:os';
import { dirname } from 'node:path';
import { CrucibleMemoryError } from '../errors.js';
import { formatBytes } from '../units.js';
import { cgroupOf } from './cgroup.js';

/**
 * V8 builds the whole graph beside the heap before it writes a byte of a snapshot: about 400 bytes a node. A
 * node takes 34 to 99 bytes of heap in the programs that were measured; 64 is in the middle of that, so that
 * this is the order of magnitude and no more.
 */
const GRAPH_BYTES_PER_HEAP_BYTE = 400 / 64;
/** The text of a snapshot in proportion to the heap: 1.3 for a compiler, above 2 for small objects. */
const FILE_BYTES_PER_HEAP_BYTE = 2.5;

/** What a heap snapshot will take, roughly. */
export interface SnapshotNeeds {
  memoryBytes: number;
  diskBytes: number;
}

export function snapshotNeeds(heapUsedBytes: number): SnapshotNeeds {
  return {
    memoryBytes: heapUsedBytes * GRAPH_BYTES_PER_HEAP_BYTE,
    diskBytes: heapUsedBytes * FILE_BYTES_PER_HEAP_BYTE,
  };
}

/** Memory that a process could still take before somebody kills it. */
export interface HeadRoom {
  availableBytes: number;
  /** Who sets the bound: the container or the machine. */
  bound: 'cgroup' | 'machine';
}

export function headRoomOf(pid: number): HeadRoom {
  const machine: HeadRoom = { availableBytes: availableMemory(), bound: 'machine' };
  const memory = cgroupOf(pid)?.();
  if (memory?.limitBytes === undefined || memory.limitBytes === null) return machine;
  const left = memory.limitBytes - memory.usedBytes + memory.inactiveFileBytes;
  return left < machine.availableBytes ? { availableBytes: left, bound: 'cgroup' } : machine;
}

/** MemAvailable counts what the kernel would give back; os.freemem() does not on older Nodes. */
function availableMemory(): number {
  try {
    const kilobytes = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  } catch {
    // Not Linux.
  }
  return freemem();
}

/**
 * Refuses a snapshot that would get its process killed or fill the disk, with the numbers.
 * @throws CrucibleMemoryError MEMORY_TOO_LITTLE, OUTPUT_UNWRITABLE
 */
export function requireRoomForSnapshot(options: {
  pid: number;
  heapUsedBytes: number;
  path: string;
  /** For tests. Default: as the system says. */
  headRoom?: HeadRoom;
}): void {
  const { pid, heapUsedBytes, path, headRoom = headRoomOf(pid) } = options;
  const { memoryBytes, diskBytes } = snapshotNeeds(heapUsedBytes);
  if (memoryBytes > headRoom.availableBytes) {
    const where = headRoom.bound === 'cgroup' ? "the process's container" : 'the machine';
    throw new CrucibleMemoryError('MEMORY_TOO_LITTLE', {
      what: `a heap snapshot of ${formatBytes(heapUsedBytes)} of heap needs about ${formatBytes(memoryBytes)} of memory beside it`,
      why: `${where} has ${formatBytes(headRoom.availableBytes)} left, and the process would probably be killed`,
      fix: 'give it more memory, take the snapshot while the heap is smaller, or go on all the same with --force',
    });
  }
  const freeBytes = freeSpace(dirname(path));
  if (freeBytes !== undefined && diskBytes > freeBytes) {
    throw new CrucibleMemoryError('OUTPUT_UNWRITABLE', {
      what: `a heap snapshot of ${formatBytes(heapUsedBytes)} of heap takes about ${formatBytes(diskBytes)} on the disk`,
      why: `${dirname(path)} has ${formatBytes(freeBytes)} of free space`,
      fix: 'free space, write to another disk with --output, or go on all the same with --force',
    });
  }
}

/** Undefined where the system does not say. */
function freeSpace(folder: string): number | undefined {
  try {
    const { bavail, bsize, blocks } = statfsSync(folder);
    return blocks === 0 ? undefined : bavail * bsize;
  } catch {
    return undefined;
  }
}
