#pragma once

#include <cstdint>
#include <span>

#include "heap/base/progress.h"
#include "heap/base/table.h"
#include "heap/graph/heap_graph.h"

namespace crucible::heap {

/** What a garbage collector would keep. */
struct Reachable {
  Bits<Node> alive;
  std::uint64_t objects = 0;
  /** Raw sizes. */
  std::uint64_t bytes = 0;
};

/**
 * Follows strong references from the root, and a WeakMap's value exactly when
 * both its key and its table are alive: the ephemeron fixpoint, in one pass,
 * because each half of an entry is counted when its owner is met.
 * V8's shortcuts repeat other paths and are not followed. O(nodes + edges).
 */
[[nodiscard]] Reachable find_reachable(const HeapGraph& graph, std::span<const Edge> without_edges,
                                       std::span<const Node> without_nodes, Progress& progress);

/** What goes when references go. */
struct Removal {
  std::uint64_t freed_objects = 0;
  std::uint64_t freed_bytes = 0;
  /** Objects that were alive and no longer are. */
  Bits<Node> freed;
};

/** "What is freed if these references, or these objects, go": exact, unlike a retained size. */
[[nodiscard]] Removal remove_references(const HeapGraph& graph, std::span<const Edge> edges,
                                        std::span<const Node> nodes, Progress& progress);

}  // namespace crucible::heap
