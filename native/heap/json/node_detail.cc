#include "heap/json/node_detail.h"

#include <algorithm>
#include <map>

#include "heap/json/heap_writer.h"
#include "heap/query/removal.h"

namespace crucible::heap {

namespace {

/** A reference, and the object at the end that is asked about. */
struct Field {
  Edge edge;
  Node object;
};

class DetailWriter {
 public:
  DetailWriter(JsonWriter& json, const ReadHeap& heap, Node node)
      : json_(json),
        snapshot_(heap.snapshot),
        graph_(heap.snapshot.graph),
        writer_(json, heap.snapshot, heap.scripts, heap.redaction),
        node_(node) {}

  void run(const NodeDetailOptions& options, Progress& progress) {
    json_.name("node");
    writer_.node(node_);
    json_.name("dominator");
    if (node_ == graph_.root) json_.null();
    else writer_.node(snapshot_.dominator[node_]);
    write_fields("fields", fields(options.fields));
    json_.member("fieldCount", graph_.edges_of(node_).size());
    write_fields("holders", holders(options.fields));
    json_.member("holderCount", snapshot_.retainers.of(node_).size());
    progress.check();
    writer_.shortest_path("shortestPath", node_);
    json_.array_member("distinctPaths", [&] {
      for (const RetainingPath& path : writer_.paths().distinct(node_, options.paths)) writer_.path(path);
    });
    write_weak_map_entries();
    write_removal(progress);
    write_collection();
    write_stack();
  }

 private:
  [[nodiscard]] bool retains_more(Node a, Node b) const {
    return snapshot_.retained_bytes[a] > snapshot_.retained_bytes[b];
  }

  [[nodiscard]] std::vector<Field> fields(std::size_t count) const {
    std::vector<Field> all;
    for (const Edge edge : graph_.edges_of(node_)) all.push_back({edge, graph_.to(edge)});
    std::stable_sort(all.begin(), all.end(),
                     [this](const Field& a, const Field& b) { return retains_more(a.object, b.object); });
    if (all.size() > count) all.resize(count);
    return all;
  }

  /** Each once, although it may refer to the node through several edges. */
  [[nodiscard]] std::vector<Node> holding_nodes() const {
    std::vector<Node> nodes;
    for (const Retainer retainer : snapshot_.retainers.of(node_)) nodes.push_back(snapshot_.retainers.from(retainer));
    std::sort(nodes.begin(), nodes.end());
    nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
    return nodes;
  }

  [[nodiscard]] std::vector<Field> holders(std::size_t count) const {
    std::vector<Node> nodes = holding_nodes();
    std::stable_sort(nodes.begin(), nodes.end(), [this](Node a, Node b) { return retains_more(a, b); });
    std::vector<Field> found;
    for (std::size_t at = 0; at < nodes.size() && found.size() < count; ++at)
      for (const Edge edge : edges_between(graph_, nodes[at], node_))
        if (found.size() < count) found.push_back({edge, nodes[at]});
    return found;
  }

  void write_fields(std::string_view member, const std::vector<Field>& fields) {
    json_.array_member(member, [&] {
      for (const Field& field : fields) {
        json_.object([&] {
          json_.member("edgeType", graph_.meta.edge_type_names[graph_.edges.type[field.edge]]);
          json_.member("edge", writer_.names().edge(field.edge));
          json_.member("id", graph_.nodes.id[field.object]);
          json_.member("type", graph_.meta.node_type_names[graph_.type(field.object)]);
          json_.member("name", writer_.names().node(field.object));
          json_.member("selfBytes", graph_.nodes.self_bytes[field.object]);
          json_.member("retainedBytes", snapshot_.retained_bytes[field.object]);
        });
      }
    });
  }

  /** An entry has an edge from the table and one from the key; the key's may be cut off. */
  void write_weak_map_entries() {
    struct Entry {
      std::uint64_t table_id = 0;
      std::optional<std::uint64_t> key_id;
    };
    std::map<std::uint32_t, Entry> entries;
    if (graph_.ephemerons.pair_count() != 0) {
      for (const Node holder : holding_nodes()) {
        for (const Edge edge : edges_between(graph_, holder, node_)) {
          const Ephemerons::Entry* found =
              graph_.kind(edge) == EdgeKind::kInternal ? graph_.ephemerons.of(graph_.name(edge)) : nullptr;
          if (found == nullptr || found->value_id != graph_.nodes.id[node_]) continue;
          Entry& entry = entries[found->pair];
          entry.table_id = found->table_id;
          if (graph_.nodes.id[holder] != found->table_id) entry.key_id = graph_.nodes.id[holder];
        }
      }
    }
    json_.array_member("weakMapEntries", [&] {
      for (const auto& [pair, found] : entries) {
        const auto& entry = found;  // clang 14 lets no lambda capture a structured binding
        json_.object([&] {
          json_.member("tableId", entry.table_id);
          if (entry.key_id) json_.member("keyId", *entry.key_id);
          else json_.null_member("keyId");
        });
      }
    });
  }

  void write_removal(Progress& progress) {
    const Node gone[] = {node_};
    const Removal removal = remove_references(graph_, {}, gone, progress);
    json_.object_member("ifRemoved", [&] {
      json_.member("freedObjects", removal.freed_objects);
      json_.member("freedBytes", removal.freed_bytes);
    });
  }

  void write_collection() {
    const auto collection = as_collection(graph_, node_);
    json_.name("collection");
    if (!collection) json_.null();
    else json_.object([&] { writer_.collection_members(*collection); });
  }

  void write_stack() {
    json_.array_member("allocationStack", [&] {
      if (graph_.nodes.trace_node.size() == 0) return;
      for (const TraceFunction* frame : graph_.traces.stack_of(graph_.nodes.trace_node[node_])) {
        json_.object([&] {
          json_.member("functionName", writer_.names().function(frame->name));
          writer_.place("place", frame->location.script_id == 0 ? std::nullopt : std::optional(frame->location));
        });
      }
    });
  }

  JsonWriter& json_;
  const Snapshot& snapshot_;
  const HeapGraph& graph_;
  HeapWriter writer_;
  Node node_;
};

}  // namespace

std::string node_detail_json(const ReadHeap& heap, const NodeDetailOptions& options, Progress& progress) {
  progress.enter(Phase::kAnswering);
  const Node node = heap.snapshot.graph.find_id(options.id);
  if (node == kNo<Node>) {
    throw SnapshotError("UNKNOWN_NODE", {kNoOffset, heap.path + " has no object with the id " + std::to_string(options.id),
                                         "ids are valid within the snapshots of one process, and the object may have been freed",
                                         "take an id from a report about this file"});
  }
  JsonWriter json;
  json.object([&] { DetailWriter(json, heap, node).run(options, progress); });
  progress.enter(Phase::kDone);
  return json.take();
}

}  // namespace crucible::heap
