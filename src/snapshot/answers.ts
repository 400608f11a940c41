/**
 * What the native engine answers, as it arrives: JSON documents whose shapes are these.
 * native/heap/json/ writes them; a test holds the two against each other. Sizes are in
 * bytes, `self` as the file gives them, `owned` with backing stores counted to the
 * object that owns them (DevTools' shallow size), `retained` what goes with the object.
 */

/** A place in a script, counted from one as editors do. */
export interface PlaceAnswer {
  /** URL or path as V8 knows it. */
  script: string;
  line: number;
  column: number;
}

export interface SnapshotAnswer {
  path: string;
  nodeCount: number;
  edgeCount: number;
  stringCount: number;
  totalSelfBytes: number;
  /** Embedder memory that the file mentions beside its nodes. */
  extraNativeBytes: number;
  /** Sentences about what a salvaged file lacks; empty for a whole one. */
  missing: string[];
}

export interface NodeAnswer {
  id: number;
  /** V8's node type: `object`, `closure`, `string`, ... */
  type: string;
  /** What a person would call it: `Map`, `handler()`, `"text"`. */
  name: string;
  className: string;
  /** Of the closure, or of the object's constructor. */
  place: PlaceAnswer | null;
  selfBytes: number;
  ownedBytes: number;
  retainedBytes: number;
  /** Null for the root. */
  dominatorId: number | null;
  /** Steps from the roots by DevTools' rules; null if unreachable. V8's own objects count from 100,000,000. */
  distance: number | null;
}

/**
 * One reference of a path: `edge` leads to the object `id`. The first step starts at a root.
 * Of a path with more than 201 references the middle is one step, `… 5000 references …`.
 */
export interface StepAnswer {
  /** `.name`, `[5]`, `->variable`, `{internal}`, `[[weak]]`. */
  edge: string;
  id: number;
  name: string;
  className: string;
  /** Of a closure, of an object's constructor, and of a scope the first function that was made in it. */
  place: PlaceAnswer | null;
}

export interface ClassAnswer {
  name: string;
  place: PlaceAnswer | null;
  count: number;
  ownedBytes: number;
  retainedBytes: number;
}

export interface CollectionAnswer {
  id: number;
  kind: 'map' | 'set' | 'weak map' | 'array' | 'dictionary' | 'listeners';
  name: string;
  /** Entries that the snapshot shows; small integers are not in it. */
  entries: number;
  /** Entries that fit without growing; null where unknown. */
  capacity: number | null;
  retainedBytes: number;
  path: StepAnswer[];
}

export interface DuplicateStringAnswer {
  /** One string object that spells it. */
  id: number;
  text: string;
  count: number;
  totalBytes: number;
  /** What would be saved if only the largest of them existed. */
  wastedBytes: number;
  /** V8 cuts texts at about 1,024 characters: then only the beginnings are known to be equal. */
  isGuess: boolean;
}

/** About one heap. */
export interface OverviewAnswer {
  snapshot: SnapshotAnswer;
  types: { type: string; count: number; selfBytes: number }[];
  unreachable: { count: number; selfBytes: number };
  /** By retained size. */
  classes: ClassAnswer[];
  /** Objects by retained size, a chain of single owners once. */
  retainers: (NodeAnswer & { path: StepAnswer[] })[];
  /** Objects by owned size. */
  objects: NodeAnswer[];
  /** By entries. */
  collections: CollectionAnswer[];
  /** By wasted bytes. */
  duplicateStrings: DuplicateStringAnswer[];
}

export interface FieldAnswer {
  /** V8's edge type: `property`, `element`, `internal`, ... */
  edgeType: string;
  edge: string;
  id: number;
  type: string;
  name: string;
  selfBytes: number;
  retainedBytes: number;
}

/** About one object. */
export interface NodeDetailAnswer {
  node: NodeAnswer;
  dominator: NodeAnswer | null;
  /** References that it has, largest retained size first; at most as many as asked for. */
  fields: FieldAnswer[];
  fieldCount: number;
  /** References to it. `id`, `type` and `name` are of the object that holds it. */
  holders: FieldAnswer[];
  holderCount: number;
  shortestPath: StepAnswer[];
  /** Paths that share no object but their ends: how many references must go before it is free. */
  distinctPaths: StepAnswer[][];
  /** WeakMaps whose table keeps it alive together with a key. DevTools counts it to the key alone. */
  weakMapEntries: { tableId: number; keyId: number | null }[];
  /** Exact, ephemerons included: what a garbage collector would free if this object went. */
  ifRemoved: { freedObjects: number; freedBytes: number };
  collection: { kind: CollectionAnswer['kind']; entries: number; capacity: number | null } | null;
  /** Innermost first; empty unless allocations were tracked. */
  allocationStack: { functionName: string; place: PlaceAnswer | null }[];
}

export interface ClassDeltaAnswer {
  name: string;
  place: PlaceAnswer | null;
  /** Why the row is ranked last, if it is: it stays in every sum. */
  noise: 'compiler' | 'embedder' | null;
  addedCount: number;
  removedCount: number;
  addedBytes: number;
  removedBytes: number;
  survivorDeltaBytes: number;
  deltaCount: number;
  deltaBytes: number;
  retainedDeltaBytes: number;
}

export interface GrowerAnswer {
  id: number;
  name: string;
  className: string;
  /** `compiler`: V8's own, and ranked last. */
  noise: 'compiler' | null;
  place: PlaceAnswer | null;
  path: StepAnswer[];
  ownedDeltaBytes: number;
  deltaEntries: number;
  /** In the last snapshot. */
  entries: number;
  retainedBytes: number;
  /** Since the first snapshot. */
  retainedDeltaBytes: number;
}

export interface GrowthAnswer {
  /** Sixteen hexadecimal digits, the same for the same leak in another run. */
  fingerprint: string;
  path: string;
  className: string;
  /** `compiler`: V8's own, and ranked last. */
  noise: 'compiler' | null;
  /** A recent entry, to look at with `inspect --node`. */
  sampleId: number | null;
  place: PlaceAnswer | null;
  deltaCounts: number[];
  deltaBytes: number[];
  shareBytes: number;
  exclusiveBytes: number;
}

export interface PathDeltaAnswer {
  fingerprint: string;
  path: string;
  className: string;
  deltaCount: number;
  deltaBytes: number;
}

/** Delta = new - deleted + survivor delta, on the sizes that the files give. */
export interface BalanceAnswer {
  deltaBytes: number;
  newBytes: number;
  deletedBytes: number;
  survivorDeltaBytes: number;
  /** Zero, or the comparison is wrong. */
  residualBytes: number;
  newCount: number;
  deletedCount: number;
  survivorCount: number;
}

/** About the first and the last of several snapshots; `growth` about all of them. */
export interface DiffAnswer {
  snapshots: SnapshotAnswer[];
  /** False: the files come from different processes, and objects were matched by class and path alone. */
  isOneProcess: boolean;
  balance: BalanceAnswer;
  /** Every class that changed. Largest growth first, noise last. Their deltaBytes sum to balance.deltaBytes. */
  classes: ClassDeltaAnswer[];
  /** Empty unless the files come from one process. */
  growers: GrowerAnswer[];
  /** Empty with fewer than three snapshots. */
  growth: GrowthAnswer[];
  /** Where the change is, by path; only when the files come from different processes. */
  paths: PathDeltaAnswer[];
}
