#pragma once

#include <cstdint>

#include "heap/base/progress.h"
#include "heap/base/table.h"
#include "heap/graph/heap_graph.h"

namespace crucible::heap {

/**
 * Who refers to a node: three bytes an edge, or four in a heap of more than
 * eight million nodes. The top bit of each marks an edge that retains nothing
 * by EdgeRule, so that walking backwards needs no look at the edge.
 * Given up: which of the retainer's edges it is; that is found by looking
 * through them, and only needed for what a person reads.
 */
class Retainers {
 public:
  /** Nodes that can be numbered beside the mark. */
  static constexpr std::uint32_t kNodesMax = 0x7FFFFFFF;

  Retainers() = default;
  /** O(nodes + edges). Retainers of a node come in the order of their own numbers. Throws INTERRUPTED. */
  Retainers(const HeapGraph& graph, const Progress& progress);

  [[nodiscard]] Range<Retainer> of(Node node) const { return {first_[node], first_[Node{node.value + 1}]}; }
  [[nodiscard]] Node from(Retainer retainer) const { return Node{from_[retainer] & ~mark()}; }
  [[nodiscard]] bool retains(Retainer retainer) const { return from_[retainer] < mark(); }
  [[nodiscard]] const std::uint32_t* first_data() const { return first_.column().data(); }
  /** Numbers of nodes, with the mark. */
  [[nodiscard]] PackedView raw() const { return from_.view(); }
  [[nodiscard]] std::uint32_t mark() const { return (from_.mask() >> 1) + 1; }
  [[nodiscard]] std::size_t node_bytes_held() const { return first_.bytes_held(); }
  [[nodiscard]] std::size_t edge_bytes_held() const { return from_.bytes_held(); }

 private:
  Table<Node, std::uint32_t> first_;
  PackedTable<Retainer> from_;
};

}  // namespace crucible::heap
