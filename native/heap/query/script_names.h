#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "heap/graph/heap_graph.h"

namespace crucible::heap {

/**
 * URL or path of each script, by V8's number of it. A snapshot has no list of
 * scripts; but every function knows its own through shared -> script, and its
 * location has the number. O(functions), a few milliseconds per million.
 */
class ScriptNames {
 public:
  explicit ScriptNames(const HeapGraph& graph);
  /** Empty if no function of that script is alive. */
  [[nodiscard]] std::string of(std::uint32_t script_id) const;
  /** `script:line:column`, counting from one as editors do. */
  [[nodiscard]] std::string place(const Location& location) const;

 private:
  const HeapGraph& graph_;
  std::map<std::uint32_t, Text> name_of_;
};

}  // namespace crucible::heap
