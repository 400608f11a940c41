#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heap/base/progress.h"
#include "heap/base/table.h"
#include "heap/graph/heap_graph.h"

namespace crucible::heap {

/** A shape that many plain objects have: `{id, name, tags}`. */
struct Interface {
  std::string name;
  /** hash_text of the property names, sorted: valid for any snapshot. */
  std::vector<std::uint64_t> properties;
};

/** True for what `{}` and JSON.parse make, which V8 names "Object" whatever is in it. */
[[nodiscard]] bool is_plain_object(const HeapGraph& graph, Node node);

/**
 * DevTools' inferInterfaceDefinitions: the most popular lists of property
 * names, each with at least two objects and a thousandth of all plain ones.
 * Most popular first. O(edges of plain objects).
 */
[[nodiscard]] std::vector<Interface> infer_interfaces(const HeapGraph& graph, Progress& progress);

/**
 * For each plain object the position of the interface it matches best: the one
 * with the most properties, all of which it has; the earlier one in a tie.
 * kNone when it matches none, or is no plain object.
 */
class InterfaceMatcher {
 public:
  explicit InterfaceMatcher(const std::vector<Interface>& interfaces);
  [[nodiscard]] std::uint32_t match(std::vector<std::uint64_t> properties) const;

 private:
  struct Branch {
    /** Sorted by property. */
    std::vector<std::pair<std::uint64_t, std::uint32_t>> next;
    std::uint32_t interface = kNone;
    std::uint32_t depth = 0;
  };
  [[nodiscard]] bool is_better(std::uint32_t branch, std::uint32_t than) const;
  std::vector<Branch> branches_;
};

}  // namespace crucible::heap
