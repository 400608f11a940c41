#include "test/native/heap/real_snapshots.h"

#include <cstdio>
#include <memory>

#include "heap/compare/growth.h"
#include "heap/compare/heap_diff.h"
#include "heap/parse/file_parser.h"
#include "heap/query/collections.h"
#include "heap/query/retaining_paths.h"
#include "test/native/heap/testing.h"

using namespace crucible::heap;

namespace {

const std::vector<std::string>& paths(std::size_t needed) {
  if (real_snapshot_paths().size() < needed) throw testing::Skipped("no snapshots were given");
  return real_snapshot_paths();
}

Snapshot read(const std::string& path, unsigned threads, AnalysisOptions options = {}) {
  Progress progress;
  return read_snapshot(path, {}, std::move(options), Crew(threads), progress);
}

std::uint64_t digest(const Snapshot& snapshot) {
  std::uint64_t sum = 0;
  for (const Node node : snapshot.graph.all_nodes()) {
    sum = combine(sum, snapshot.graph.nodes.id[node]);
    sum = combine(sum, snapshot.dominator[node].value);
    sum = combine(sum, snapshot.retained_bytes[node]);
    sum = combine(sum, static_cast<std::uint64_t>(snapshot.distance[node]));
    sum = combine(sum, snapshot.graph.strings.hash(snapshot.graph.name(node)));
    sum = combine(sum, snapshot.classes.key_hash(snapshot.classes.of(node)));
  }
  return sum;
}

}  // namespace

TEST("a real snapshot costs at most 38 bytes a node and 10 bytes an edge, retainers included") {
  const Snapshot snapshot = read(paths(1)[0], 2);
  // One entry more than nodes in two columns, and the bytes that are read behind the last packed one.
  TRUE(snapshot.node_bytes_held() <= 38ull * snapshot.graph.node_count() + 16);
  TRUE(snapshot.edge_bytes_held() <= 10ull * snapshot.graph.edge_count() + 12);
}

TEST("a real snapshot says the same to one thread, to several and through a pipe") {
  const std::string& path = paths(1)[0];
  const std::uint64_t expected = digest(read(path, 1));
  EQUAL(digest(read(path, 2)), expected);
  EQUAL(digest(read(path, 4)), expected);
  SnapshotParser parser;
  std::FILE* file = std::fopen(path.c_str(), "rb");
  const auto piece = std::make_unique<char[]>(10'007);
  while (const std::size_t got = std::fread(piece.get(), 1, 10'007, file)) parser.feed(piece.get(), got);
  std::fclose(file);
  Progress progress;
  EQUAL(digest(analyse(parser.finish(), {}, Crew(1), progress)), expected);
}

TEST("the root of a real snapshot retains all of it, and every node has a path or none is there") {
  const Snapshot snapshot = read(paths(1)[0], 2);
  EQUAL(snapshot.retained_bytes[snapshot.graph.root], snapshot.graph.total_self_bytes());
  RetainingPaths retaining(snapshot);
  for (const Node node : snapshot.graph.all_nodes()) {
    const bool expected = node != snapshot.graph.root && snapshot.distance[node] != kNoDistance;
    EQUAL(!retaining.shortest(node).empty(), expected);
  }
}

TEST("two real snapshots of one process balance to the byte") {
  Progress progress;
  const DiffBase base = make_diff_base(read(paths(2)[0], 2), Crew(2), progress);
  AnalysisOptions options;
  options.interfaces = base.interfaces;
  const Snapshot last = read(paths(2)[1], 2, options);
  const HeapDiff diff = diff_heaps(base, last, 10, Crew(2), progress);
  EQUAL(diff.balance.residual_bytes(), 0);
  TRUE(diff.is_one_process());
  std::int64_t sum = 0;
  for (const ClassDelta& row : diff.classes) sum += row.delta_bytes();
  EQUAL(sum, diff.balance.delta_bytes);
}

TEST("Map, Set, Array, dictionary and WeakMap that took 1,000 entries between real snapshots are growers of 1,000") {
  Progress progress;
  const DiffBase base = make_diff_base(read(paths(2)[0], 2), Crew(2), progress);
  const Snapshot last = read(paths(2)[1], 2);
  const HeapDiff diff = diff_heaps(base, last, 50, Crew(2), progress);
  for (const CollectionKind kind : {CollectionKind::kMap, CollectionKind::kSet, CollectionKind::kArray,
                                    CollectionKind::kDictionary, CollectionKind::kWeakMap}) {
    bool found = false;
    for (const Grower& grower : diff.growers) {
      const auto collection = as_collection(last.graph, grower.node);
      found |= collection && collection->kind == kind && grower.delta_entries == 1000;
    }
    if (!found) throw std::runtime_error(std::string("no grower of kind ") + collection_kind_name(kind));
  }
}

TEST("growth over three real snapshots names the program's containers") {
  Progress progress;
  GrowthTracker tracker;
  Snapshot last;
  for (const std::string& path : paths(3)) {
    last = read(path, 2);
    tracker.add(last, progress);
  }
  std::string found;
  for (const Growth& growth : tracker.finish(last, Names(last.graph), {}, progress)) found += growth.path + "\n";
  // Values of the WeakMap go with their keys, as everywhere.
  for (const char* const name : {"leak.map", "leak.set", "leak.array", "leak.dictionary", "leak.keys"})
    if (found.find(name) == std::string::npos) throw std::runtime_error(std::string(name) + " is not among\n" + found);
}
