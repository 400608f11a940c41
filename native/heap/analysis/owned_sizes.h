#pragma once

#include "heap/base/progress.h"
#include "heap/base/table.h"
#include "heap/graph/heap_graph.h"

namespace crucible::heap {

/**
 * Own sizes as a person counts them: the arrays and hidden objects that exactly
 * one object owns are added to it and become zero themselves, so that a Map is
 * as large as its table. Without user roots (a snapshot with internals) every
 * size stays what it is. DevTools' calculateShallowSizes. O(nodes + edges).
 */
[[nodiscard]] WideTable<Node> fold_into_owners(const HeapGraph& graph, Progress& progress);

/** The node that each node's size is counted with: itself, its only owner, or kNo<Node> for shared ones. */
[[nodiscard]] Table<Node, Node> find_owners(const HeapGraph& graph, Progress& progress);

}  // namespace crucible::heap
