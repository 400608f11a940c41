#include "heap/graph/retainers.h"

#include "heap/base/prefetch.h"
#include "heap/base/snapshot_error.h"
#include "heap/graph/edge_rule.h"

namespace crucible::heap {

Retainers::Retainers(const HeapGraph& graph, const Progress& progress)
    : first_(std::size_t{graph.node_count()} + 1), from_(graph.edge_count(), 2 * graph.node_count()) {
  if (graph.node_count() > kNodesMax) {
    throw SnapshotError("SNAPSHOT_TOO_LARGE", {kNoOffset, "the snapshot has more than 2,147,483,647 nodes",
                                               "one bit of every number is taken", "capture a smaller heap"});
  }
  const PackedView to = graph.edges.to.view();
  std::uint32_t* const first = first_.column().data();
  const std::uint32_t edges = graph.edge_count();
  const std::uint32_t nodes = graph.node_count();
  constexpr std::uint32_t kAhead = 16;
  constexpr std::uint32_t kBetweenChecks = 0x3FFFF;
  for (std::uint32_t edge = 0; edge < edges; ++edge) {
    if ((edge & kBetweenChecks) == 0) progress.check();
    if (edge + kAhead < edges) will_read(first + to[edge + kAhead]);
    ++first[to[edge]];
  }
  std::uint32_t end = 0;
  for (std::uint32_t node = 0; node <= nodes; ++node) first[node] = end += first[node];
  // Filled from the back, each end becomes a beginning, and no second cursor is needed.
  const EdgeRule rule(graph);
  const PackedView from = from_.view();
  const std::uint32_t* const first_edge = graph.nodes.first_edge.column().data();
  for (std::uint32_t node = nodes; node-- > 0;) {
    if ((node & kBetweenChecks) == 0) progress.check();
    for (std::uint32_t edge = first_edge[node + 1]; edge-- > first_edge[node];) {
      if (edge >= kAhead) will_read(first + to[edge - kAhead]);
      const std::uint32_t target = to[edge];
      from.set(--first[target], rule.retains(Node{node}, Edge{edge}, Node{target}) ? node : node | mark());
    }
  }
}

}  // namespace crucible::heap
