#pragma once

#include <cstdint>
#include <vector>

#include "heap/analysis/snapshot.h"

namespace crucible::heap {

/** The objects with the most bytes of their own, owned arrays included; largest first. */
[[nodiscard]] std::vector<Node> largest_objects(const Snapshot& snapshot, std::size_t count);

/**
 * The objects that keep most alive, largest first. V8's groupings and roots
 * are left out, and so is an object whose retained bytes all but equal those of
 * an object already listed that it dominates or is dominated by: a chain of
 * single owners is one finding.
 * @param share_min of the dominator's retained size, from which on two are one
 */
[[nodiscard]] std::vector<Node> largest_retainers(const Snapshot& snapshot, std::size_t count,
                                                  double share_min = 0.99);

/** Classes by retained bytes, largest first. */
[[nodiscard]] std::vector<Class> largest_classes(const Snapshot& snapshot, std::size_t count);

}  // namespace crucible::heap
