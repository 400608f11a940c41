#include "heap/query/removal.h"

#include <algorithm>
#include <vector>

namespace crucible::heap {

namespace {

/** The entry that this edge is half of, if names and ids agree. */
const Ephemerons::Entry* entry_of(const HeapGraph& graph, Edge edge) {
  if (graph.kind(edge) != EdgeKind::kInternal) return nullptr;
  const Ephemerons::Entry* entry = graph.ephemerons.of(graph.name(edge));
  return entry != nullptr && graph.nodes.id[graph.to(edge)] == entry->value_id ? entry : nullptr;
}

/** How many edges each WeakMap entry has: two, unless one of the names was cut off. */
std::vector<std::uint8_t> halves_of_pairs(const HeapGraph& graph) {
  std::vector<std::uint8_t> halves(graph.ephemerons.pair_count());
  if (halves.empty()) return halves;
  for (const Edge edge : graph.edges.type.keys()) {
    const Ephemerons::Entry* entry = entry_of(graph, edge);
    if (entry != nullptr && halves[entry->pair] < 2) ++halves[entry->pair];
  }
  return halves;
}

}  // namespace

Reachable find_reachable(const HeapGraph& graph, std::span<const Edge> without_edges,
                         std::span<const Node> without_nodes, Progress& progress) {
  Reachable result;
  result.alive = Bits<Node>(graph.node_count());
  Bits<Node> gone(graph.node_count());
  for (const Node node : without_nodes) gone.set(node);
  std::vector<Edge> cut(without_edges.begin(), without_edges.end());
  std::sort(cut.begin(), cut.end());
  std::vector<std::uint8_t> missing_halves = halves_of_pairs(graph);
  Column<Node> open;
  const auto reach = [&](Node node) {
    if (gone[node] || !result.alive.claim(node)) return;
    if ((++result.objects & 0xFFFF) == 0) progress.at(result.objects, graph.node_count());
    result.bytes += graph.nodes.self_bytes[node];
    open.push_back(node);
  };
  reach(graph.root);
  while (!open.empty()) {
    const Node node = open.pop_back();
    for (const Edge edge : graph.edges_of(node)) {
      const EdgeKind kind = graph.kind(edge);
      if (kind == EdgeKind::kWeak || (kind == EdgeKind::kShortcut && node != graph.root)) continue;
      if (!cut.empty() && std::binary_search(cut.begin(), cut.end(), edge)) continue;
      const Ephemerons::Entry* entry = entry_of(graph, edge);
      if (entry != nullptr && --missing_halves[entry->pair] > 0) continue;
      reach(graph.to(edge));
    }
  }
  return result;
}

Removal remove_references(const HeapGraph& graph, std::span<const Edge> edges, std::span<const Node> nodes,
                          Progress& progress) {
  Reachable before = find_reachable(graph, {}, {}, progress);
  const Reachable after = find_reachable(graph, edges, nodes, progress);
  Removal removal;
  removal.freed_objects = before.objects - after.objects;
  removal.freed_bytes = before.bytes - after.bytes;
  removal.freed = std::move(before.alive);
  for (std::size_t word = 0; word < removal.freed.word_count(); ++word)
    removal.freed.word_at(word) &= ~after.alive.word_at(word);
  return removal;
}

}  // namespace crucible::heap
