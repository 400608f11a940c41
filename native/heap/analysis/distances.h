#pragma once

#include <cstdint>

#include "heap/base/progress.h"
#include "heap/base/table.h"
#include "heap/graph/heap_graph.h"

namespace crucible::heap {

/** Objects that only V8's own roots reach are this far away and more. */
inline constexpr std::int32_t kSystemDistance = 100'000'000;
/** Of a node that nothing reaches. */
inline constexpr std::int32_t kNoDistance = -5;

/**
 * Edges from the nearest user root, exactly as DevTools counts them: user roots
 * are 1, the root is 100,000,000 and counts on from there. A WeakMap value is
 * one further than the later of its key and its table. O(nodes + edges).
 */
[[nodiscard]] Table<Node, std::int32_t> measure_distances(const HeapGraph& graph, Progress& progress);

}  // namespace crucible::heap
