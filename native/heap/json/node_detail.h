#pragma once

#include <cstdint>
#include <string>

#include "heap/json/heap_source.h"

namespace crucible::heap {

struct NodeDetailOptions {
  std::uint64_t id = 0;
  /** The most paths that share no object. */
  std::size_t paths = 10;
  /** Rows of the lists of fields and of holders. */
  std::size_t fields = 100;
};

/** NodeDetailAnswer of src/snapshot/answers.ts. Throws UNKNOWN_NODE. */
[[nodiscard]] std::string node_detail_json(const ReadHeap& heap, const NodeDetailOptions& options, Progress& progress);

}  // namespace crucible::heap
