#pragma once

#include <cstdint>

#include "heap/base/progress.h"
#include "heap/base/table.h"
#include "heap/graph/heap_graph.h"
#include "heap/graph/retainers.h"

namespace crucible::heap {

/**
 * The nodes in the order of a depth-first search over essential edges, and the
 * tree that the search made. Numbers follow the search, so that what is close
 * in the graph is close in memory from here on. An edge is essential if it
 * retains by EdgeRule and does not lead into the page from outside.
 */
struct DfsOrder {
  PackedTable<Dfs, Node> node_at;
  PackedTable<Node, Dfs> number_of;
  PackedTable<Dfs, Dfs> parent_of;
  /** Numbers from here on are cliques: their parent is the root, which does not reach them. */
  std::uint32_t reached = 0;
  /**
   * DevTools' page: everything that the globals reach without weak edges, where
   * the globals are the root's shortcuts and the document trees. Into it, edges
   * lead from the root and from itself alone.
   */
  Bits<Node> page_owned;
  /** Lower numbers are the root's and the page's: nearly all that the page owns. */
  std::uint32_t page_end = 0;

  [[nodiscard]] std::uint32_t size() const { return node_at.size(); }
};

/**
 * Visits everything: first what the root reaches; then, as DevTools does,
 * nodes that only non-essential edges lead to, each with what it reaches; what
 * is left are cliques that retain only themselves.
 */
[[nodiscard]] DfsOrder search_depth_first(const HeapGraph& graph, Progress& progress);

/**
 * Immediate dominators by the semi-NCA method (Georgiadis, Tarjan and Werneck,
 * "Finding Dominators in Practice", 2006): semidominators as in Lengauer and
 * Tarjan with path compression, then each dominator is the nearest ancestor
 * that is no deeper than the semidominator. Everything happens in search order.
 * Cost: O(edges log nodes), in practice about linear; 11 bytes a node besides
 * the order, or 12 in a heap of more than 16 million nodes. The search tree
 * turns into the dominator tree in place: of the order only `node_at` is left.
 * @returns for each number its dominator's number; the root is its own
 */
[[nodiscard]] PackedTable<Dfs, Dfs> find_dominators(DfsOrder& order, const Retainers& retainers, Progress& progress);

}  // namespace crucible::heap
