#include "heap/query/names.h"
#include "heap/query/script_names.h"
#include "test/native/heap/heap_builder.h"
#include "test/native/heap/testing.h"

using namespace crucible::heap;

namespace {

std::string class_of(const Snapshot& snapshot, std::uint32_t node) {
  return snapshot.classes.text(snapshot.graph, snapshot.classes.of(Node{node}));
}

}  // namespace

TEST("user roots are one away, and what only V8 reaches is a hundred million away") {
  HeapBuilder heap;
  const auto strong_roots = heap.node("synthetic", "(Strong roots)", 0);
  const auto internal = heap.node("hidden", "system / Map", 40);
  const auto user = heap.node("object", "User", 16);
  heap.edge("element", 1, heap.root(), strong_roots);
  heap.edge("element", 1, strong_roots, internal);
  heap.edge("property", "user", heap.global(), user);
  const Snapshot snapshot = heap.analysed();
  EQUAL(snapshot.distance[Node{heap.global()}], 1);
  EQUAL(snapshot.distance[Node{user}], 2);
  EQUAL(snapshot.distance[Node{heap.root()}], kSystemDistance);
  EQUAL(snapshot.distance[Node{internal}], kSystemDistance + 2);
}

TEST("a WeakMap value is one further than the later of its key and its table, and belongs to the key") {
  HeapBuilder heap;
  const auto holder = heap.node("object", "Holder", 16);
  const auto key = heap.node("object", "Key", 16);
  const auto table = heap.node("array", "", 64);
  const auto value = heap.node("object", "Value", 100);
  heap.edge("property", "table", heap.global(), table);
  heap.edge("property", "holder", heap.global(), holder);
  heap.edge("property", "key", holder, key);
  heap.weak_map_entry(table, key, value);
  const Snapshot snapshot = heap.analysed();
  EQUAL(snapshot.distance[Node{value}], 4);
  EQUAL(snapshot.dominator[Node{value}].value, key);
  EQUAL(snapshot.retained_bytes[Node{key}], 116u);
}

TEST("an edge that only claims to be a WeakMap entry in the middle of its name is an ordinary one") {
  HeapBuilder heap;
  const auto value = heap.node("object", "Value", 100);
  heap.edge("internal", "1 / part of key (X @1) -> value (Y @5) pair in WeakMap (table @3) really", heap.global(), value);
  const Snapshot snapshot = heap.analysed();
  EQUAL(snapshot.dominator[Node{value}].value, heap.global());
}

TEST("a table that one Map owns counts as the Map, one that two share counts by itself") {
  HeapBuilder heap;
  const auto map = heap.node("object", "Map", 32);
  const auto table = heap.node("array", "", 1000);
  const auto one = heap.node("object", "One", 16);
  const auto two = heap.node("object", "Two", 16);
  const auto shared = heap.node("array", "", 500);
  for (const auto node : {map, one, two}) heap.edge("property", "p" + std::to_string(node), heap.global(), node);
  heap.edge("internal", "table", map, table);
  heap.edge("internal", "elements", one, shared);
  heap.edge("internal", "elements", two, shared);
  const Snapshot snapshot = heap.analysed();
  EQUAL(snapshot.owned_bytes[Node{map}], 1032u);
  EQUAL(snapshot.owned_bytes[Node{table}], 0u);
  EQUAL(snapshot.owned_bytes[Node{shared}], 500u);
}

TEST("plain objects are named after the properties that many of them have") {
  HeapBuilder heap;
  std::vector<std::uint32_t> points;
  for (int at = 0; at < 3; ++at) {
    const auto point = heap.node("object", "Object", 40);
    heap.edge("element", at, heap.global(), point);
    heap.edge("property", "x", point, heap.global());
    heap.edge("property", "y, z", point, heap.global());
    points.push_back(point);
  }
  heap.edge("property", "more", points[2], heap.global());
  const auto other = heap.node("object", "Object", 40);
  heap.edge("property", "other", heap.global(), other);
  const Snapshot snapshot = heap.analysed();
  EQUAL(class_of(snapshot, points[0]), "{x, \"y, z\"}");
  EQUAL(class_of(snapshot, points[2]), "{x, \"y, z\"}");
  EQUAL(class_of(snapshot, other), "Object");
}

TEST("two classes with one name are told apart by where they are written") {
  HeapBuilder heap;
  const auto mine = heap.node("object", "Buffer", 40);
  const auto theirs = heap.node("object", "Buffer", 40);
  heap.edge("property", "mine", heap.global(), mine);
  heap.edge("property", "theirs", heap.global(), theirs);
  heap.location(mine, 5, 10, 2);
  heap.location(theirs, 6, 20, 4);
  const Snapshot snapshot = heap.analysed();
  TRUE(snapshot.classes.of(Node{mine}) != snapshot.classes.of(Node{theirs}));
  EQUAL(snapshot.classes.key(snapshot.graph, snapshot.classes.of(Node{mine})), "5,10,2,Buffer");
}

TEST("DOM nodes are named by their tag, and detached ones as such") {
  HeapBuilder heap;
  const auto div = heap.node("native", "<div id=\"a\">", 40);
  const auto child = heap.node("native", "<p>", 40);
  heap.edge("property", "div", heap.global(), div);
  heap.edge("element", 0, div, child);
  heap.detached(div, 2);
  const Snapshot snapshot = heap.analysed();
  EQUAL(class_of(snapshot, div), "Detached <div>");
  EQUAL(class_of(snapshot, child), "Detached <p>");
}

TEST("a script is known by the functions that live in it") {
  HeapBuilder heap;
  const auto closure = heap.node("closure", "handler", 64);
  const auto shared = heap.node("code", "handler", 56);
  const auto script = heap.node("code", "/srv/app.js", 100);
  heap.edge("property", "handler", heap.global(), closure);
  heap.edge("internal", "shared", closure, shared);
  heap.edge("internal", "script", shared, script);
  heap.location(closure, 30, 41, 7);
  const Snapshot snapshot = heap.analysed();
  const ScriptNames scripts(snapshot.graph);
  EQUAL(scripts.place(*snapshot.graph.locations.of(Node{closure})), "/srv/app.js:42:8");
  EQUAL(scripts.of(99), "script 99");
}

TEST("closures, bound functions, contexts, strings and plain objects have readable names") {
  HeapBuilder heap;
  const auto handler = heap.node("closure", "handler", 64);
  const auto bound = heap.node("closure", "native_bind", 48);
  const auto context = heap.node("object", "system / Context", 80);
  const auto object = heap.node("object", "Object", 40);
  const auto rope = heap.node("concatenated string", "", 32);
  const auto left = heap.node("string", "left ", 24);
  heap.edge("internal", "bound_function", bound, handler);
  heap.edge("internal", "context", handler, context);
  heap.edge("context", "cache", context, object);
  heap.edge("property", "id", object, handler);
  heap.edge("internal", "first", rope, left);
  heap.edge("internal", "second", rope, heap.node("string", "right", 24));
  const HeapGraph graph = heap.graph();
  const Names names(graph);
  EQUAL(names.node(Node{handler}), "handler()");
  EQUAL(names.node(Node{bound}), "bound handler()");
  EQUAL(names.node(Node{context}), "variables (cache)");
  EQUAL(names.node(Node{object}), "{id}");
  EQUAL(names.node(Node{rope}), "\"left right\"");
}

TEST("an analysis that is cancelled stops") {
  HeapBuilder heap;
  Progress progress;
  progress.cancel();
  try {
    (void)analyse(heap.graph(), {}, Crew(2), progress);
    TRUE(false);
  } catch (const SnapshotError& error) {
    EQUAL(std::string(error.code()), "INTERRUPTED");
  }
}

TEST("a list of a hundred thousand objects needs no stack") {
  HeapBuilder heap;
  std::string nodes, edges;
  constexpr int kLength = 100'000;
  Layout layout;
  layout.sections = {"snapshot"};
  heap.node_count_declared = kLength;
  heap.edge_count_declared = kLength - 1;
  std::string json = heap.json(layout);
  json.pop_back();
  for (int at = 0; at < kLength; ++at) {
    nodes += (at == 0 ? "" : ",") + std::string("3,0,") + std::to_string(2 * at + 1) + ",16," + (at + 1 < kLength ? "1" : "0") + ",0,0\n";
    if (at + 1 < kLength) edges += (at == 0 ? "" : ",") + std::string(at == 0 ? "5" : "2") + ",0," + std::to_string(7 * (at + 1)) + "\n";
  }
  json += ",\"nodes\":[" + nodes + "],\"edges\":[" + edges + "],\"strings\":[\"next\"]}";
  Progress progress;
  const Snapshot snapshot = analyse(parse_text(json), {}, Crew(1), progress);
  EQUAL(snapshot.retained_bytes[Node{1}], 16u * (kLength - 1));
  EQUAL(snapshot.distance[Node{kLength - 1}], kLength - 1);
}
