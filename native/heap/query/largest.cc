#include "heap/query/largest.h"

#include <algorithm>
#include <utility>

namespace crucible::heap {

namespace {

/** The `count` largest by `bytes_of`, ties in node order. O(nodes log count). */
template <class BytesOf>
std::vector<Node> take_largest(const Snapshot& snapshot, std::size_t count, BytesOf bytes_of) {
  using Entry = std::pair<std::uint64_t, std::uint32_t>;
  std::vector<Entry> heap;
  const auto worse = [](const Entry& a, const Entry& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; };
  for (const Node node : snapshot.graph.all_nodes()) {
    const std::uint64_t bytes = bytes_of(node);
    if (bytes == 0 || count == 0 || (heap.size() == count && bytes <= heap.front().first)) continue;
    if (heap.size() == count) {
      std::pop_heap(heap.begin(), heap.end(), worse);
      heap.pop_back();
    }
    heap.emplace_back(bytes, node.value);
    std::push_heap(heap.begin(), heap.end(), worse);
  }
  std::sort(heap.begin(), heap.end(), worse);
  std::vector<Node> largest;
  for (const auto& [bytes, node] : heap) largest.push_back(Node{node});
  return largest;
}

}  // namespace

std::vector<Node> largest_objects(const Snapshot& snapshot, std::size_t count) {
  return take_largest(snapshot, count, [&](Node node) { return snapshot.owned_bytes[node]; });
}

std::vector<Node> largest_retainers(const Snapshot& snapshot, std::size_t count, double share_min) {
  const HeapGraph& graph = snapshot.graph;
  // Enough to be left with `count` after chains are merged; beyond that there is nothing to show.
  const std::vector<Node> candidates = take_largest(snapshot, count * 50 + 100, [&](Node node) -> std::uint64_t {
    if (node == graph.root || graph.kind(node) == NodeKind::kSynthetic) return 0;
    return snapshot.retained_bytes[node];
  });
  std::vector<Node> listed;
  for (const Node node : candidates) {
    if (listed.size() == count) break;
    const Node above = snapshot.dominator[node];
    const auto bytes = static_cast<double>(snapshot.retained_bytes[node]);
    const bool same_finding = std::find(listed.begin(), listed.end(), above) != listed.end() &&
                              bytes >= share_min * static_cast<double>(snapshot.retained_bytes[above]);
    if (!same_finding) listed.push_back(node);
  }
  return listed;
}

std::vector<Class> largest_classes(const Snapshot& snapshot, std::size_t count) {
  std::vector<Class> classes;
  for (const Class c : snapshot.classes.all())
    if (snapshot.totals(c).count != 0) classes.push_back(c);
  std::stable_sort(classes.begin(), classes.end(), [&](Class a, Class b) {
    return snapshot.totals(a).retained_bytes > snapshot.totals(b).retained_bytes;
  });
  if (classes.size() > count) classes.resize(count);
  return classes;
}

}  // namespace crucible::heap
