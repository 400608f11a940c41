import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { cgroupOf } from '../../../src/capture/cgroup.js';
import { headRoomOf, requireRoomForSnapshot } from '../../../src/capture/head-room.js';
import { GIB, MIB } from '../../../src/units.js';
import { folderWith } from '../../fixtures/folder.js';

const V1_TABLE = '11:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n';
const V2_TABLE = '0::/system.slice/app.service\n';

describe('the control group of a process', () => {
  test('is read in version 1, with the tightest limit of it and its parents', (t) => {
    const root = folderWith(t, {
      'proc/7/cgroup': V1_TABLE,
      'sys/memory/memory.limit_in_bytes': '9223372036854771712\n',
      'sys/memory/memory.usage_in_bytes': '1\n',
      'sys/memory/docker/memory.limit_in_bytes': '1000000\n',
      'sys/memory/docker/abc/memory.limit_in_bytes': '2000000\n',
      'sys/memory/docker/abc/memory.usage_in_bytes': '800000\n',
      'sys/memory/docker/abc/memory.stat': 'cache 5\ninactive_file 7\ntotal_inactive_file 9000\n',
    });
    assert.deepEqual(cgroupOf(7, join(root, 'sys'), join(root, 'proc'))?.(), {
      usedBytes: 800_000,
      inactiveFileBytes: 9000,
      limitBytes: 1_000_000,
    });
  });

  test('is read in version 2, where no limit is the word max', (t) => {
    const root = folderWith(t, {
      'proc/7/cgroup': V2_TABLE,
      'sys/system.slice/app.service/memory.max': 'max\n',
      'sys/system.slice/app.service/memory.current': '800000\n',
      'sys/system.slice/app.service/memory.stat': 'anon 5\ninactive_file 7000\n',
    });
    assert.deepEqual(cgroupOf(7, join(root, 'sys'), join(root, 'proc'))?.(), {
      usedBytes: 800_000,
      inactiveFileBytes: 7000,
      limitBytes: null,
    });
  });

  test('is the root where a container sees its own group there', (t) => {
    const root = folderWith(t, {
      'proc/7/cgroup': V2_TABLE,
      'sys/memory.max': '5000000\n',
      'sys/memory.current': '800000\n',
    });
    assert.deepEqual(cgroupOf(7, join(root, 'sys'), join(root, 'proc'))?.(), {
      usedBytes: 800_000,
      inactiveFileBytes: 0,
      limitBytes: 5_000_000,
    });
  });

  test('is undefined where there is none', (t) => {
    const root = folderWith(t, { 'proc/7/cgroup': V2_TABLE });
    assert.equal(cgroupOf(7, join(root, 'sys'), join(root, 'proc')), undefined);
    assert.equal(cgroupOf(8, join(root, 'sys'), join(root, 'proc')), undefined);
  });
});

describe('room for a heap snapshot', () => {
  const pid = process.pid;

  test('is refused with the numbers where the container has too little memory left', () => {
    const headRoom = { availableBytes: 200 * MIB, bound: 'cgroup' } as const;
    assert.throws(() => requireRoomForSnapshot({ pid, heapUsedBytes: 100 * MIB, path: '/tmp/x', headRoom }), {
      code: 'MEMORY_TOO_LITTLE',
      what: 'a heap snapshot of 100 MiB of heap needs about 625 MiB of memory beside it',
      why: "the process's container has 200 MiB left, and the process would probably be killed",
      fix: /--force/,
    });
  });

  test('is refused where the disk is too small', () => {
    const headRoom = { availableBytes: 1e20, bound: 'machine' } as const;
    assert.throws(() => requireRoomForSnapshot({ pid, heapUsedBytes: 1e17, path: '/tmp/x', headRoom }), {
      code: 'OUTPUT_UNWRITABLE',
      why: /of free space/,
    });
  });

  test('is given for a small heap on this machine', () => {
    requireRoomForSnapshot({ pid, heapUsedBytes: 100_000, path: '/tmp/x' });
    const { availableBytes } = headRoomOf(pid);
    assert.ok(availableBytes > 0 && availableBytes < 1000 * GIB);
  });
});
