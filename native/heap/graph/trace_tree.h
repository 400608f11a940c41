#pragma once

#include <cstdint>
#include <vector>

#include "heap/base/column.h"
#include "heap/base/index.h"
#include "heap/graph/locations.h"

namespace crucible::heap {

/** A function that allocated, as the allocation tracker saw it. */
struct TraceFunction {
  std::uint32_t function_id = 0;
  Text name;
  Text script_name;
  Location location;
};

/** One frame in the tree of allocating stacks. */
struct TraceNode {
  std::uint32_t id = 0;
  std::uint32_t function = 0;
  std::uint32_t parent = kNone;
  std::uint32_t count = 0;
  std::uint64_t bytes = 0;
};

/** At this time objects with ids up to `last_assigned_id` existed. */
struct AllocationSample {
  std::uint64_t timestamp_us = 0;
  std::uint64_t last_assigned_id = 0;
};

/** Who allocated what: present in `.heaptimeline` files and allocation-tracking snapshots. */
struct TraceTree {
  std::vector<TraceFunction> functions;
  /** Parents before children. */
  Column<TraceNode> nodes;

  [[nodiscard]] bool empty() const { return nodes.empty(); }
  /** Functions from the allocating one outward; empty for an unknown id. */
  [[nodiscard]] std::vector<const TraceFunction*> stack_of(std::uint32_t trace_node_id) const {
    std::vector<const TraceFunction*> stack;
    for (std::uint32_t at = 0; at < nodes.size(); ++at) {
      if (nodes[at].id != trace_node_id) continue;
      for (std::uint32_t frame = at; frame != kNone; frame = nodes[frame].parent)
        if (nodes[frame].function < functions.size()) stack.push_back(&functions[nodes[frame].function]);
      break;
    }
    return stack;
  }
  [[nodiscard]] std::size_t bytes_held() const {
    return functions.capacity() * sizeof(TraceFunction) + nodes.bytes_held();
  }
};

}  // namespace crucible::heap
