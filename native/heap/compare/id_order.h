#pragma once

#include "heap/base/column.h"
#include "heap/base/progress.h"
#include "heap/graph/heap_graph.h"

namespace crucible::heap {

/** All nodes in the order of their ids. Radix sort: O(nodes), sixteen bytes a node meanwhile. */
[[nodiscard]] Column<Node> order_by_id(const HeapGraph& graph, Progress& progress);

}  // namespace crucible::heap
