#include "heap/analysis/owned_sizes.h"

namespace crucible::heap {

namespace {

constexpr Node kUnvisited{0xFFFFFFFE};
constexpr Node kShared = kNo<Node>;

bool can_be_owned(const HeapGraph& graph, Node node) {
  switch (graph.kind(node)) {
    case NodeKind::kHidden:
    case NodeKind::kArray: return true;
    case NodeKind::kNative: return graph.is_named(node, hash_text("system / ExternalStringData"));
    default: return false;
  }
}

}  // namespace

Table<Node, Node> find_owners(const HeapGraph& graph, Progress& progress) {
  Table<Node, Node> owner_of(graph.node_count());
  // Nodes that may still get an owner or lose it. Nearly all edges lead to others, and bits stay in the cache.
  Bits<Node> undecided(graph.node_count());
  for (const Node node : graph.all_nodes()) {
    const bool ownable = can_be_owned(graph, node);
    owner_of[node] = ownable ? kUnvisited : node;
    if (ownable) undecided.set(node);
  }
  Column<Node> open;
  // A node goes from unvisited to one owner to shared and never back, so each is looked at twice at most.
  const std::uint32_t* const first_edge = graph.nodes.first_edge.column().data();
  const std::uint8_t* const types = graph.edges.type.column().data();
  const PackedView targets = graph.edges.to.view();
  const auto hand_on = [&](Node node, Node owner) {
    for (std::uint32_t edge = first_edge[node.value]; edge < first_edge[node.value + 1]; ++edge) {
      const Node to{targets[edge]};
      if (!undecided[to]) continue;
      const Node now = owner_of[to];
      if (now == owner || graph.meta.edge_kinds[types[edge]] == EdgeKind::kWeak) continue;
      if (now != kUnvisited) undecided.reset(to);
      owner_of[to] = now == kUnvisited ? owner : kShared;
      open.push_back(to);
    }
  };
  for (const Node node : graph.all_nodes()) {
    if ((node.value & 0xFFFF) == 0) progress.check();
    if (owner_of[node] == node) hand_on(node, node);
    while (!open.empty()) {
      const Node next = open.pop_back();
      hand_on(next, owner_of[next]);
    }
  }
  for (Node& owner : owner_of.column())
    if (owner == kUnvisited) owner = kShared;
  return owner_of;
}

WideTable<Node> fold_into_owners(const HeapGraph& graph, Progress& progress) {
  WideTable<Node> folded(graph.node_count());
  for (const Node node : graph.all_nodes()) folded.set(node, graph.nodes.self_bytes[node]);
  if (!graph.has_user_roots()) return folded;
  const Table<Node, Node> owner_of = find_owners(graph, progress);
  for (const Node node : graph.all_nodes()) {
    const Node owner = owner_of[node];
    if (owner == node || owner == kShared) continue;
    if (owner == graph.root || graph.kind(owner) == NodeKind::kSynthetic) continue;
    folded.set(owner, folded[owner] + graph.nodes.self_bytes[node]);
    folded.set(node, folded[node] - graph.nodes.self_bytes[node]);
  }
  return folded;
}

}  // namespace crucible::heap
