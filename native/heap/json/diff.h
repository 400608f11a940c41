#pragma once

#include <string>
#include <vector>

#include "heap/json/heap_source.h"

namespace crucible::heap {

struct DiffOptions {
  std::size_t growers_max = 10;
  std::size_t growth_max = 20;
  std::size_t paths_max = 20;
};

/**
 * DiffAnswer of src/snapshot/answers.ts, of two or more snapshots in the order
 * in which they were taken. Each is reduced before the next is read, so that
 * the peak is little more than that of one. Throws a SnapshotError.
 */
[[nodiscard]] std::string diff_json(std::vector<HeapSource> sources, const ReadOptions& reading,
                                    const DiffOptions& options, Progress& progress);

}  // namespace crucible::heap
