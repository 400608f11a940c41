#pragma once

#include <cstdint>

#include "heap/base/crew.h"
#include "heap/graph/heap_graph.h"
#include "heap/base/byte_source.h"

namespace crucible::heap {

/** What the parser learned on its way, for the checks at the end. */
struct SealFacts {
  bool salvage = false;
  /** Null when the bytes cannot be read again: offsets are then those of the section. */
  const ByteSource* file = nullptr;
  std::uint64_t nodes_offset = 0;
  std::uint64_t edges_offset = 0;
  std::uint64_t edge_total = 0;
  std::uint64_t node_name_max = 0;
  std::uint64_t node_name_max_row = 0;
  std::uint64_t edges_dropped = 0;
};

/**
 * Turns edge counts into positions and checks what only the whole file shows:
 * sums, names, ids and the root. In a salvaged file the same faults are
 * repaired, and listed in `missing`. Throws SNAPSHOT_EDGE_SUM, SNAPSHOT_INDEX,
 * SNAPSHOT_DUPLICATE_ID, SNAPSHOT_COUNT.
 */
void seal_graph(HeapGraph& graph, const SealFacts& facts, const Crew& crew);

}  // namespace crucible::heap
