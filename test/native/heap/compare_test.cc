#include <array>
#include <string>
#include <vector>

#include "heap/compare/growth.h"
#include "heap/compare/heap_diff.h"
#include "test/native/heap/heap_builder.h"
#include "test/native/heap/slow_truth.h"
#include "test/native/heap/testing.h"

using namespace crucible::heap;

namespace {

/** A cache whose table, entries and one counter differ from run to run. */
HeapBuilder cache_with(int sessions, std::uint64_t table_bytes, std::uint64_t counter_bytes) {
  HeapBuilder heap;
  const auto map = heap.node("object", "Map", 32);
  const auto counter = heap.node("object", "Counter", counter_bytes);
  const auto table = heap.node("array", "", table_bytes, 100'001 + 2 * table_bytes);
  heap.edge("property", "cache", heap.global(), map);
  heap.edge("property", "counter", heap.global(), counter);
  heap.edge("internal", "table", map, table);
  for (int at = 0; at < sessions; ++at) {
    const auto session = heap.node("object", "Session", 100, 1001 + 2 * static_cast<std::uint64_t>(at));
    heap.edge("internal", std::to_string(at), table, session);
  }
  return heap;
}

HeapDiff diff_of(const HeapBuilder& first, const HeapBuilder& second) {
  Progress progress;
  return diff_heaps(make_diff_base(first.analysed(), Crew(2), progress), second.analysed(), 10, Crew(2), progress);
}

const ClassDelta& row_of(const HeapDiff& diff, const std::string& name) {
  for (const ClassDelta& row : diff.classes)
    if (row.name == name) return row;
  throw std::runtime_error("no row for " + name);
}

}  // namespace

TEST("the books of a comparison balance, and the growth of survivors is in them") {
  const HeapDiff diff = diff_of(cache_with(3, 200, 16), cache_with(5, 400, 56));
  EQUAL(diff.balance.delta_bytes, 2 * 100 + 200 + 40);
  EQUAL(diff.balance.new_bytes, 2 * 100 + 400);
  EQUAL(diff.balance.deleted_bytes, 200);
  EQUAL(diff.balance.survivor_delta_bytes, 40);
  EQUAL(diff.balance.residual_bytes(), 0);
  EQUAL(row_of(diff, "Session").added_count, 2u);
  EQUAL(row_of(diff, "Session").delta_bytes(), 200);
  EQUAL(row_of(diff, "Counter").survivor_delta_bytes, 40);
  EQUAL(row_of(diff, "(array)").delta_bytes(), 200);
}

TEST("the Map that grew is named although its table is another object") {
  const HeapDiff diff = diff_of(cache_with(3, 200, 16), cache_with(5, 400, 16));
  EQUAL(diff.growers.size(), 1u);
  EQUAL(diff.growers[0].owned_delta_bytes, 200);
  EQUAL(diff.growers[0].node.value, 2u);
}

TEST("the books balance between any two of 200 random heaps") {
  Progress progress;
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    const Snapshot first = slow::random_heap(seed, 60).analysed();
    const Snapshot second = slow::random_heap(seed + 1000, 60).analysed();
    const HeapDiff diff = diff_heaps(make_diff_base(first, Crew(2), progress), second, 10, Crew(2), progress);
    EQUAL(diff.balance.residual_bytes(), 0);
    std::int64_t sum = 0;
    for (const ClassDelta& row : diff.classes) sum += row.delta_bytes();
    EQUAL(sum, diff.balance.delta_bytes);
    std::int64_t by_class = 0;
    for (const ClassDelta& row : diff_classes(make_diff_base(first, Crew(2), progress), second)) by_class += row.delta_bytes();
    EQUAL(by_class, diff.balance.delta_bytes);
  }
}

TEST("compiler data and the embedder's objects are counted and ranked last") {
  HeapBuilder first;
  HeapBuilder second;
  second.edge("property", "a", second.global(), second.node("code", "", 5000));
  second.edge("property", "b", second.global(), second.node("native", "Node / Handle", 9000, 70));
  second.edge("property", "c", second.global(), second.node("object", "Mine", 10));
  const HeapDiff diff = diff_of(first, second);
  EQUAL(diff.classes[0].name, "Mine");
  TRUE(row_of(diff, "(compiled code)").noise == Noise::kCompiler);
  TRUE(row_of(diff, "Node / Handle").noise == Noise::kEmbedder);
  EQUAL(diff.balance.delta_bytes, 14'010);
}

TEST("what grows in every snapshot is found at its container, and what stays is not") {
  Progress progress;
  GrowthTracker tracker;
  for (const int sessions : {10, 20, 35}) tracker.add(cache_with(sessions, 400, 16).analysed(), progress);
  const Snapshot last = cache_with(35, 400, 16).analysed();
  const auto growths = tracker.finish(last, Names(last.graph), {}, progress);
  EQUAL(growths.size(), 1u);
  EQUAL(growths[0].path, "global.cache");
  EQUAL(last.classes.text(last.graph, growths[0].class_of_entries), "Session");
  TRUE((growths[0].delta_counts == std::vector<std::int64_t>{10, 15}));
  TRUE((growths[0].delta_bytes == std::vector<std::int64_t>{1000, 1500}));
  EQUAL(growths[0].share_bytes, 3500u);
  EQUAL(growths[0].exclusive_bytes, 3500u);
}

TEST("a sawtooth does not grow") {
  Progress progress;
  GrowthTracker tracker;
  for (const int sessions : {10, 40, 20}) tracker.add(cache_with(sessions, 400, 16).analysed(), progress);
  const Snapshot last = cache_with(20, 400, 16).analysed();
  EQUAL(tracker.finish(last, Names(last.graph), {}, progress).size(), 0u);
}

TEST("a growing list of equals is one growing group, and two groups divide what both reach") {
  Progress progress;
  GrowthTracker tracker;
  const auto heap_with = [](int length) {
    HeapBuilder heap;
    const auto shared = heap.node("object", "Shared", 1000);
    for (const char* const name : {"left", "right"}) {
      auto at = heap.node("object", "List", 16);
      heap.edge("property", name, heap.global(), at);
      for (int entry = 0; entry < length; ++entry) {
        const auto next = heap.node("object", "Entry", 50);
        heap.edge("property", "next", at, next);
        heap.edge("property", "shared", next, shared);
        at = next;
      }
    }
    return heap;
  };
  for (const int length : {5, 10, 15}) tracker.add(heap_with(length).analysed(), progress);
  const Snapshot last = heap_with(15).analysed();
  const auto growths = tracker.finish(last, Names(last.graph), {}, progress);
  EQUAL(growths.size(), 2u);
  TRUE((growths[0].delta_counts == std::vector<std::int64_t>{5, 5}));
  EQUAL(growths[0].exclusive_bytes, 15u * 50);
  EQUAL(growths[0].share_bytes, 15u * 50 + 500);
}

TEST("the same leak has the same fingerprint in another process") {
  Progress progress;
  std::string fingerprints[2];
  for (int run = 0; run < 2; ++run) {
    GrowthTracker tracker;
    const auto heap_with = [&](int sessions) {
      HeapBuilder heap;
      // Another process has other ids and other strings before these.
      for (int at = 0; at < 7 * run; ++at) heap.node("object", "Noise" + std::to_string(at), 8, 3001 + 2 * at);
      const auto list = heap.node("object", "Array", 16);
      heap.edge("property", "list", heap.global(), list);
      for (int at = 0; at < sessions; ++at) heap.edge("element", at, list, heap.node("object", "Session", 100));
      return heap;
    };
    for (const int sessions : {5, 10, 15}) tracker.add(heap_with(sessions + run).analysed(), progress);
    const Snapshot last = heap_with(15 + run).analysed();
    fingerprints[run] = tracker.finish(last, Names(last.graph), {}, progress).at(0).fingerprint;
  }
  EQUAL(fingerprints[0], fingerprints[1]);
}

TEST("what lies on the stack at a moment does not take a container from its path") {
  Progress progress;
  GrowthTracker tracker;
  const auto heap_at = [](int sessions, bool on_stack) {
    HeapBuilder heap = cache_with(sessions, 400, 16);
    const auto roots = heap.node("synthetic", "(GC roots)", 0);
    const auto stack = heap.node("synthetic", "(Stack roots)", 0);
    heap.edge("element", 1, heap.root(), roots);
    heap.edge("element", 1, roots, stack);
    // Found before the global object: its reference stands first.
    if (on_stack) heap.edge("element", 1, stack, 2);
    return heap;
  };
  tracker.add(heap_at(10, false).analysed(), progress);
  tracker.add(heap_at(20, true).analysed(), progress);
  const Snapshot last = heap_at(30, false).analysed();
  tracker.add(last, progress);
  const auto growths = tracker.finish(last, Names(last.graph), {}, progress);
  EQUAL(growths.size(), 1u);
  EQUAL(growths[0].path, "global.cache");
}

TEST("what an entry's class reaches is no part of the collection") {
  Progress progress;
  GrowthTracker tracker;
  const auto heap_at = [](int sessions) {
    HeapBuilder heap = cache_with(sessions, 400, 16);
    // session.__proto__.constructor{context}->list: the variables of the module that declares the class.
    const auto prototype = heap.node("object", "Object", 16);
    const auto constructor = heap.node("closure", "Session", 16);
    const auto scope = heap.node("object", "system / Context", 16);
    const auto list = heap.node("object", "Array", 16);
    const std::uint32_t first_session = 5;
    heap.edge("property", "__proto__", first_session, prototype);
    heap.edge("property", "constructor", prototype, constructor);
    heap.edge("internal", "context", constructor, scope);
    heap.edge("context", "list", scope, list);
    for (int at = 0; at < sessions; ++at) heap.edge("element", static_cast<std::uint64_t>(at), list, heap.node("object", "Item", 1000));
    return heap;
  };
  for (const int sessions : {10, 20}) tracker.add(heap_at(sessions).analysed(), progress);
  const Snapshot last = heap_at(30).analysed();
  tracker.add(last, progress);
  const auto growths = tracker.finish(last, Names(last.graph), {}, progress);
  EQUAL(growths.size(), 2u);
  // Removing the sessions would free both, which is what their share says.
  EQUAL(growths[0].path, "global.cache");
  TRUE((growths[0].delta_bytes == std::vector<std::int64_t>{1000, 1000}));
  EQUAL(growths[1].path, "{constructor}.constructor{context}->list");
  TRUE((growths[1].delta_bytes == std::vector<std::int64_t>{10'000, 10'000}));
}

TEST("of equally near ways the same is taken, in whatever order V8 writes them") {
  Progress progress;
  std::vector<std::vector<std::string>> paths;
  for (const bool reversed : {false, true}) {
    GrowthTracker tracker;
    Snapshot last;
    for (const int sessions : {10, 20, 30}) {
      HeapBuilder heap;
      const auto list = heap.node("object", "Array", 16);
      for (int at = 0; at < sessions; ++at) heap.edge("element", static_cast<std::uint64_t>(at), list, heap.node("object", "Session", 100));
      for (const char* const name : reversed ? std::array{"second", "first", "third"} : std::array{"third", "first", "second"}) {
        const auto holder = heap.node("object", name, 16);
        heap.edge("property", name, heap.global(), holder);
        heap.edge("property", "sessions", holder, list);
      }
      last = heap.analysed();
      tracker.add(last, progress);
    }
    paths.emplace_back();
    for (const Growth& growth : tracker.finish(last, Names(last.graph), {}, progress)) {
      paths.back().push_back(growth.path);
      paths.back().push_back(growth.fingerprint);
      TRUE((growth.delta_counts == std::vector<std::int64_t>{10, 10}));
    }
  }
  EQUAL(paths[0].size(), 2u);
  TRUE(paths[0] == paths[1]);
}

TEST("variables of a file stand in the file, whichever function leads to them, and on any machine") {
  Progress progress;
  std::vector<std::string> fingerprints;
  for (const char* const script_path : {"file:///home/me/app/src/server.mjs", "/srv/app/src/server.mjs"}) {
    GrowthTracker tracker;
    Snapshot last;
    for (const int sessions : {10, 20, 30}) {
      HeapBuilder heap;
      const auto scope = heap.node("object", "system / Context", 16);
      const auto description = heap.node("code", "system / ScopeInfo", 16);
      const auto function = heap.node("closure", "handler", 16);
      const auto shared = heap.node("code", "handler", 16);
      const auto script = heap.node("code", script_path, 16);
      const auto list = heap.node("object", "Array", 16);
      // Through a timer today, through a socket tomorrow.
      heap.edge("property", fingerprints.empty() ? "timer" : "socket", heap.global(), function);
      heap.edge("internal", "context", function, scope);
      heap.edge("internal", "shared", function, shared);
      heap.edge("internal", "script", shared, script);
      heap.edge("internal", "scope_info", scope, description);
      heap.edge("context", "sessions", scope, list);
      heap.location(function, 7, 3, 4);
      for (int at = 0; at < sessions; ++at) heap.edge("element", static_cast<std::uint64_t>(at), list, heap.node("object", "Session", 100));
      last = heap.analysed();
      tracker.add(last, progress);
    }
    const auto growths = tracker.finish(last, Names(last.graph), {}, progress);
    EQUAL(growths.size(), 1u);
    EQUAL(growths[0].path, "server.mjs->sessions");
    fingerprints.push_back(growths[0].fingerprint);
  }
  EQUAL(fingerprints[0], fingerprints[1]);
}

TEST("properties of the global object are variables, wherever it stands and however many there are") {
  Progress progress;
  GrowthTracker tracker;
  const auto heap_at = [](int sessions) {
    HeapBuilder heap;
    const auto object = heap.node("object", "global (global*)", 16);
    // As Node 26 has it: the root leads to a context, and that to the global object.
    heap.edge("internal", "global_object", heap.global(), object);
    const auto cache = heap.node("object", "Array", 32);
    heap.edge("property", "cache", object, cache);
    for (int at = 0; at < 200; ++at) heap.edge("property", "function " + std::to_string(at), object, heap.node("closure", "f", 16));
    for (int at = 0; at < sessions; ++at) heap.edge("element", static_cast<std::uint64_t>(at), cache, heap.node("object", "Session", 100));
    return heap;
  };
  for (const int sessions : {10, 20}) tracker.add(heap_at(sessions).analysed(), progress);
  const Snapshot last = heap_at(30).analysed();
  tracker.add(last, progress);
  const auto growths = tracker.finish(last, Names(last.graph), {}, progress);
  EQUAL(growths.size(), 1u);
  EQUAL(growths[0].path, "global{global_object}.cache");
}

TEST("a record that becomes a dictionary gained what it did not have") {
  const auto heap_with = [](int properties) {
    HeapBuilder heap;
    const auto record = heap.node("object", "Registry", 16 + 8 * static_cast<std::uint64_t>(properties));
    heap.edge("property", "registry", heap.global(), record);
    for (int at = 0; at < properties; ++at)
      heap.edge("property", "key " + std::to_string(at), record, heap.node("object", "Page", 100, 1001 + 2 * static_cast<std::uint64_t>(at)));
    return heap;
  };
  for (const int before : {0, 5, 19, 20, 50}) {
    const HeapDiff diff = diff_of(heap_with(before), heap_with(100));
    EQUAL(diff.growers.at(0).delta_entries, 100 - before);
    EQUAL(diff.growers[0].retained_delta_bytes, (100 - before) * 108);
  }
}

TEST("a container is ranked by what it took in, not by the room that it made for it") {
  const auto heap_at = [](int entries) {
    HeapBuilder heap;
    const auto table = heap.node("object", "Table", entries == 0 ? 16 : 5000);
    const auto list = heap.node("object", "Array", 16);
    heap.edge("property", "table", heap.global(), table);
    heap.edge("property", "list", heap.global(), list);
    for (int at = 0; at < entries; ++at) {
      const auto id = 1001 + 2 * static_cast<std::uint64_t>(at);
      heap.edge("element", static_cast<std::uint64_t>(at), list, heap.node("object", "Page", 10'000, id));
    }
    return heap;
  };
  const HeapDiff diff = diff_of(heap_at(0), heap_at(3));
  EQUAL(diff.growers.size(), 2u);
  EQUAL(diff.growers[0].node.value, 3u);
  EQUAL(diff.growers[0].retained_delta_bytes, 30'000);
  EQUAL(diff.growers[1].owned_delta_bytes, 4984);
}

TEST("two heaps of different processes are compared by path") {
  Progress progress;
  const Snapshot first = cache_with(10, 400, 16).analysed();
  const Snapshot second = cache_with(30, 400, 16).analysed();
  const PathTree before(first, progress);
  const PathTree after(second, progress);
  const PathDiff diff = diff_paths(before, after, second, Names(second.graph), 5);
  EQUAL(diff.paths.size(), 1u);
  EQUAL(diff.paths[0].delta_count, 20);
  EQUAL(diff.paths[0].delta_bytes, 2000);
  EQUAL(diff.gone.delta_count, 0);
}
