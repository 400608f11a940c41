#pragma once

#include <cstdint>

#include "heap/base/table.h"
#include "heap/graph/heap_graph.h"

namespace crucible::heap {

/** Which edges keep something alive by DevTools' rules: one bit each. */
using EssentialEdges = Bits<Edge>;

/**
 * Who refers to a node: four bytes an edge. The top bit of each marks an edge
 * that retains nothing, so that walking backwards needs no look at the edge.
 * Given up: which of the retainer's edges it is; that is found by looking
 * through them, and only needed for what a person reads.
 */
class Retainers {
 public:
  /** Nodes that can be numbered beside the mark. */
  static constexpr std::uint32_t kNodesMax = 0x7FFFFFFF;

  Retainers() = default;
  /** O(nodes + edges). Retainers of a node come in the order of their own numbers. */
  Retainers(const HeapGraph& graph, const EssentialEdges& essential);

  [[nodiscard]] Range<Retainer> of(Node node) const { return {first_[node], first_[Node{node.value + 1}]}; }
  [[nodiscard]] Node from(Retainer retainer) const { return Node{from_[retainer] & kNodesMax}; }
  [[nodiscard]] bool essential(Retainer retainer) const { return from_[retainer] <= kNodesMax; }
  [[nodiscard]] std::uint32_t raw(Retainer retainer) const { return from_[retainer]; }
  [[nodiscard]] const std::uint32_t* first_data() const { return first_.column().data(); }
  [[nodiscard]] const std::uint32_t* raw_data() const { return from_.column().data(); }
  [[nodiscard]] std::size_t node_bytes_held() const { return first_.bytes_held(); }
  [[nodiscard]] std::size_t edge_bytes_held() const { return from_.bytes_held(); }

 private:
  Table<Node, std::uint32_t> first_;
  Table<Retainer, std::uint32_t> from_;
};

}  // namespace crucible::heap
