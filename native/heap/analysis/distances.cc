#include "heap/analysis/distances.h"

#include <cstdlib>
#include <string>

#include "heap/base/prefetch.h"

namespace crucible::heap {

namespace {

class Search {
 public:
  Search(const HeapGraph& graph, Progress& progress)
      : graph_(graph),
        progress_(progress),
        distances_(graph.node_count(), kNoDistance),
        seen_once_(graph.ephemerons.pair_count()) {}

  Table<Node, std::int32_t> run() {
    bool any = false;
    for (const Edge edge : graph_.edges_of(graph_.root)) {
      const Node node = graph_.to(edge);
      if (!graph_.is_user_root(node)) continue;
      distances_[node] = 1;
      open_.push_back(node);
      any = true;
    }
    spread();
    distances_[graph_.root] = any ? kSystemDistance : 0;
    open_.clear();
    open_.push_back(graph_.root);
    spread();
    return std::move(distances_);
  }

 private:
  using PairIndex = Index<struct PairSpace>;

  void spread() {
    const std::uint32_t* const first_edge = graph_.nodes.first_edge.column().data();
    const std::uint8_t* const types = graph_.edges.type.column().data();
    const Node* const targets = graph_.edges.to.column().data();
    std::int32_t* const distances = distances_.column().data();
    for (std::size_t at = 0; at < open_.size(); ++at) {
      if ((at & 0xFFFF) == 0) progress_.check();
      look_ahead(at);
      const Node node = open_[at];
      const std::int32_t distance = distances[node.value] + 1;
      const bool special = is_special(node);
      for (std::uint32_t edge = first_edge[node.value]; edge < first_edge[node.value + 1]; ++edge) {
        if (distances[targets[edge].value] != kNoDistance) continue;
        const EdgeKind kind = graph_.meta.edge_kinds[types[edge]];
        if (kind == EdgeKind::kWeak) continue;
        if (special && !is_followed(node, Edge{edge})) continue;
        if (kind == EdgeKind::kInternal && !special && is_first_of_pair(Edge{edge})) continue;
        distances[targets[edge].value] = distance;
        open_.push_back(targets[edge]);
      }
    }
  }

  /** Begins the look-ups of nodes whose turn comes soon: where their edges are, then where those lead. */
  void look_ahead(std::size_t at) const {
    constexpr std::size_t kNodesAhead = 6;
    const std::uint32_t* const first_edge = graph_.nodes.first_edge.column().data();
    const Node* const targets = graph_.edges.to.column().data();
    if (at + 3 * kNodesAhead >= open_.size()) return;
    will_read(first_edge + open_[at + 3 * kNodesAhead].value);
    will_read(targets + first_edge[open_[at + 2 * kNodesAhead].value]);
    const std::uint32_t first = first_edge[open_[at + kNodesAhead].value];
    const std::uint32_t end = first_edge[open_[at + kNodesAhead].value + 1];
    for (std::uint32_t edge = first; edge < end && edge < first + 8; ++edge)
      will_read(distances_.column().data() + targets[edge].value);
  }

  /** Nodes some of whose edges are not followed. */
  [[nodiscard]] bool is_special(Node node) const {
    switch (graph_.kind(node)) {
      case NodeKind::kArray: return is_descriptor_array(node);
      case NodeKind::kHidden: return graph_.is_named(node, hash_text("system / NativeContext"));
      default: return false;
    }
  }

  /** Of the two edges of a WeakMap entry, the first one met does not lead to the value yet. */
  bool is_first_of_pair(Edge edge) {
    const Ephemerons::Entry* entry = graph_.ephemerons.of(graph_.name(edge));
    if (entry == nullptr) return false;
    const PairIndex pair{entry->pair};
    if (seen_once_.claim(pair)) return true;
    seen_once_.reset(pair);
    return false;
  }

  [[nodiscard]] bool is_descriptor_array(Node node) const {
    return graph_.kind(node) == NodeKind::kArray && graph_.is_named(node, hash_text("(map descriptors)"));
  }

  /**
   * Maps share descriptor arrays, so every third slot, a descriptor, says
   * nothing about distance (crbug.com/413608).
   */
  bool is_followed(Node node, Edge edge) {
    if (!is_descriptor_array(node))
      return !graph_.is_named(edge, hash_text("sloppy_function_map")) &&
             !(graph_.kind(edge) == EdgeKind::kInternal && is_first_of_pair(edge));
    if (!graph_.has_text_name(edge)) {
      const std::uint32_t slot = graph_.edges.name_or_index[edge];
      return slot < 2 || slot % 3 != 1;
    }
    const std::string name = graph_.strings.decode(graph_.name(edge));
    char* end = nullptr;
    const long slot = std::strtol(name.c_str(), &end, 10);
    return end == name.c_str() || slot < 2 || slot % 3 != 1;
  }

  const HeapGraph& graph_;
  Progress& progress_;
  Table<Node, std::int32_t> distances_;
  Bits<PairIndex> seen_once_;
  Column<Node> open_;
};

}  // namespace

Table<Node, std::int32_t> measure_distances(const HeapGraph& graph, Progress& progress) {
  return Search(graph, progress).run();
}

}  // namespace crucible::heap
