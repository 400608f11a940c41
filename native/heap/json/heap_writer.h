#pragma once

#include <cstdint>
#include <optional>

#include "heap/analysis/snapshot.h"
#include "heap/json/heap_source.h"
#include "heap/json/json_writer.h"
#include "heap/query/collections.h"
#include "heap/query/names.h"
#include "heap/query/retaining_paths.h"
#include "heap/query/script_names.h"

namespace crucible::heap {

/** What is said of a snapshot as a whole; it may be gone by then. SnapshotAnswer of src/snapshot/answers.ts. */
struct SnapshotFacts {
  SnapshotFacts(std::string path, const HeapGraph& graph);

  std::string path;
  std::uint64_t node_count, edge_count, string_count;
  std::uint64_t total_self_bytes, extra_native_bytes;
  std::vector<std::string> missing;
};

void write_facts(JsonWriter& json, const SnapshotFacts& facts);

/** PlaceAnswer, or null. */
void write_place(JsonWriter& json, const ScriptNames& scripts, const std::optional<Location>& location);

/** Writes what every answer is made of: the shapes are in src/snapshot/answers.ts. */
class HeapWriter {
 public:
  HeapWriter(JsonWriter& json, const Snapshot& snapshot, const ScriptNames& scripts, const Redaction* redaction)
      : json_(json), snapshot_(snapshot), scripts_(scripts), names_(snapshot.graph, redaction), paths_(snapshot) {}

  [[nodiscard]] const Names& names() const { return names_; }
  [[nodiscard]] RetainingPaths& paths() { return paths_; }

  /** NodeAnswer. */
  void node(Node node);
  /** NodeAnswer with the shortest path. */
  void node_with_path(Node node);
  /** StepAnswer[]; of a path of more than 201 references the middle is one step that says how many it stands for. */
  void path(const RetainingPath& path);
  void shortest_path(std::string_view member, Node node);
  /** ClassAnswer. */
  void class_row(Class c);
  /** `kind`, `entries` and `capacity` of the object that is open. */
  void collection_members(const Collection& collection);
  /** `place` of the object that is open: of the closure, or of the object's constructor. */
  void place_of(Node node);
  void place(std::string_view member, const std::optional<Location>& location);

 private:
  void node_members(Node node);
  void step(Node to, const std::string& edge);
  [[nodiscard]] std::optional<Location> location_of(Node node) const;

  JsonWriter& json_;
  const Snapshot& snapshot_;
  const ScriptNames& scripts_;
  Names names_;
  RetainingPaths paths_;
};

}  // namespace crucible::heap
