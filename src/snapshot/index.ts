export type {
  BalanceAnswer as HeapBalance,
  DuplicateStringAnswer as DuplicateString,
  FieldAnswer as HeapField,
  PathDeltaAnswer as PathDelta,
  SnapshotAnswer as SnapshotTotals,
} from './answers.js';
export type { FollowOptions, HeapProgress } from './following.js';
export {
  type HeapClass,
  type HeapNode,
  type HeapNodeDetail,
  type HeapOptions,
  type HeapOverview,
  HeapSnapshot,
  openHeapSnapshot,
} from './heap-snapshot.js';
export type { HeapSource } from './heap-source.js';
export {
  type ClassDelta,
  type DiffSummary,
  diffHeapSnapshots,
  type Grower,
  type GrowingGroup,
  type HeapDiff,
  type HeapDiffOptions,
} from './heapdump-diff.js';
export type { HeapStep, Retained } from './retained.js';
