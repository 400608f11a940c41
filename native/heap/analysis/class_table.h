#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "heap/analysis/interfaces.h"
#include "heap/base/progress.h"
#include "heap/base/table.h"
#include "heap/graph/heap_graph.h"

namespace crucible::heap {

/** A group of nodes that a person calls by one name. */
struct ClassName {
  /** The name is this string of the file, unless `made` holds one that no string spells. */
  Text text = kNo<Text>;
  std::string made;
  std::uint64_t name_hash = 0;
  /** Of the constructor: two classes may share a name. */
  std::optional<Location> location;
  NodeKind kind = NodeKind::kOther;
};

/**
 * DevTools' classes: constructor and its location for objects, the inferred
 * interface for plain ones, one class for all functions, all code, all of V8's
 * own. Two or three bytes a node.
 */
class ClassTable {
 public:
  ClassTable() = default;
  /** @param interfaces what plain objects are matched against, most popular first */
  ClassTable(const HeapGraph& graph, const std::vector<Interface>& interfaces, Progress& progress);

  [[nodiscard]] Class of(Node node) const { return Class{class_of_[node]}; }
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(names_.size()); }
  [[nodiscard]] Range<Class> all() const { return {0, size()}; }
  [[nodiscard]] const ClassName& name(Class c) const { return names_[c.value]; }
  [[nodiscard]] std::string text(const HeapGraph& graph, Class c) const;
  /** `scriptId,line,column,name` or `,name`: DevTools' key, valid within one process. */
  [[nodiscard]] std::string key(const HeapGraph& graph, Class c) const;
  /** The same as 64 bits. */
  [[nodiscard]] std::uint64_t key_hash(Class c) const;
  [[nodiscard]] std::size_t node_bytes_held() const { return class_of_.bytes_held(); }
  [[nodiscard]] std::size_t class_bytes_held() const { return names_.capacity() * sizeof(ClassName); }

 private:
  PackedTable<Node> class_of_;
  std::vector<ClassName> names_;
};

}  // namespace crucible::heap
