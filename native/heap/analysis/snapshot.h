#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heap/analysis/aggregates.h"
#include "heap/analysis/class_table.h"
#include "heap/analysis/distances.h"
#include "heap/analysis/interfaces.h"
#include "heap/base/crew.h"
#include "heap/base/progress.h"
#include "heap/graph/heap_graph.h"
#include "heap/graph/retainers.h"
#include "heap/parse/snapshot_parser.h"

namespace crucible::heap {

struct AnalysisOptions {
  /** Shapes of plain objects from the snapshot that this one will be compared with, tried first. */
  std::vector<Interface> interfaces;
};

/** Seconds that each step took, and the memory held at its end. */
struct PhaseTime {
  std::string name;
  double seconds = 0;
};

/** A heap and everything that DevTools would say about it. Plain data: read it from any thread. */
struct Snapshot {
  HeapGraph graph;
  Retainers retainers;
  WideTable<Node> owned_bytes;
  WideTable<Node> retained_bytes;
  PackedTable<Node, Node> dominator;
  Table<Node, std::int32_t> distance;
  ClassTable classes;
  std::vector<Interface> interfaces;
  std::vector<ClassTotals> class_totals;
  std::vector<PhaseTime> phases;

  [[nodiscard]] const ClassTotals& totals(Class c) const { return class_totals[c.value]; }
  /** For nodes, the columns that every node has. */
  [[nodiscard]] std::size_t node_bytes_held() const;
  [[nodiscard]] std::size_t edge_bytes_held() const;
  /** Everything: nodes, edges, strings, locations, classes, traces. */
  [[nodiscard]] std::size_t bytes_held() const;
};

/** O(edges log nodes), practically linear. Throws INTERRUPTED. */
[[nodiscard]] Snapshot analyse(HeapGraph graph, AnalysisOptions options, const Crew& crew, Progress& progress);

/** parse_file and analyse. */
[[nodiscard]] Snapshot read_snapshot(const std::string& path, ParseOptions parsing, AnalysisOptions options,
                                     const Crew& crew, Progress& progress);

}  // namespace crucible::heap
