#include "heap/analysis/aggregates.h"

#include <algorithm>

#include "heap/base/prefetch.h"

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

DominatorWalk walk_dominators(const DfsOrder& order, PackedTable<Dfs, Dfs> dominator) {
  const std::uint32_t count = order.size();
  PackedTable<Dfs> size(count, count);
  for (std::uint32_t at = count; at-- > 1;) {
    const std::uint32_t own = size[Dfs{at}] + 1;
    size.set(Dfs{at}, own);
    size.set(dominator[Dfs{at}], size[dominator[Dfs{at}]] + own);
  }
  DominatorWalk walk{PackedTable<Preorder, Node>(count, count), PackedTable<Preorder>(count, count)};
  walk.node_at.set(Preorder{0}, order.node_at[Dfs{0}]);
  walk.size_at.set(Preorder{0}, count);
  // A dominator comes before what it dominates, and is not asked for again: its place holds where the next of those goes.
  PackedTable<Dfs, Dfs>& next = dominator;
  next.set(Dfs{0}, Dfs{1});
  for (std::uint32_t at = 1; at < count; ++at) {
    const Dfs above = dominator[Dfs{at}];
    const std::uint32_t place = next[above].value;
    next.set(above, Dfs{place + size[Dfs{at}]});
    next.set(Dfs{at}, Dfs{place + 1});
    walk.node_at.set(Preorder{place}, order.node_at[Dfs{at}]);
    walk.size_at.set(Preorder{place}, size[Dfs{at}]);
  }
  return walk;
}

void total_retained(std::vector<ClassTotals>& totals, const ClassTable& classes, const DominatorWalk& walk,
                    const WideTable<Node>& retained_bytes, const WideTable<Node>& owned_bytes) {
  constexpr std::uint32_t kAhead = 16;
  // Where the last outermost node of each class ends.
  std::vector<std::uint32_t> end_of(classes.size());
  const std::uint32_t count = walk.node_at.size();
  for (std::uint32_t at = 0; at < count; ++at) {
    if (at + kAhead < count) {
      const Node soon = walk.node_at[Preorder{at + kAhead}];
      will_read(&owned_bytes.narrow()[soon.value]);
      will_read(&retained_bytes.narrow()[soon.value]);
    }
    const Node node = walk.node_at[Preorder{at}];
    if (owned_bytes[node] == 0) continue;
    const std::uint32_t c = classes.of(node).value;
    if (at < end_of[c]) continue;
    totals[c].retained_bytes += retained_bytes[node];
    end_of[c] = at + walk.size_at[Preorder{at}];
  }
}

}  // namespace crucible::heap
