#include "heap/analysis/aggregates.h"

#include <algorithm>

namespace crucible::heap {

WideTable<Dfs> sum_retained(const DfsOrder& order, const PackedTable<Dfs, Dfs>& dominator,
                            const WideTable<Node>& owned_bytes) {
  WideTable<Dfs> retained(order.size());
  for (const Dfs at : order.node_at.keys()) retained.set(at, owned_bytes[order.node_at[at]]);
  for (std::uint32_t at = order.size(); at-- > 1;) {
    const Dfs above = dominator[Dfs{at}];
    retained.set(above, retained[above] + retained[Dfs{at}]);
  }
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

void total_retained(std::vector<ClassTotals>& totals, const ClassTable& classes, Node root,
                    const PackedTable<Node, Node>& dominator, const WideTable<Node>& retained_bytes,
                    const WideTable<Node>& owned_bytes) {
  Table<Node, Node> first_child(dominator.size(), kNo<Node>);
  Table<Node, Node> next_sibling(dominator.size());
  for (std::uint32_t at = dominator.size(); at-- > 0;) {
    const Node node{at};
    if (node == root) continue;
    const Node above = dominator[node];
    next_sibling[node] = first_child[above];
    first_child[above] = node;
  }
  // How many nodes of each class are above the current one.
  std::vector<std::uint32_t> above(classes.size());
  const auto enter = [&](Node node) {
    if (owned_bytes[node] == 0) return;
    const std::uint32_t c = classes.of(node).value;
    if (above[c]++ == 0) totals[c].retained_bytes += retained_bytes[node];
  };
  const auto leave = [&](Node node) {
    if (owned_bytes[node] != 0) --above[classes.of(node).value];
  };
  Node at = root;
  enter(at);
  for (;;) {
    const Node child = first_child[at];
    if (child != kNo<Node>) {
      at = child;
      enter(at);
      continue;
    }
    leave(at);
    while (at != root && next_sibling[at] == kNo<Node>) {
      at = dominator[at];
      leave(at);
    }
    if (at == root) return;
    at = next_sibling[at];
    enter(at);
  }
}

}  // namespace crucible::heap
