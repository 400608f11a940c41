#include "heap/compare/id_order.h"

#include <algorithm>

#include "heap/base/radix_sort.h"

namespace crucible::heap {

Column<Node> order_by_id(const HeapGraph& graph, Progress& progress) {
  struct Entry {
    std::uint32_t id;
    Node node;
  };
  const std::uint32_t count = graph.node_count();
  Column<Entry> entries(count);
  const auto& ids = graph.nodes.id.narrow();
  std::uint32_t id_max = 0;
  for (std::uint32_t at = 0; at < count; ++at) {
    entries[at] = {ids[at], Node{at}};
    id_max = std::max(id_max, ids[at]);
  }
  progress.check();
  radix_sort(entries, id_max, [](const Entry& entry) { return entry.id; });
  Column<Node> order(count);
  for (std::uint32_t at = 0; at < count; ++at) order[at] = entries[at].node;
  // Ids that need more than 32 bits all look alike so far, and stand at the end.
  const auto wide = static_cast<std::ptrdiff_t>(graph.nodes.id.wide().size());
  std::sort(order.end() - wide, order.end(),
            [&](Node a, Node b) { return graph.nodes.id[a] < graph.nodes.id[b]; });
  return order;
}

}  // namespace crucible::heap
