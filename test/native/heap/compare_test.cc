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
  return diff_heaps(make_diff_base(first.analysed(), progress), second.analysed(), 10, progress);
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
    const HeapDiff diff = diff_heaps(make_diff_base(first, progress), second, 10, progress);
    EQUAL(diff.balance.residual_bytes(), 0);
    std::int64_t sum = 0;
    for (const ClassDelta& row : diff.classes) sum += row.delta_bytes();
    EQUAL(sum, diff.balance.delta_bytes);
    std::int64_t by_class = 0;
    for (const ClassDelta& row : diff_classes(make_diff_base(first, progress), second)) by_class += row.delta_bytes();
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
  const auto growths = tracker.finish(last, {}, progress);
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
  EQUAL(tracker.finish(cache_with(20, 400, 16).analysed(), {}, progress).size(), 0u);
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
  const auto growths = tracker.finish(last, {}, progress);
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
    fingerprints[run] = tracker.finish(heap_with(15 + run).analysed(), {}, progress).at(0).fingerprint;
  }
  EQUAL(fingerprints[0], fingerprints[1]);
}

TEST("two heaps of different processes are compared by path") {
  Progress progress;
  const Snapshot first = cache_with(10, 400, 16).analysed();
  const Snapshot second = cache_with(30, 400, 16).analysed();
  const PathTree before(first, progress);
  const PathTree after(second, progress);
  const PathDiff diff = diff_paths(before, after, second, 5);
  EQUAL(diff.paths.size(), 1u);
  EQUAL(diff.paths[0].delta_count, 20);
  EQUAL(diff.paths[0].delta_bytes, 2000);
  EQUAL(diff.gone.delta_count, 0);
}
