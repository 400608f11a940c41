#include "heap/analysis/detachedness.h"

#include <utility>
#include <vector>

namespace crucible::heap {

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
