#include "heap/compare/id_order.h"

#include <algorithm>
#include <array>

namespace crucible::heap {

Column<Node> order_by_id(const HeapGraph& graph, Progress& progress) {
  struct Entry {
    std::uint32_t id;
    Node node;
  };
  constexpr int kBits = 11;
  constexpr std::uint32_t kBuckets = 1u << kBits;
  const std::uint32_t count = graph.node_count();
  Column<Entry> from(count), to(count);
  const auto& ids = graph.nodes.id.narrow();
  for (std::uint32_t at = 0; at < count; ++at) from[at] = {ids[at], Node{at}};
  for (int shift = 0; shift < 32; shift += kBits) {
    progress.check();
    std::array<std::uint32_t, kBuckets> next{};
    for (const Entry& entry : from) ++next[entry.id >> shift & (kBuckets - 1)];
    std::uint32_t sum = 0;
    for (std::uint32_t& place : next) sum += std::exchange(place, sum);
    for (const Entry& entry : from) to[next[entry.id >> shift & (kBuckets - 1)]++] = entry;
    from.swap(to);
  }
  to.clear();
  Column<Node> order(count);
  for (std::uint32_t at = 0; at < count; ++at) order[at] = from[at].node;
  // Ids that need more than 32 bits all look alike so far, and stand at the end.
  const auto wide = static_cast<std::ptrdiff_t>(graph.nodes.id.wide().size());
  std::sort(order.end() - wide, order.end(),
            [&](Node a, Node b) { return graph.nodes.id[a] < graph.nodes.id[b]; });
  return order;
}

}  // namespace crucible::heap
