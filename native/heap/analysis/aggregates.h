#pragma once

#include <cstdint>
#include <vector>

#include "heap/analysis/class_table.h"
#include "heap/analysis/dominators.h"
#include "heap/base/table.h"
#include "heap/graph/heap_graph.h"

namespace crucible::heap {

/** All nodes of a class together. */
struct ClassTotals {
  /** Nodes with a size of their own after folding, as DevTools counts. */
  std::uint64_t count = 0;
  std::uint64_t owned_bytes = 0;
  /** All nodes, with the sizes that the file gives. */
  std::uint64_t raw_count = 0;
  std::uint64_t raw_bytes = 0;
  /** What is freed when all of them go: only the outermost on each way up the dominator tree count. */
  std::uint64_t retained_bytes = 0;
  /** The smallest. */
  std::int32_t distance = 0;
};

/** Position in an order in which everything that a node dominates stands right behind it. */
using Preorder = Index<struct PreorderSpace>;

/** The dominator tree as it is walked, without links: six bytes a node, or eight in a heap of more than 16 million. */
struct DominatorWalk {
  PackedTable<Preorder, Node> node_at;
  /** Nodes that it dominates, itself included. */
  PackedTable<Preorder> size_at;
};

/** O(nodes). Takes the tree, and works in its place. */
[[nodiscard]] DominatorWalk walk_dominators(const DfsOrder& order, PackedTable<Dfs, Dfs> dominator);

struct Dominated {
  /** Of each node; the root is its own. */
  PackedTable<Node, Node> dominator;
  WideTable<Node> retained_bytes;
};

/**
 * What dominates a node has not ended when the walk comes to it, and a node
 * retains all that comes before its own end. O(nodes), without recursion.
 */
[[nodiscard]] Dominated sum_retained(const DominatorWalk& walk, const WideTable<Node>& owned_bytes);

/** What is freed when all nodes of a class go. O(nodes). */
[[nodiscard]] Table<Class, std::uint64_t> sum_retained_by_class(const ClassTable& classes, const DominatorWalk& walk,
                                                                const WideTable<Node>& retained_bytes,
                                                                const WideTable<Node>& owned_bytes);

/** O(nodes). */
[[nodiscard]] std::vector<ClassTotals> total_classes(const HeapGraph& graph, const ClassTable& classes,
                                                     const WideTable<Node>& owned_bytes,
                                                     const Table<Class, std::uint64_t>& retained_bytes,
                                                     const Table<Node, std::int32_t>& distance);

}  // namespace crucible::heap
