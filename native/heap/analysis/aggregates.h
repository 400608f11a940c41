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

/**
 * Sums sizes up the dominator tree. Leaves come first in reverse search order,
 * so one pass is enough.
 */
[[nodiscard]] WideTable<Dfs> sum_retained(const DfsOrder& order, const PackedTable<Dfs, Dfs>& dominator,
                                          const WideTable<Node>& owned_bytes);

/** O(nodes). */
[[nodiscard]] std::vector<ClassTotals> total_classes(const HeapGraph& graph, const ClassTable& classes,
                                                     const WideTable<Node>& owned_bytes,
                                                     const Table<Node, std::int32_t>& distance);

/** Fills in `retained_bytes` by walking down the dominator tree. O(nodes), eight bytes a node meanwhile. */
void total_retained(std::vector<ClassTotals>& totals, const ClassTable& classes, Node root,
                    const PackedTable<Node, Node>& dominator, const WideTable<Node>& retained_bytes,
                    const WideTable<Node>& owned_bytes);

}  // namespace crucible::heap
