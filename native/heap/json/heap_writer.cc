#include "heap/json/heap_writer.h"

namespace crucible::heap {

SnapshotFacts::SnapshotFacts(std::string name, const HeapGraph& graph)
    : path(std::move(name)),
      node_count(graph.node_count()),
      edge_count(graph.edge_count()),
      string_count(graph.strings.size()),
      total_self_bytes(graph.total_self_bytes()),
      extra_native_bytes(graph.meta.extra_native_bytes),
      missing(graph.missing) {}

void write_facts(JsonWriter& json, const SnapshotFacts& facts) {
  json.object([&] {
    json.member("path", facts.path);
    json.member("nodeCount", facts.node_count);
    json.member("edgeCount", facts.edge_count);
    json.member("stringCount", facts.string_count);
    json.member("totalSelfBytes", facts.total_self_bytes);
    json.member("extraNativeBytes", facts.extra_native_bytes);
    json.array_member("missing", [&] {
      for (const std::string& sentence : facts.missing) json.value(sentence);
    });
  });
}

void write_place(JsonWriter& json, const ScriptNames& scripts, const std::optional<Location>& location) {
  if (!location) {
    json.null();
    return;
  }
  json.object([&] {
    json.member("script", scripts.of(location->script_id));
    json.member("line", location->line + std::uint64_t{1});
    json.member("column", location->column + std::uint64_t{1});
  });
}

void HeapWriter::place(std::string_view member, const std::optional<Location>& location) {
  json_.name(member);
  write_place(json_, scripts_, location);
}

void HeapWriter::place_of(Node node) { place("place", snapshot_.graph.locations.of(node)); }

void HeapWriter::node_members(Node node) {
  const HeapGraph& graph = snapshot_.graph;
  json_.member("id", graph.nodes.id[node]);
  json_.member("type", graph.meta.node_type_names[graph.type(node)]);
  json_.member("name", names_.node(node));
  json_.member("className", names_.of(snapshot_.classes, snapshot_.classes.of(node)));
  place_of(node);
  json_.member("selfBytes", graph.nodes.self_bytes[node]);
  json_.member("ownedBytes", snapshot_.owned_bytes[node]);
  json_.member("retainedBytes", snapshot_.retained_bytes[node]);
  if (node == graph.root) json_.null_member("dominatorId");
  else json_.member("dominatorId", graph.nodes.id[snapshot_.dominator[node]]);
  if (snapshot_.distance[node] == kNoDistance) json_.null_member("distance");
  else json_.member("distance", snapshot_.distance[node]);
}

void HeapWriter::node(Node node) {
  json_.object([&] { node_members(node); });
}

void HeapWriter::node_with_path(Node node) {
  json_.object([&] {
    node_members(node);
    shortest_path("path", node);
  });
}

/** A scope has no place of its own, but the functions that were made in it have one. */
std::optional<Location> HeapWriter::location_of(Node node) const {
  const HeapGraph& graph = snapshot_.graph;
  if (const auto own = graph.locations.of(node)) return own;
  if (!graph.is_named(node, hash_text("system / Context"))) return std::nullopt;
  Node oldest = kNo<Node>;
  for (const Retainer retainer : snapshot_.retainers.of(node)) {
    const Node from = snapshot_.retainers.from(retainer);
    if (graph.kind(from) != NodeKind::kClosure || !graph.locations.of(from)) continue;
    if (oldest == kNo<Node> || graph.nodes.id[from] < graph.nodes.id[oldest]) oldest = from;
  }
  return oldest == kNo<Node> ? std::nullopt : graph.locations.of(oldest);
}

void HeapWriter::path(const RetainingPath& path) {
  // A list of 20,000 elements is a path as long, and its every element would repeat it.
  constexpr std::size_t kEndSteps = 100;
  json_.array([&] {
    if (path.size() <= 2 * kEndSteps + 1) {
      for (const PathStep& step_of_path : path) step(step_of_path.to, names_.edge(step_of_path.edge));
      return;
    }
    const std::size_t left_out = path.size() - 2 * kEndSteps;
    for (std::size_t at = 0; at < kEndSteps; ++at) step(path[at].to, names_.edge(path[at].edge));
    step(path[kEndSteps + left_out - 1].to, "… " + std::to_string(left_out) + " references …");
    for (std::size_t at = kEndSteps + left_out; at < path.size(); ++at) step(path[at].to, names_.edge(path[at].edge));
  });
}

void HeapWriter::step(Node to, const std::string& edge) {
  json_.object([&] {
    json_.member("edge", edge);
    json_.member("id", snapshot_.graph.nodes.id[to]);
    json_.member("name", names_.node(to));
    json_.member("className", names_.of(snapshot_.classes, snapshot_.classes.of(to)));
    place("place", location_of(to));
  });
}

void HeapWriter::shortest_path(std::string_view member, Node node) {
  json_.name(member);
  path(paths_.shortest(node));
}

void HeapWriter::class_row(Class c) {
  const ClassTotals& totals = snapshot_.totals(c);
  json_.object([&] {
    json_.member("name", names_.of(snapshot_.classes, c));
    place("place", snapshot_.classes.name(c).location);
    json_.member("count", totals.count);
    json_.member("ownedBytes", totals.owned_bytes);
    json_.member("retainedBytes", totals.retained_bytes);
  });
}

void HeapWriter::collection_members(const Collection& collection) {
  json_.member("kind", collection_kind_name(collection.kind));
  json_.member("entries", collection.entries);
  if (collection.capacity == 0) json_.null_member("capacity");
  else json_.member("capacity", collection.capacity);
}

}  // namespace crucible::heap
