#include "heap/analysis/distances.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "heap/base/prefetch.h"

namespace crucible::heap {

namespace {

class Search {
 public:
  Search(const HeapGraph& graph, Progress& progress)
      : graph_(graph),
        progress_(progress),
        distances_(graph.node_count(), kNoDistance),
        is_met_(graph.node_count()),
        seen_once_(graph.ephemerons.pair_count()),
        descriptor_arrays_(graph.strings.all_of(hash_text("(map descriptors)"))),
        native_contexts_(graph.strings.all_of(hash_text("system / NativeContext"))) {}

  Table<Node, std::int32_t> run() {
    bool any = false;
    for (const Edge edge : graph_.edges_of(graph_.root)) {
      const Node node = graph_.to(edge);
      if (!graph_.is_user_root(node)) continue;
      any = true;
      if (is_met_.claim(node)) open_.push_back(node);
    }
    spread(1);
    // The root starts anew even if a user root leads back to it.
    is_met_.set(graph_.root);
    open_.push_back(graph_.root);
    spread(any ? kSystemDistance : 0);
    return std::move(distances_);
  }

 private:
  using PairIndex = Index<struct PairSpace>;

  /** Numbers the open nodes, and level by level what they lead to. */
  void spread(std::int32_t distance) {
    for (; !open_.empty(); ++distance) {
      for (std::size_t at = 0; at < open_.size(); ++at) {
        if ((at & 0xFFFF) == 0) progress_.check();
        look_ahead(at);
        distances_[open_[at]] = distance;
        follow_edges(open_[at]);
      }
      open_.swap(next_);
      next_.resize(0);
    }
  }

  void follow_edges(Node node) {
    const std::uint8_t* const types = graph_.edges.type.column().data();
    const PackedView targets = graph_.edges.to.view();
    const bool special = is_special(node);
    for (const Edge edge : graph_.edges_of(node)) {
      const Node target{targets[edge.value]};
      if (is_met_[target]) continue;
      const EdgeKind kind = graph_.meta.edge_kinds[types[edge.value]];
      if (kind == EdgeKind::kWeak) continue;
      if (special && !is_followed(node, edge)) continue;
      if (kind == EdgeKind::kInternal && !special && is_first_of_pair(edge)) continue;
      is_met_.set(target);
      next_.push_back(target);
    }
  }

  /** Begins the look-ups of nodes whose turn comes soon: where their edges are, then the edges. */
  void look_ahead(std::size_t at) const {
    constexpr std::size_t kNodesAhead = 8;
    if (at + 2 * kNodesAhead >= open_.size()) return;
    const std::uint32_t* const first_edge = graph_.nodes.first_edge.column().data();
    will_read(first_edge + open_[at + 2 * kNodesAhead].value);
    const std::uint32_t soon = open_[at + kNodesAhead].value;
    will_read(distances_.column().data() + soon);
    will_read(graph_.nodes.type_and_detachedness.column().data() + soon);
    will_read(graph_.nodes.name.column().data() + soon);
    will_read(graph_.edges.to.view().address(first_edge[soon]));
    will_read(graph_.edges.type.column().data() + first_edge[soon]);
  }

  /** Nodes some of whose edges are not followed. */
  [[nodiscard]] bool is_special(Node node) const {
    switch (graph_.kind(node)) {
      case NodeKind::kArray: return is_one_of(descriptor_arrays_, graph_.name(node));
      case NodeKind::kHidden: return is_one_of(native_contexts_, graph_.name(node));
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
    return graph_.kind(node) == NodeKind::kArray && is_one_of(descriptor_arrays_, graph_.name(node));
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

  static bool is_one_of(const std::vector<Text>& texts, Text text) {
    return std::find(texts.begin(), texts.end(), text) != texts.end();
  }

  const HeapGraph& graph_;
  Progress& progress_;
  Table<Node, std::int32_t> distances_;
  /** Most edges lead to nodes that were met, and bits stay in the cache. */
  Bits<Node> is_met_;
  Bits<PairIndex> seen_once_;
  /** Names to compare with, instead of a look at the hash of every node's. */
  const std::vector<Text> descriptor_arrays_, native_contexts_;
  /** The nodes of this distance, and those of the next. */
  Column<Node> open_, next_;
};

}  // namespace

Table<Node, std::int32_t> measure_distances(const HeapGraph& graph, Progress& progress) {
  return Search(graph, progress).run();
}

}  // namespace crucible::heap
