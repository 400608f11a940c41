#include "heap/json/overview.h"

#include <algorithm>
#include <numeric>

#include "heap/json/heap_writer.h"
#include "heap/query/duplicate_strings.h"
#include "heap/query/largest.h"

namespace crucible::heap {

namespace {

struct Sum {
  std::uint64_t count = 0;
  std::uint64_t self_bytes = 0;
  void add(std::uint64_t bytes) {
    ++count;
    self_bytes += bytes;
  }
  void write(JsonWriter& json) const {
    json.member("count", count);
    json.member("selfBytes", self_bytes);
  }
};

/** By node type, largest first, and what nothing reaches. */
void write_sums(JsonWriter& json, const Snapshot& snapshot, Progress& progress) {
  const HeapGraph& graph = snapshot.graph;
  std::vector<Sum> of_type(graph.meta.node_type_names.size());
  Sum unreachable;
  for (const Node node : graph.all_nodes()) {
    if ((node.value & 0xFFFF) == 0) progress.check();
    const std::uint64_t bytes = graph.nodes.self_bytes[node];
    of_type[graph.type(node)].add(bytes);
    if (snapshot.distance[node] == kNoDistance) unreachable.add(bytes);
  }
  std::vector<std::size_t> order(of_type.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return of_type[a].self_bytes > of_type[b].self_bytes; });
  json.array_member("types", [&] {
    for (const std::size_t type : order) {
      if (of_type[type].count == 0) continue;
      json.object([&] {
        json.member("type", graph.meta.node_type_names[type]);
        of_type[type].write(json);
      });
    }
  });
  json.object_member("unreachable", [&] { unreachable.write(json); });
}

void write_collections(JsonWriter& json, HeapWriter& writer, const Snapshot& snapshot, const OverviewOptions& options,
                       Progress& progress) {
  const HeapGraph& graph = snapshot.graph;
  json.array_member("collections", [&] {
    for (const Collection& collection : find_collections(graph, options.entries_min, options.top, progress)) {
      json.object([&] {
        json.member("id", graph.nodes.id[collection.node]);
        writer.collection_members(collection);
        json.member("name", writer.names().node(collection.node));
        json.member("retainedBytes", snapshot.retained_bytes[collection.node]);
        writer.shortest_path("path", collection.node);
      });
    }
  });
}

void write_duplicates(JsonWriter& json, HeapWriter& writer, const HeapGraph& graph, std::size_t top,
                      Progress& progress) {
  json.array_member("duplicateStrings", [&] {
    for (const DuplicateString& string : find_duplicate_strings(graph, top, progress)) {
      json.object([&] {
        json.member("id", graph.nodes.id[string.sample]);
        json.member("text", writer.names().content(string.sample));
        json.member("count", string.count);
        json.member("totalBytes", string.total_bytes);
        json.member("wastedBytes", string.wasted_bytes);
        json.member("isGuess", string.is_guess);
      });
    }
  });
}

}  // namespace

std::string overview_json(const ReadHeap& heap, const OverviewOptions& options, Progress& progress) {
  progress.enter(Phase::kAnswering);
  const Snapshot& snapshot = heap.snapshot;
  JsonWriter json;
  HeapWriter writer(json, snapshot, heap.scripts, heap.redaction);
  json.object([&] {
    json.name("snapshot");
    write_facts(json, SnapshotFacts(heap.path, snapshot.graph));
    write_sums(json, snapshot, progress);
    json.array_member("classes", [&] {
      for (const Class c : largest_classes(snapshot, options.top)) writer.class_row(c);
    });
    json.array_member("retainers", [&] {
      for (const Node node : largest_retainers(snapshot, options.top)) writer.node_with_path(node);
    });
    json.array_member("objects", [&] {
      for (const Node node : largest_objects(snapshot, options.top)) writer.node(node);
    });
    write_collections(json, writer, snapshot, options, progress);
    write_duplicates(json, writer, snapshot.graph, options.top, progress);
  });
  progress.enter(Phase::kDone);
  return json.take();
}

}  // namespace crucible::heap
