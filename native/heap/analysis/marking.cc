#include "heap/analysis/marking.h"

#include <utility>
#include <vector>

namespace crucible::heap {

namespace {

/** True for a WeakMap entry's edge that starts at the table. */
bool is_seen_from_table(const HeapGraph& graph, Node from, Edge edge) {
  const Ephemerons::Entry* entry = graph.ephemerons.of(graph.name(edge));
  return entry != nullptr && graph.nodes.id[from] == entry->table_id;
}

bool is_essential(const HeapGraph& graph, const Bits<Node>& page_owned, Node from, Edge edge, bool from_page) {
  const Node to = graph.to(edge);
  if (to == from) return false;
  switch (graph.kind(edge)) {
    case EdgeKind::kWeak: return false;
    case EdgeKind::kInternal:
      if (is_seen_from_table(graph, from, edge)) return false;
      break;
    case EdgeKind::kShortcut: return from == graph.root;
    default: break;
  }
  return from_page || from == graph.root || !page_owned[to];
}

}  // namespace

Bits<Node> mark_page_owned(const HeapGraph& graph, Progress& progress) {
  Bits<Node> owned(graph.node_count());
  Column<Node> open;
  for (const Edge edge : graph.edges_of(graph.root)) {
    const Node node = graph.to(edge);
    const EdgeKind kind = graph.kind(edge);
    const bool entry = kind == EdgeKind::kShortcut ||
                       (kind == EdgeKind::kElement && graph.kind(node) == NodeKind::kSynthetic &&
                        graph.is_named(node, hash_text("(Document DOM trees)")));
    if (entry && owned.claim(node)) open.push_back(node);
  }
  const std::uint32_t* const first_edge = graph.nodes.first_edge.column().data();
  const std::uint8_t* const types = graph.edges.type.column().data();
  const PackedView targets = graph.edges.to.view();
  std::uint32_t visited = 0;
  while (!open.empty()) {
    const Node node = open.pop_back();
    if ((++visited & 0xFFFF) == 0) progress.at(visited, graph.node_count());
    for (std::uint32_t edge = first_edge[node.value]; edge < first_edge[node.value + 1]; ++edge)
      if (graph.meta.edge_kinds[types[edge]] != EdgeKind::kWeak && owned.claim(Node{targets[edge]}))
        open.push_back(Node{targets[edge]});
  }
  return owned;
}

EssentialEdges mark_essential(const HeapGraph& graph, const Bits<Node>& page_owned, const Crew& crew,
                              Progress& progress) {
  EssentialEdges essential(graph.edge_count());
  constexpr std::size_t kGrain = 1 << 18;
  static_assert(kGrain % 64 == 0, "two threads may not share a word");
  const std::uint32_t* const first_edge = graph.nodes.first_edge.column().data();
  crew.split(graph.edge_count(), kGrain, [&](std::size_t first, std::size_t last) {
    progress.check();
    Node node = graph.from(Edge{static_cast<std::uint32_t>(first)});
    bool from_page = page_owned[node];
    std::uint32_t end = first_edge[node.value + 1];
    std::uint64_t word = 0;
    for (std::size_t at = first; at < last; ++at) {
      while (end <= at) {
        ++node.value;
        end = first_edge[node.value + 1];
        from_page = page_owned[node];
      }
      const Edge edge{static_cast<std::uint32_t>(at)};
      word |= std::uint64_t{is_essential(graph, page_owned, node, edge, from_page)} << (at & 63);
      if ((at & 63) == 63 || at + 1 == last) essential.word_at(at >> 6) = std::exchange(word, 0);
    }
  });
  return essential;
}

void propagate_detachedness(HeapGraph& graph) {
  auto& column = graph.nodes.type_and_detachedness;
  bool any = false;
  for (const std::uint8_t value : column.column()) any |= (value >> 6) != 0;
  if (!any) return;
  Bits<Node> visited(graph.node_count());
  std::vector<Node> attached, detached;
  const auto process = [&](Node node, Detachedness state) {
    if (!visited.claim(node) || graph.kind(node) != NodeKind::kNative) return;
    column[node] = static_cast<std::uint8_t>((column[node] & 0x3F) | static_cast<unsigned>(state) << 6);
    if (state == Detachedness::kAttached) attached.push_back(node);
    if (state == Detachedness::kDetached) detached.push_back(node);
  };
  const auto spread = [&](std::vector<Node>& open, Detachedness state) {
    while (!open.empty()) {
      const Node node = open.back();
      open.pop_back();
      if (graph.detachedness(node) != state) continue;
      for (const Edge edge : graph.edges_of(node)) {
        const EdgeKind kind = graph.kind(edge);
        if (kind != EdgeKind::kHidden && kind != EdgeKind::kWeak) process(graph.to(edge), state);
      }
    }
  };
  for (const Node node : graph.all_nodes())
    if (graph.detachedness(node) != Detachedness::kUnknown) process(node, graph.detachedness(node));
  spread(attached, Detachedness::kAttached);
  spread(detached, Detachedness::kDetached);
}

}  // namespace crucible::heap
