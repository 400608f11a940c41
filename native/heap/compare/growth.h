#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heap/analysis/snapshot.h"
#include "heap/base/progress.h"
#include "heap/compare/path_tree.h"

namespace crucible::heap {

struct GrowthOptions {
  /** Objects that a group must gain between every two snapshots. */
  std::uint32_t objects_min = 2;
  std::size_t groups_max = 64;
};

/** A container that holds more objects in every snapshot than in the one before. */
struct Growth {
  /** Sixteen hexadecimal digits; the same leak has the same ones in another run. */
  std::string fingerprint;
  /** Where the container is: `globalThis.cache`. */
  std::string path;
  /** Class of what it gains most bytes of. */
  Class class_of_entries;
  Node sample_entry = kNo<Node>;
  /** Shapes, code and the like: ranked last. */
  bool is_v8s_own = false;
  /** Between each two snapshots. */
  std::vector<std::int64_t> delta_counts;
  std::vector<std::int64_t> delta_bytes;
  /** In the last snapshot: bytes that only growing groups reach, those of several divided among them. */
  std::uint64_t share_bytes = 0;
  /** In the last snapshot: bytes that only this group reaches. What one fix frees at least. */
  std::uint64_t exclusive_bytes = 0;
};

/**
 * Finds what grows over three and more snapshots, by path and not by id, so
 * that collections that replace their objects are seen as well.
 *
 * Add the snapshots in the order in which they were taken; each may go before
 * the next is read. A group grows if it gained objects in every step; reported
 * are the containers nearest to the root. LeakCanary's method with BLeak's
 * LeakShare. Given up: what moves to another path, and what stays the same
 * number while its objects become larger.
 */
class GrowthTracker {
 public:
  /** O(nodes + edges). */
  void add(const Snapshot& snapshot, Progress& progress);
  [[nodiscard]] std::size_t snapshot_count() const { return trees_.size(); }
  [[nodiscard]] const PathTree& first() const { return trees_.front(); }
  [[nodiscard]] const PathTree& last() const { return trees_.back(); }

  /** @param last the snapshot that was added last. @param names its names. Largest share first, V8's own last. */
  [[nodiscard]] std::vector<Growth> finish(const Snapshot& last, const Names& names, const GrowthOptions& options,
                                           Progress& progress) const;

 private:
  std::vector<PathTree> trees_;
};

/** One path in two heaps that need not be of one process. */
struct PathDelta {
  std::string path;
  std::string fingerprint;
  Class class_of_objects;
  std::int64_t delta_count = 0;
  std::int64_t delta_bytes = 0;
};

/**
 * Compares two heaps by path, largest change first. Own bytes of each path,
 * without what is below it; paths that only the first heap has are in `gone`.
 */
struct PathDiff {
  std::vector<PathDelta> paths;
  PathDelta gone;
};
[[nodiscard]] PathDiff diff_paths(const PathTree& first, const PathTree& second, const Snapshot& second_snapshot,
                                  const Names& names, std::size_t count);

}  // namespace crucible::heap
