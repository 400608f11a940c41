#pragma once

#include <cstdint>
#include <string>

#include "heap/json/heap_source.h"

namespace crucible::heap {

struct OverviewOptions {
  /** Rows of each list. */
  std::size_t top = 20;
  /** Collections with fewer entries are not listed. */
  std::uint64_t entries_min = 1000;
};

/** OverviewAnswer of src/snapshot/answers.ts. */
[[nodiscard]] std::string overview_json(const ReadHeap& heap, const OverviewOptions& options, Progress& progress);

}  // namespace crucible::heap
