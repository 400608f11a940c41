#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heap/analysis/snapshot.h"

/** How a snapshot is written: V8's versions differ in all of this. */
struct Layout {
  std::vector<std::string> node_fields = {"type", "name", "id", "self_size", "edge_count", "trace_node_id", "detachedness"};
  std::vector<std::string> edge_fields = {"type", "name_or_index", "to_node"};
  std::vector<std::string> location_fields = {"object_index", "script_id", "line", "column"};
  std::vector<std::string> sections = {"snapshot", "nodes", "edges", "trace_function_infos", "trace_tree",
                                       "samples",  "locations", "strings"};
  /** Between rows, as Node 22 and older write it; empty as Node 24. */
  std::string row_separator = "\n";
  /** Between any two tokens, as a pretty printer writes it. */
  std::string space;
  std::string before;
};

/**
 * Writes heap snapshots from code, so that every test shows the heap it needs:
 *
 *   HeapBuilder heap;
 *   auto cache = heap.node("object", "Map", 32);
 *   heap.edge("property", "cache", heap.global(), cache);
 */
class HeapBuilder {
 public:
  /** A root with a shortcut to a global object, as Node 20 has it. */
  HeapBuilder();

  std::uint32_t node(const std::string& type, const std::string& name, std::uint64_t self_size = 16,
                     std::uint64_t id = 0);
  void edge(const std::string& type, const std::string& name, std::uint32_t from, std::uint32_t to);
  void edge(const std::string& type, std::uint64_t index, std::uint32_t from, std::uint32_t to);
  /** Both edges that V8 writes for an entry of a WeakMap. */
  void weak_map_entry(std::uint32_t table, std::uint32_t key, std::uint32_t value);
  void location(std::uint32_t node, std::uint32_t script, std::uint32_t line, std::uint32_t column);
  void detached(std::uint32_t node, std::uint32_t state) { nodes_[node].detachedness = state; }
  void traced(std::uint32_t node, std::uint32_t trace_node) { nodes_[node].trace_node = trace_node; }

  [[nodiscard]] std::uint32_t root() const { return 0; }
  [[nodiscard]] std::uint32_t global() const { return 1; }
  [[nodiscard]] std::uint64_t id(std::uint32_t node) const { return nodes_[node].id; }
  [[nodiscard]] std::uint32_t node_count() const { return static_cast<std::uint32_t>(nodes_.size()); }

  [[nodiscard]] std::string json(const Layout& layout = {}) const;
  [[nodiscard]] crucible::heap::HeapGraph graph(const Layout& layout = {}) const;
  [[nodiscard]] crucible::heap::Snapshot analysed(unsigned threads = 1) const;

  /** Sections written as they stand, such as `"trace_tree":[1,0,2,3,[]]` without its name. */
  std::string trace_function_infos, trace_tree, samples;
  /** Instead of the true counts. */
  std::uint64_t node_count_declared = 0, edge_count_declared = 0;
  std::string more_in_snapshot;

 private:
  struct NodeRow {
    std::uint32_t type;
    std::uint32_t name;
    std::uint64_t id;
    std::uint64_t self_size;
    std::uint32_t trace_node = 0;
    std::uint32_t detachedness = 0;
  };
  struct EdgeRow {
    std::uint32_t type;
    std::uint64_t name_or_index;
    std::uint32_t from;
    std::uint32_t to;
  };
  struct LocationRow {
    std::uint32_t node, script, line, column;
  };
  std::uint32_t text(const std::string& content);
  [[nodiscard]] std::string section(const std::string& name, const Layout& layout) const;
  [[nodiscard]] std::string meta(const Layout& layout) const;
  [[nodiscard]] std::string rows(const std::vector<std::vector<std::uint64_t>>& values, const Layout& layout) const;

  std::vector<NodeRow> nodes_;
  std::vector<EdgeRow> edges_;
  std::vector<LocationRow> locations_;
  std::vector<std::string> strings_;
};

/** The graph of a text that is no file. */
[[nodiscard]] crucible::heap::HeapGraph parse_text(const std::string& json, bool salvage = false);
