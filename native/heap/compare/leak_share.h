#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "heap/base/progress.h"
#include "heap/base/table.h"
#include "heap/graph/heap_graph.h"

namespace crucible::heap {

/** The most groups that can be told apart at once. */
inline constexpr std::size_t kLeakGroupsMax = 64;

/** What a group of growing objects is to blame for. Raw sizes. */
struct LeakShare {
  std::uint64_t share_bytes = 0;
  std::uint64_t exclusive_bytes = 0;
};

/**
 * Divides what only growing objects reach among their groups: an object that k
 * groups reach counts a k-th for each. The shares rank the groups; exclusive
 * bytes are a lower bound of what one fix frees. (BLeak's LeakShare.)
 * @param groups members of each group, at most 64 groups
 * O(groups * what they reach), eight bytes a node meanwhile.
 */
[[nodiscard]] std::vector<LeakShare> share_leaks(const HeapGraph& graph, std::span<const std::vector<Node>> groups,
                                                 Progress& progress);

}  // namespace crucible::heap
