#pragma once

#include <array>
#include <cstdint>

#include "heap/graph/heap_graph.h"

namespace crucible::heap {

/**
 * Which edges retain what they lead to, by DevTools' computeIsEssentialEdge:
 * no WeakMap entry seen from its table, no weak edge, no edge to itself and no
 * shortcut except the root's. The rest of that rule needs a search of the heap
 * and is the search's: nothing of V8's own retains what the program reaches.
 */
class EdgeRule {
 public:
  explicit EdgeRule(const HeapGraph& graph) : graph_(graph), types_(graph.edges.type.column().data()) {
    for (std::size_t type = 0; type < by_type_.size(); ++type) {
      switch (graph.meta.edge_kinds[type]) {
        case EdgeKind::kWeak: by_type_[type] = Verdict::kNever; break;
        case EdgeKind::kShortcut: by_type_[type] = Verdict::kFromRoot; break;
        case EdgeKind::kInternal: by_type_[type] = Verdict::kUnlessSeenFromTable; break;
        default: by_type_[type] = Verdict::kAlways;
      }
    }
  }

  [[nodiscard]] bool retains(Node from, Edge edge, Node to) const {
    if (to == from) return false;
    switch (by_type_[types_[edge.value]]) {
      case Verdict::kNever: return false;
      case Verdict::kFromRoot: return from == graph_.root;
      case Verdict::kUnlessSeenFromTable: return !is_seen_from_table(from, edge);
      default: return true;
    }
  }
  [[nodiscard]] bool is_weak(Edge edge) const { return by_type_[types_[edge.value]] == Verdict::kNever; }

 private:
  enum class Verdict : std::uint8_t { kAlways, kNever, kFromRoot, kUnlessSeenFromTable };

  /** True for a WeakMap entry's edge that starts at the table. */
  [[nodiscard]] bool is_seen_from_table(Node from, Edge edge) const {
    const Ephemerons::Entry* entry = graph_.ephemerons.of(graph_.name(edge));
    return entry != nullptr && graph_.nodes.id[from] == entry->table_id;
  }

  const HeapGraph& graph_;
  const std::uint8_t* const types_;
  std::array<Verdict, 256> by_type_{};
};

}  // namespace crucible::heap
