#include "heap/parse/seal_graph.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <string>

#include "heap/base/snapshot_error.h"
#include "heap/parse/number_reader.h"
#include "heap/parse/row_columns.h"

namespace crucible::heap {

namespace {

constexpr std::size_t kGrain = 1 << 20;

/** Where the number with that ordinal begins: reads the section again, which only errors need. */
std::uint64_t offset_of_number(const SealFacts& facts, std::uint64_t section_offset, std::uint64_t ordinal) {
  if (facts.file == nullptr) return section_offset;
  constexpr std::size_t kPiece = 1 << 20;
  const auto piece = std::make_unique<char[]>(kPiece);
  NumberReader reader;
  reader.begin();
  std::uint64_t found = section_offset;
  std::uint64_t at = section_offset;
  bool searching = true;
  while (searching) {
    const std::size_t got = facts.file->read_at(at, piece.get(), kPiece);
    if (got == 0) break;
    reader.read(piece.get(), piece.get() + got, at,
                [&](std::uint64_t first, const std::uint64_t*, std::size_t count, const BatchPlace& place) {
                  if (ordinal < first || ordinal >= first + count) return;
                  found = place.offset_of(ordinal - first);
                  searching = false;
                });
    searching = searching && !reader.done();
    at += got;
  }
  return found;
}

void place_edges(HeapGraph& graph, const SealFacts& facts) {
  auto& first = graph.nodes.first_edge.column();
  const std::uint32_t edges = graph.edge_count();
  if (facts.edge_total != edges && !facts.salvage) {
    throw SnapshotError("SNAPSHOT_EDGE_SUM",
                        {facts.edges_offset,
                         "the nodes claim " + std::to_string(facts.edge_total) + " edges, and the file has " +
                             std::to_string(edges),
                         "each edge belongs to the node whose turn it is by these counts, so all would be misplaced",
                         "capture the snapshot again"});
  }
  std::uint64_t at = 0;
  for (std::uint32_t node = 0; node < graph.node_count(); ++node) {
    const std::uint32_t count = first[node];
    first[node] = static_cast<std::uint32_t>(std::min<std::uint64_t>(at, edges));
    at += count;
  }
  first[graph.node_count()] = edges;
  if (facts.salvage && at > edges)
    graph.missing.push_back(std::to_string(at - edges) + " of " + std::to_string(at) + " edges");
}

void check_node_names(const HeapGraph& graph, const SealFacts& facts) {
  if (facts.salvage || graph.node_count() == 0 || facts.node_name_max < graph.strings.size()) return;
  const std::uint32_t width = graph.meta.node_row.width();
  throw_out_of_range("nodes", facts.node_name_max_row, "name", facts.node_name_max,
                     "the file has " + std::to_string(graph.strings.size()) + " strings",
                     offset_of_number(facts, facts.nodes_offset,
                                      facts.node_name_max_row * width + *graph.meta.node_row.column("name")));
}

/** Only now is it known how many strings there are, and which edges carry an index instead. */
void check_edge_names(const HeapGraph& graph, const SealFacts& facts, const Crew& crew) {
  if (facts.salvage) return;
  const std::uint32_t strings = graph.strings.size();
  std::uint8_t is_text[256];
  for (std::size_t type = 0; type < 256; ++type) {
    const EdgeKind kind = graph.meta.edge_kinds[type];
    is_text[type] = kind != EdgeKind::kElement && kind != EdgeKind::kHidden;
  }
  std::atomic<std::uint32_t> worst{kNone};
  const std::uint8_t* const types = graph.edges.type.column().data();
  const PackedView names = graph.edges.name_or_index.narrow().view();
  crew.split(graph.edge_count(), kGrain, [&](std::size_t first, std::size_t last) {
    for (std::size_t edge = first; edge < last; ++edge) {
      if (names[edge] < strings || !is_text[types[edge]]) [[likely]] continue;
      std::uint32_t known = worst.load();
      while (edge < known && !worst.compare_exchange_weak(known, static_cast<std::uint32_t>(edge))) {
      }
      return;
    }
  });
  const std::uint32_t row = worst.load();
  if (row == kNone) return;
  const std::uint64_t ordinal = std::uint64_t{row} * graph.meta.edge_row.width() + *graph.meta.edge_row.column("name_or_index");
  throw_out_of_range("edges", row, "name_or_index", graph.edges.name_or_index[Edge{row}], "the file has " + std::to_string(strings) + " strings",
                     offset_of_number(facts, facts.edges_offset, ordinal));
}

/** Edges of a salvaged file that lead nowhere must retain nothing. */
void tie_loose_edges(HeapGraph& graph, const SealFacts& facts) {
  if (!facts.salvage) return;
  const auto& kinds = graph.meta.edge_kinds;
  const auto weak = std::find(kinds.begin(), kinds.end(), EdgeKind::kWeak);
  std::uint64_t lost = 0;
  for (const Edge edge : graph.edges.to.keys()) {
    if (graph.to(edge).value < graph.node_count()) continue;
    graph.edges.to.set(edge, Node{0});
    if (weak != kinds.end()) graph.edges.type[edge] = static_cast<std::uint8_t>(weak - kinds.begin());
    ++lost;
  }
  if (lost != 0) graph.missing.push_back(std::to_string(lost) + " edges lead to nodes that the file does not have");
}

/** Ids of V8 are small and dense; only the embedder's are not. One bit for each dense one, a sort for the rest. */
void check_ids(const HeapGraph& graph, const SealFacts& facts) {
  if (facts.salvage) return;
  const std::uint64_t dense = std::uint64_t{graph.node_count()} * 16;
  Column<std::uint64_t> seen(dense / 64 + 1);
  std::vector<std::pair<std::uint64_t, std::uint32_t>> sparse;
  const std::uint32_t* const ids = graph.nodes.id.narrow().data();
  std::pair<std::uint64_t, std::uint32_t> repeated{0, kNone};
  for (std::uint32_t node = 0; node < graph.node_count(); ++node) {
    if (ids[node] >= dense) {
      sparse.emplace_back(graph.nodes.id[Node{node}], node);
      continue;
    }
    const std::uint64_t bit = std::uint64_t{1} << (ids[node] & 63);
    if (seen[ids[node] >> 6] & bit) {
      repeated = {ids[node], node};
      break;
    }
    seen[ids[node] >> 6] |= bit;
  }
  std::sort(sparse.begin(), sparse.end());
  for (std::size_t at = 1; at < sparse.size() && repeated.second == kNone; ++at)
    if (sparse[at].first == sparse[at - 1].first) repeated = sparse[at];
  if (repeated.second == kNone) return;
  const std::uint64_t ordinal =
      std::uint64_t{repeated.second} * graph.meta.node_row.width() + *graph.meta.node_row.column("id");
  throw SnapshotError("SNAPSHOT_DUPLICATE_ID",
                      {offset_of_number(facts, facts.nodes_offset, ordinal),
                       "two nodes have the id " + std::to_string(repeated.first),
                       "an id names one object for the life of a process, and comparisons rely on it",
                       "capture the snapshot again"});
}

}  // namespace

void seal_graph(HeapGraph& graph, const SealFacts& facts, const Crew& crew) {
  if (graph.node_count() == 0) {
    throw SnapshotError("SNAPSHOT_COUNT", {facts.nodes_offset, "the snapshot has no nodes",
                                           "every heap has at least a root", "capture the snapshot again"});
  }
  place_edges(graph, facts);
  tie_loose_edges(graph, facts);
  check_node_names(graph, facts);
  check_edge_names(graph, facts, crew);
  check_ids(graph, facts);
  const std::uint32_t width = graph.meta.node_row.width();
  const std::uint64_t root = graph.meta.root_index;
  if (root % width != 0 || root / width >= graph.node_count()) {
    throw SnapshotError("SNAPSHOT_INDEX", {kNoOffset, "root_index is " + std::to_string(root),
                                           "it must be a multiple of " + std::to_string(width) + " within the nodes",
                                           "capture the snapshot again"});
  }
  graph.root = Node{static_cast<std::uint32_t>(root / width)};
}

}  // namespace crucible::heap
