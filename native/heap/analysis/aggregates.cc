#include "heap/analysis/aggregates.h"

#include <algorithm>

#include "heap/base/prefetch.h"

namespace crucible::heap {

std::vector<ClassTotals> total_classes(const HeapGraph& graph, const ClassTable& classes,
                                       const WideTable<Node>& owned_bytes,
                                       const Table<Class, std::uint64_t>& retained_bytes,
                                       const Table<Node, std::int32_t>& distance) {
  std::vector<ClassTotals> totals(classes.size());
  for (const Class c : classes.all()) totals[c.value].retained_bytes = retained_bytes[c];
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

Dominated sum_retained(const DominatorWalk& walk, const WideTable<Node>& owned_bytes) {
  constexpr std::uint32_t kAhead = 16;
  struct Open {
    Node node;
    std::uint32_t end;
    std::uint64_t bytes_before;
  };
  const std::uint32_t count = walk.node_at.size();
  Dominated result{PackedTable<Node, Node>(count, count), WideTable<Node>(count)};
  Column<Open> open;
  std::uint64_t bytes = 0;
  const auto close_until = [&](std::uint32_t at) {
    while (!open.empty() && open.back().end == at) {
      const Open done = open.pop_back();
      result.retained_bytes.set(done.node, bytes - done.bytes_before);
    }
  };
  for (std::uint32_t at = 0; at < count; ++at) {
    if (at + kAhead < count) will_read(&owned_bytes.narrow()[walk.node_at[Preorder{at + kAhead}].value]);
    close_until(at);
    const Node node = walk.node_at[Preorder{at}];
    result.dominator.set(node, open.empty() ? node : open.back().node);
    open.push_back({node, at + walk.size_at[Preorder{at}], bytes});
    bytes += owned_bytes[node];
  }
  close_until(count);
  return result;
}

Table<Class, std::uint64_t> sum_retained_by_class(const ClassTable& classes, const DominatorWalk& walk,
                                                  const WideTable<Node>& retained_bytes,
                                                  const WideTable<Node>& owned_bytes) {
  constexpr std::uint32_t kAhead = 16;
  Table<Class, std::uint64_t> sums(classes.size());
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
    const Class c = classes.of(node);
    if (at < end_of[c.value]) continue;
    sums[c] += retained_bytes[node];
    end_of[c.value] = at + walk.size_at[Preorder{at}];
  }
  return sums;
}

}  // namespace crucible::heap
