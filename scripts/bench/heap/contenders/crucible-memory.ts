import { diffHeapSnapshots, openHeapSnapshot } from '../../../../src/snapshot/index.js';
import type { Contender } from '../contender.js';

/** V8 gives every snapshot's root this id. */
const ROOT_ID = 1;

/** The package's public API. */
export const contender: Contender = {
  async load(path) {
    const heap = await openHeapSnapshot(path);
    return async () => {
      const { snapshot } = await heap.overview({ top: 1 });
      const { node } = await heap.node(ROOT_ID, { paths: 0, fields: 0 });
      return {
        nodeCount: snapshot.nodeCount,
        edgeCount: snapshot.edgeCount,
        rootRetainedBytes: node.retainedBytes,
      };
    };
  },
  async diff(before, after) {
    return (await diffHeapSnapshots([before, after])).balance;
  },
};
