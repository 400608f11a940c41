#include "heap/analysis/aggregates.h"

#include <algorithm>

namespace crucible::heap {

Table<Dfs, std::uint64_t> sum_retained(const DfsOrder& order, const Table<Dfs, Dfs>& dominator,
                                       const WideTable<Node>& owned_bytes) {
  Table<Dfs, std::uint64_t> retained(order.size());
  for (const Dfs at : order.node_at.keys()) retained[at] = owned_bytes[order.node_at[at]];
  for (std::uint32_t at = order.size(); at-- > 1;) retained[dominator[Dfs{at}]] += retained[Dfs{at}];
  return retained;
}

std::vector<ClassTotals> total_classes(const HeapGraph& graph, const ClassTable& classes,
                                       const WideTable<Node>& owned_bytes,
                                       const Table<Node, std::int32_t>& distance) {
  std::vector<ClassTotals> totals(classes.size());
  for (const Node node : graph.all_nodes()) {
    ClassTotals& total = totals[classes.of(node).value];
    ++total.raw_count;
    total.raw_bytes += graph.nodes.self_bytes[node];
    const std::uint64_t bytes = owned_bytes[node];
    if (bytes == 0) continue;
    total.distance = total.count == 0 ? distance[node] : std::min(total.distance, distance[node]);
    ++total.count;
    total.owned_bytes += bytes;
  }
  return totals;
}

void total_retained(std::vector<ClassTotals>& totals, const ClassTable& classes, const DfsOrder& order,
                    const Table<Dfs, Dfs>& dominator, const Table<Dfs, std::uint64_t>& retained,
                    const WideTable<Node>& owned_bytes) {
  Table<Dfs, Dfs> first_child(order.size(), kNo<Dfs>);
  Table<Dfs, Dfs> next_sibling(order.size(), kNo<Dfs>);
  for (std::uint32_t at = order.size(); at-- > 1;) {
    const Dfs parent = dominator[Dfs{at}];
    next_sibling[Dfs{at}] = first_child[parent];
    first_child[parent] = Dfs{at};
  }
  // How many nodes of each class are above the current one.
  std::vector<std::uint32_t> above(classes.size());
  const auto enter = [&](Dfs at) {
    const Node node = order.node_at[at];
    if (owned_bytes[node] == 0) return;
    const std::uint32_t c = classes.of(node).value;
    if (above[c]++ == 0) totals[c].retained_bytes += retained[at];
  };
  const auto leave = [&](Dfs at) {
    const Node node = order.node_at[at];
    if (owned_bytes[node] != 0) --above[classes.of(node).value];
  };
  Dfs at{0};
  enter(at);
  for (;;) {
    if (first_child[at] != kNo<Dfs>) {
      at = first_child[at];
      enter(at);
      continue;
    }
    leave(at);
    while (at != Dfs{0} && next_sibling[at] == kNo<Dfs>) {
      at = dominator[at];
      leave(at);
    }
    if (at == Dfs{0}) return;
    at = next_sibling[at];
    enter(at);
  }
}

}  // namespace crucible::heap
