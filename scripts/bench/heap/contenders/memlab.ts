import { requirePeer } from '../../peer.js';
import type { Contender } from '../contender.js';

interface Node {
  id: number;
  type: string;
  name: string;
  self_size: number;
  retainedSize: number;
}

interface Heap {
  nodes: { length: number; get(index: number): Node | null; forEach(visit: (node: Node) => void): void };
  edges: { length: number };
}

interface Core {
  utils: {
    getSnapshotNodeIdsFromFile(
      path: string,
      options: object,
    ): Promise<{ has(id: number): boolean; size: number }>;
  };
  config: { muteConsole: boolean };
}

interface HeapAnalysis {
  getFullHeapFromFile(path: string): Promise<Heap>;
}

const { utils, config } = requirePeer('memlab', '@memlab/core') as Core;
const { getFullHeapFromFile } = requirePeer('memlab', '@memlab/heap-analysis') as HeapAnalysis;
config.muteConsole = true;

export const contender: Contender = {
  async load(path) {
    const heap = await getFullHeapFromFile(path);
    return () => ({
      nodeCount: heap.nodes.length,
      edgeCount: heap.edges.length,
      rootRetainedBytes: heap.nodes.get(0)?.retainedSize ?? Number.NaN,
    });
  },
  /**
   * What it does inside when it looks for leaks (MemoryAnalyst.diffSnapshots): ids of
   * the first, the whole of the second, and what of that is new, by type and name.
   * It says nothing of what is gone.
   */
  async diff(before, after) {
    const ids = await utils.getSnapshotNodeIdsFromFile(before, { verbose: false });
    const heap = await getFullHeapFromFile(after);
    const classes = new Map<string, { count: number; bytes: number }>();
    let newCount = 0;
    heap.nodes.forEach(({ id, type, name, self_size }) => {
      if (ids.has(id)) return;
      newCount++;
      const row = classes.get(`${name} (${type})`) ?? { count: 0, bytes: 0 };
      row.count++;
      row.bytes += self_size;
      classes.set(`${name} (${type})`, row);
    });
    return { newCount, deletedCount: null, deltaBytes: null };
  },
};
