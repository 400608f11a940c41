#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "heap/analysis/snapshot.h"

namespace crucible::heap {

/** One reference on the way from the root: `from` holds `to` through `edge`. */
struct PathStep {
  Node from;
  Edge edge;
  Node to;
};

using RetainingPath = std::vector<PathStep>;

/** All edges from one node to another. */
[[nodiscard]] std::vector<Edge> edges_between(const HeapGraph& graph, Node from, Node to);

/**
 * Finds who holds what. Remembers the steps it found, so that asking for many
 * nodes costs little more than asking for one.
 */
class RetainingPaths {
 public:
  explicit RetainingPaths(const Snapshot& snapshot) : snapshot_(snapshot) {}

  /**
   * A shortest path from the root, along named references where there is a
   * choice. Starts at a user root if one leads to the node, else at the root.
   * Empty for the root itself and for what nothing reaches.
   */
  [[nodiscard]] RetainingPath shortest(Node node);

  /**
   * Ways to the node that share no object but their ends, shortest first: at
   * least so many references must go before it is free. Each is a shortest way
   * around those before it; that two more might fit in place of one is given up.
   * @param looked_at_max gives up after that many objects
   */
  [[nodiscard]] std::vector<RetainingPath> distinct(Node node, std::size_t paths_max = 10,
                                                    std::size_t looked_at_max = 200'000) const;

  /** The step before the node on its shortest path; `edge` is kNo<Edge> where it starts. */
  [[nodiscard]] PathStep step_to(Node node);

 private:
  [[nodiscard]] PathStep find_step(Node node) const;
  [[nodiscard]] RetainingPath path_around(const std::unordered_set<std::uint32_t>& taken, Node node,
                                          std::size_t& looked_at_max) const;

  const Snapshot& snapshot_;
  std::unordered_map<std::uint32_t, PathStep> known_;
};

/** Paths of many objects laid over each other, as Eclipse MAT's merged paths. */
struct MergedPath {
  /** `.name`, `[x]` for any index, `{internal}`. */
  std::string edge;
  Class owner_class;
  std::uint64_t objects = 0;
  std::uint64_t owned_bytes = 0;
  std::vector<MergedPath> children;
};

/**
 * Merges the shortest paths of the nodes from the root downwards; branches with
 * most objects first. Of more than `sample_max` nodes, evenly spread ones are
 * taken: the same in every run.
 */
[[nodiscard]] MergedPath merge_paths(const Snapshot& snapshot, std::span<const Node> nodes,
                                     std::size_t sample_max = 10'000);

}  // namespace crucible::heap
