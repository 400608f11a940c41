#include "test/native/heap/slow_truth.h"

#include <algorithm>
#include <optional>
#include <random>
#include <string>

namespace slow {

using namespace crucible::heap;

HeapBuilder random_heap(std::uint32_t seed, std::uint32_t nodes_max) {
  std::mt19937 random(seed);
  const auto below = [&](std::uint32_t limit) { return static_cast<std::uint32_t>(random() % limit); };
  HeapBuilder heap;
  const std::uint32_t nodes = 3 + below(nodes_max);
  static const char* const kTypes[] = {"object", "object", "array", "hidden", "closure", "string", "synthetic", "native", "code"};
  static const char* const kNames[] = {"A", "B", "Object", "", "(map descriptors)", "system / ExternalStringData"};
  while (heap.node_count() < nodes) heap.node(kTypes[below(9)], kNames[below(6)], below(5) == 0 ? 0 : below(1000));
  const std::uint32_t roots = 1 + below(3);
  for (std::uint32_t at = 0; at < roots; ++at)
    heap.edge(below(2) != 0 ? "element" : "shortcut", at, heap.root(), 1 + below(nodes - 1));
  static const char* const kEdges[] = {"property", "property", "internal", "context", "element", "hidden", "weak", "shortcut"};
  // V8 never refers to the root, and the root never weakly to anything; few graphs here do.
  const std::uint32_t first = seed % 5 == 0 ? 0 : 1;
  const auto any = [&] { return first + below(nodes - first); };
  const std::uint32_t edges = below(nodes * 4);
  for (std::uint32_t at = 0; at < edges; ++at) {
    const std::string type = kEdges[below(8)];
    if (type == "element" || type == "hidden") heap.edge(type, below(9), any(), any());
    else heap.edge(type, std::string(1, static_cast<char>('a' + below(5))), any(), any());
  }
  if (below(3) == 0)
    for (std::uint32_t at = 0; at < 1 + below(6); ++at) heap.weak_map_entry(below(nodes), below(nodes), 1 + below(nodes - 1));
  return heap;
}

namespace {

/** The id of the table in the name of a WeakMap entry's edge. */
std::optional<std::uint64_t> table_of(const HeapGraph& graph, Edge edge) {
  if (graph.kind(edge) != EdgeKind::kInternal) return std::nullopt;
  const std::string name = graph.strings.decode(graph.name(edge));
  const std::size_t at = name.find(" pair in WeakMap (table @");
  if (at == std::string::npos) return std::nullopt;
  return std::stoull(name.substr(at + 25));
}

std::set<std::uint32_t> page_owned(const HeapGraph& graph) {
  std::set<std::uint32_t> owned;
  for (const Edge edge : graph.edges_of(graph.root))
    if (graph.kind(edge) == EdgeKind::kShortcut) owned.insert(graph.to(edge).value);
  for (bool grew = true; grew;) {
    grew = false;
    for (const Node node : graph.all_nodes())
      for (const Edge edge : graph.edges_of(node))
        if (owned.contains(node.value) && graph.kind(edge) != EdgeKind::kWeak)
          grew |= owned.insert(graph.to(edge).value).second;
  }
  return owned;
}

using Successors = std::vector<std::set<std::uint32_t>>;

std::set<std::uint32_t> reachable(const Successors& next, std::uint32_t root, std::uint32_t without) {
  std::set<std::uint32_t> met;
  std::vector<std::uint32_t> open;
  if (root != without) open.push_back(root);
  while (!open.empty()) {
    const std::uint32_t node = open.back();
    open.pop_back();
    if (node == without || !met.insert(node).second) continue;
    open.insert(open.end(), next[node].begin(), next[node].end());
  }
  return met;
}

}  // namespace

std::set<std::uint32_t> retaining_edges(const HeapGraph& graph) {
  std::set<std::uint32_t> retaining;
  for (const Node node : graph.all_nodes()) {
    for (const Edge edge : graph.edges_of(node)) {
      const bool is_root = node == graph.root;
      const auto table = table_of(graph, edge);
      if (table && *table == graph.nodes.id[node]) continue;
      if (graph.kind(edge) == EdgeKind::kWeak) continue;
      if (graph.to(edge) == node) continue;
      if (!is_root && graph.kind(edge) == EdgeKind::kShortcut) continue;
      retaining.insert(edge.value);
    }
  }
  return retaining;
}

std::set<std::uint32_t> essential_edges(const HeapGraph& graph) {
  const std::set<std::uint32_t> owned = page_owned(graph);
  std::set<std::uint32_t> essential = retaining_edges(graph);
  std::erase_if(essential, [&](std::uint32_t edge) {
    const Node from = graph.from(Edge{edge});
    return from != graph.root && owned.contains(graph.to(Edge{edge}).value) && !owned.contains(from.value);
  });
  return essential;
}

std::vector<std::uint32_t> dominators(const HeapGraph& graph) {
  const std::set<std::uint32_t> essential = essential_edges(graph);
  const std::uint32_t count = graph.node_count();
  const std::uint32_t root = graph.root.value;
  Successors next(count);
  std::set<std::uint32_t> has_retainer;
  for (const Node node : graph.all_nodes()) {
    for (const Edge edge : graph.edges_of(node)) {
      if (!essential.contains(edge.value)) continue;
      next[node.value].insert(graph.to(edge).value);
      has_retainer.insert(graph.to(edge).value);
    }
  }
  // What only weak references lead to hangs on the root, if the root does not reach it anyway.
  const std::set<std::uint32_t> from_root = reachable(next, root, kNone);
  for (std::uint32_t node = 0; node < count; ++node)
    if (!has_retainer.contains(node) && !from_root.contains(node)) next[root].insert(node);
  const std::set<std::uint32_t> all = reachable(next, root, kNone);
  std::vector<std::set<std::uint32_t>> dominates(count);
  for (std::uint32_t node = 0; node < count; ++node) {
    const std::set<std::uint32_t> rest = reachable(next, root, node);
    for (const std::uint32_t other : all)
      if (other != node && !rest.contains(other)) dominates[node].insert(other);
  }
  // The immediate one is the dominator that dominates the fewest. Cliques belong to the root.
  std::vector<std::uint32_t> immediate(count, root);
  for (std::uint32_t node = 0; node < count; ++node) {
    if (node == root || !all.contains(node)) continue;
    for (std::uint32_t other = 0; other < count; ++other)
      if (dominates[other].contains(node) && dominates[other].size() < dominates[immediate[node]].size()) immediate[node] = other;
  }
  return immediate;
}

std::vector<std::uint64_t> retained(const std::vector<std::uint32_t>& dominator, const std::vector<std::uint64_t>& sizes,
                                    std::uint32_t root) {
  std::vector<std::uint64_t> result(sizes.size());
  for (std::uint32_t node = 0; node < sizes.size(); ++node) {
    std::uint32_t at = node;
    for (;; at = dominator[at]) {
      result[at] += sizes[node];
      if (at == root) break;
    }
  }
  return result;
}

std::set<std::uint32_t> alive_without(const HeapGraph& graph, std::uint32_t gone) {
  std::set<std::uint32_t> alive;
  if (graph.root.value != gone) alive.insert(graph.root.value);
  const auto key_lives = [&](Edge edge, std::uint64_t table) {
    // The other edge of the entry, whoever has it.
    const std::string name = graph.strings.decode(graph.name(edge));
    const std::string pair = name.substr(name.find(' '));
    for (const Node node : graph.all_nodes())
      for (const Edge other : graph.edges_of(node))
        if (other != edge && table_of(graph, other) == table &&
            graph.strings.decode(graph.name(other)).ends_with(pair) && !alive.contains(node.value))
          return false;
    return true;
  };
  for (bool grew = true; grew;) {
    grew = false;
    for (const Node node : graph.all_nodes()) {
      if (!alive.contains(node.value)) continue;
      for (const Edge edge : graph.edges_of(node)) {
        const std::uint32_t to = graph.to(edge).value;
        if (to == gone || alive.contains(to) || graph.kind(edge) == EdgeKind::kWeak) continue;
        if (graph.kind(edge) == EdgeKind::kShortcut && node != graph.root) continue;
        const auto table = table_of(graph, edge);
        if (table && !key_lives(edge, *table)) continue;
        grew |= alive.insert(to).second;
      }
    }
  }
  return alive;
}

}  // namespace slow
