#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heap/base/progress.h"
#include "heap/graph/heap_graph.h"

namespace crucible::heap {

/** One text that several string objects spell. */
struct DuplicateString {
  /** A node that spells it. */
  Node sample;
  std::uint64_t count = 0;
  std::uint64_t total_bytes = 0;
  /** What would be saved if there were only the largest of them. */
  std::uint64_t wasted_bytes = 0;
  /** V8 cut the text off at about 1,024 characters: equal beginnings, and that is all that is known. */
  bool is_guess = false;
};

/**
 * Strings with equal text, most wasteful first. Ropes that V8 has flattened
 * already are left out. Cost: O(strings), and reading the pieces of ropes.
 */
[[nodiscard]] std::vector<DuplicateString> find_duplicate_strings(const HeapGraph& graph, std::size_t count,
                                                                  Progress& progress);

}  // namespace crucible::heap
