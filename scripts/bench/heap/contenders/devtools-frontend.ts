import type { Compared, Contender, Loaded } from '../contender.js';
import { type DevToolsDiff, type DevToolsSnapshot, loadDevTools } from '../devtools.js';

const devTools = await loadDevTools();

/** DevTools of today: its worker, in two threads as in the browser. */
export const contender: Contender = {
  async load(path) {
    const { snapshot, parseMs } = await devTools.read(path);
    return () => ({ ...sizesOf(snapshot), parseMs });
  },
  /** As its comparison view does it: both snapshots stay loaded. */
  async diff(before, after) {
    const base = (await devTools.read(before)).snapshot;
    const { snapshot } = await devTools.read(after);
    const aggregates = base.aggregatesForDiff(snapshot.interfaceDefinitions());
    return totalsOf(snapshot.calculateSnapshotDiff(1, aggregates));
  },
};

export function sizesOf(snapshot: DevToolsSnapshot): Loaded {
  return {
    nodeCount: snapshot.nodeCount,
    edgeCount: snapshot.containmentEdges.length / snapshot.edgeFieldsCount,
    rootRetainedBytes:
      snapshot.retainedSizes[snapshot.rootNodeIndexInternal / snapshot.nodeFieldCount] ?? Number.NaN,
  };
}

export function totalsOf(diff: Record<string, DevToolsDiff>): Compared {
  const rows = Object.values(diff);
  const sum = (pick: (row: DevToolsDiff) => number) => rows.reduce((total, row) => total + pick(row), 0);
  return {
    newCount: sum((row) => row.addedCount),
    deletedCount: sum((row) => row.removedCount),
    deltaBytes: sum((row) => row.sizeDelta),
  };
}
