#include "heap/query/collections.h"
#include "heap/query/duplicate_strings.h"
#include "heap/query/largest.h"
#include "heap/query/removal.h"
#include "heap/query/retaining_paths.h"
#include "test/native/heap/heap_builder.h"
#include "test/native/heap/testing.h"

using namespace crucible::heap;

TEST("the shortest path prefers names to V8's own edges") {
  HeapBuilder heap;
  const auto cache = heap.node("object", "Cache", 16);
  heap.edge("hidden", 3, heap.global(), cache);
  heap.edge("property", "cache", heap.global(), cache);
  const Snapshot snapshot = heap.analysed();
  RetainingPaths paths(snapshot);
  const RetainingPath path = paths.shortest(Node{cache});
  EQUAL(path.size(), 2u);
  TRUE(snapshot.graph.kind(path[1].edge) == EdgeKind::kProperty);
}

TEST("two ways through one variable are one distinct path, and the root's own reference is another") {
  HeapBuilder heap;
  const auto scope = heap.node("object", "system / Context");
  const auto list = heap.node("object", "Array");
  for (const char* const name : {"first", "second"}) {
    const auto function = heap.node("closure", name);
    heap.edge("property", name, heap.global(), function);
    heap.edge("internal", "context", function, scope);
  }
  heap.edge("context", "list", scope, list);
  const Snapshot snapshot = heap.analysed();
  EQUAL(RetainingPaths(snapshot).distinct(Node{list}).size(), 1u);
  heap.edge("element", 7, heap.root(), list);
  const Snapshot held_by_root = heap.analysed();
  EQUAL(RetainingPaths(held_by_root).distinct(Node{list}).size(), 2u);
}

TEST("two holders of one object give two distinct paths") {
  HeapBuilder heap;
  const auto one = heap.node("object", "One", 16);
  const auto two = heap.node("object", "Two", 16);
  const auto held = heap.node("object", "Held", 16);
  heap.edge("property", "one", heap.global(), one);
  heap.edge("element", 5, heap.root(), two);
  heap.edge("property", "held", one, held);
  heap.edge("property", "held", two, held);
  heap.edge("property", "parent", held, one);
  const Snapshot snapshot = heap.analysed();
  EQUAL(RetainingPaths(snapshot).distinct(Node{held}).size(), 2u);
}

TEST("merged paths count the objects that each branch holds") {
  HeapBuilder heap;
  const auto list = heap.node("object", "Array", 16);
  heap.edge("property", "list", heap.global(), list);
  std::vector<Node> sessions;
  for (int at = 0; at < 5; ++at) {
    const auto session = heap.node("object", "Session", 100);
    sessions.push_back(Node{session});
    if (at < 4) heap.edge("element", at, list, session);
    else heap.edge("property", "current", heap.global(), session);
  }
  const Snapshot snapshot = heap.analysed();
  const MergedPath merged = merge_paths(snapshot, sessions);
  const MergedPath& global = merged.children.at(0);
  EQUAL(global.children.size(), 2u);
  EQUAL(global.children[0].edge, ".list");
  EQUAL(global.children[0].objects, 4u);
  EQUAL(global.children[0].children.at(0).edge, "[x]");
  EQUAL(global.children[0].children[0].owned_bytes, 400u);
  EQUAL(global.children[1].edge, ".current");
}

TEST("removing a WeakMap frees its values although their keys live on") {
  HeapBuilder heap;
  const auto key = heap.node("object", "Key", 16);
  const auto table = heap.node("array", "", 64);
  const auto value = heap.node("object", "Value", 100);
  heap.edge("property", "key", heap.global(), key);
  heap.edge("property", "table", heap.global(), table);
  heap.weak_map_entry(table, key, value);
  Progress progress;
  const HeapGraph graph = heap.graph();
  const Edge edges[] = {graph.find_edge(Node{heap.global()}, EdgeKind::kProperty, hash_text("table"))};
  const Removal removal = remove_references(graph, edges, {}, progress);
  EQUAL(removal.freed_bytes, 164u);
  TRUE(removal.freed[Node{value}]);
  TRUE(!removal.freed[Node{key}]);
}

TEST("removing one of two references frees nothing") {
  HeapBuilder heap;
  const auto held = heap.node("object", "Held", 16);
  heap.edge("property", "a", heap.global(), held);
  heap.edge("property", "b", heap.global(), held);
  Progress progress;
  const HeapGraph graph = heap.graph();
  const Edge edges[] = {graph.find_edge(Node{heap.global()}, EdgeKind::kProperty, hash_text("a"))};
  EQUAL(remove_references(graph, edges, {}, progress).freed_bytes, 0u);
}

TEST("equal strings are one finding, with what the copies waste") {
  HeapBuilder heap;
  for (int at = 0; at < 4; ++at) heap.edge("element", at, heap.global(), heap.node("string", "same", at == 0 ? 40 : 24));
  heap.edge("property", "other", heap.global(), heap.node("string", "other", 24));
  Progress progress;
  const HeapGraph graph = heap.graph();
  const auto found = find_duplicate_strings(graph, 10, progress);
  EQUAL(found.size(), 1u);
  EQUAL(found[0].count, 4u);
  EQUAL(found[0].wasted_bytes, 72u);
  TRUE(!found[0].is_guess);
}

TEST("a Map tells its entries and its room") {
  HeapBuilder heap;
  const auto map = heap.node("object", "Map", 32);
  // 4 buckets: 3 counts, 4 chains, 8 entries of 3 slots.
  const auto table = heap.node("array", "", 16 + 8 * (3 + 4 + 8 * 3));
  heap.edge("property", "cache", heap.global(), map);
  heap.edge("internal", "table", map, table);
  for (int entry = 0; entry < 5; ++entry) {
    heap.edge("internal", std::to_string(7 + 3 * entry), table, heap.global());
    if (entry != 2) heap.edge("internal", std::to_string(8 + 3 * entry), table, heap.global());
  }
  const auto collection = as_collection(heap.graph(), Node{map});
  TRUE(collection.has_value());
  TRUE(collection->kind == CollectionKind::kMap);
  EQUAL(collection->entries, 5u);
  EQUAL(collection->capacity, 8u);
}

TEST("the listeners of an emitter are found as such") {
  HeapBuilder heap;
  const auto emitter = heap.node("object", "EventEmitter", 32);
  const auto events = heap.node("object", "Object", 32);
  const auto list = heap.node("object", "Array", 32);
  heap.edge("property", "bus", heap.global(), emitter);
  heap.edge("property", "_events", emitter, events);
  heap.edge("property", "data", events, list);
  for (int at = 0; at < 30; ++at) heap.edge("element", at, list, heap.node("closure", "listener", 64));
  Progress progress;
  const auto found = find_collections(heap.graph(), 20, 10, progress);
  EQUAL(found.size(), 1u);
  TRUE(found[0].kind == CollectionKind::kListeners);
  EQUAL(found[0].entries, 30u);
}

TEST("the largest retainers are listed once for a chain of single owners") {
  HeapBuilder heap;
  const auto outer = heap.node("object", "Outer", 8);
  const auto inner = heap.node("object", "Inner", 100'000);
  const auto other = heap.node("object", "Other", 50'000);
  heap.edge("property", "outer", heap.global(), outer);
  heap.edge("property", "inner", outer, inner);
  heap.edge("property", "other", heap.global(), other);
  const Snapshot snapshot = heap.analysed();
  const auto largest = largest_retainers(snapshot, 3);
  EQUAL(largest.size(), 3u);
  EQUAL(largest[1].value, outer);
  EQUAL(largest[2].value, other);
}
