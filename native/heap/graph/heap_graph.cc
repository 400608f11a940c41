#include "heap/graph/heap_graph.h"

#include <algorithm>

namespace crucible::heap {

Node HeapGraph::from(Edge edge) const {
  const auto& first = nodes.first_edge.column();
  const auto after = std::upper_bound(first.begin(), first.end() - 1, edge.value);
  return Node{static_cast<std::uint32_t>(after - first.begin()) - 1};
}

Edge HeapGraph::find_edge(Node node, EdgeKind wanted, std::uint64_t name_hash) const {
  for (const Edge edge : edges_of(node))
    if (kind(edge) == wanted && is_named(edge, name_hash)) return edge;
  return kNo<Edge>;
}

Node HeapGraph::find_id(std::uint64_t id) const {
  const auto& narrow = nodes.id.narrow();
  if (id < kNone) {
    const auto at = std::find(narrow.begin(), narrow.end(), static_cast<std::uint32_t>(id));
    return at == narrow.end() ? kNo<Node> : Node{static_cast<std::uint32_t>(at - narrow.begin())};
  }
  for (const auto& [node, wide] : nodes.id.wide())
    if (wide == id) return Node{node};
  return kNo<Node>;
}

std::uint64_t HeapGraph::total_self_bytes() const {
  std::uint64_t total = 0;
  for (const std::uint32_t bytes : nodes.self_bytes.narrow()) total += bytes == kNone ? 0 : bytes;
  for (const auto& [node, bytes] : nodes.self_bytes.wide()) total += bytes;
  return total;
}

bool HeapGraph::is_user_root(Node node) const {
  return kind(node) != NodeKind::kSynthetic || is_named(node, hash_text("(Document DOM trees)"));
}

bool HeapGraph::has_user_roots() const {
  for (const Edge edge : edges_of(root))
    if (is_user_root(to(edge))) return true;
  return false;
}

}  // namespace crucible::heap
