#include "heap/compare/leak_share.h"

#include <bit>

namespace crucible::heap {

namespace {

bool is_followed(const HeapGraph& graph, Node from, Edge edge) {
  const EdgeKind kind = graph.kind(edge);
  return kind != EdgeKind::kWeak && (kind != EdgeKind::kShortcut || from == graph.root);
}

}  // namespace

std::vector<LeakShare> share_leaks(const HeapGraph& graph, std::span<const std::vector<Node>> groups,
                                   Progress& progress) {
  Bits<Node> growing(graph.node_count());
  for (const auto& group : groups)
    for (const Node node : group) growing.set(node);
  Bits<Node> elsewhere(graph.node_count());
  Column<Node> open;
  const auto reach = [&](Node node) {
    if (!growing[node] && elsewhere.claim(node)) open.push_back(node);
  };
  reach(graph.root);
  while (!open.empty()) {
    const Node node = open.pop_back();
    for (const Edge edge : graph.edges_of(node))
      if (is_followed(graph, node, edge)) reach(graph.to(edge));
  }
  Table<Node, std::uint64_t> reached_by(graph.node_count());
  for (std::size_t group = 0; group < groups.size() && group < kLeakGroupsMax; ++group) {
    progress.at(group, groups.size());
    const std::uint64_t mark = std::uint64_t{1} << group;
    const auto blame = [&](Node node) {
      if (elsewhere[node] || (reached_by[node] & mark) != 0) return;
      reached_by[node] |= mark;
      open.push_back(node);
    };
    for (const Node node : groups[group]) blame(node);
    while (!open.empty()) {
      const Node node = open.pop_back();
      for (const Edge edge : graph.edges_of(node))
        if (is_followed(graph, node, edge)) blame(graph.to(edge));
    }
  }
  std::vector<double> share(groups.size());
  std::vector<LeakShare> result(groups.size());
  for (const Node node : graph.all_nodes()) {
    const std::uint64_t marks = reached_by[node];
    if (marks == 0) continue;
    const std::uint64_t bytes = graph.nodes.self_bytes[node];
    if (std::has_single_bit(marks)) result[static_cast<std::size_t>(std::countr_zero(marks))].exclusive_bytes += bytes;
    const double part = static_cast<double>(bytes) / std::popcount(marks);
    for (std::uint64_t rest = marks; rest != 0; rest &= rest - 1) share[static_cast<std::size_t>(std::countr_zero(rest))] += part;
  }
  for (std::size_t group = 0; group < groups.size(); ++group)
    result[group].share_bytes = static_cast<std::uint64_t>(share[group] + 0.5);
  return result;
}

}  // namespace crucible::heap
