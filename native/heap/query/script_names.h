#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "heap/graph/heap_graph.h"

namespace crucible::heap {

/**
 * URL or path of each script, by V8's number of it. A snapshot has no list of
 * scripts; but every function knows its own through shared -> script, and its
 * location has the number. O(functions), a few milliseconds per million; the
 * graph may go afterwards.
 */
class ScriptNames {
 public:
  ScriptNames() = default;
  explicit ScriptNames(const HeapGraph& graph);
  /** `script 12` if no function of that script is alive. */
  [[nodiscard]] std::string of(std::uint32_t script_id) const;
  [[nodiscard]] bool has(std::uint32_t script_id) const { return name_of_.contains(script_id); }
  /** `script:line:column`, counting from one as editors do. */
  [[nodiscard]] std::string place(const Location& location) const;

 private:
  std::map<std::uint32_t, std::string> name_of_;
};

}  // namespace crucible::heap
