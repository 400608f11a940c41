#include "heap/query/duplicate_strings.h"

#include <algorithm>
#include <unordered_map>

#include "heap/query/names.h"

namespace crucible::heap {

namespace {

/** V8's limit, less than the few characters by which its versions differ. */
constexpr std::size_t kCutOffLength = 1020;

/** A rope with an empty half only points to the flat text. */
bool is_flattened(const HeapGraph& graph, Node node) {
  for (const Edge edge : graph.edges_of(node)) {
    const bool half = graph.is_named(edge, hash_text("first")) || graph.is_named(edge, hash_text("second"));
    if (half && graph.kind(edge) == EdgeKind::kInternal && graph.is_named(graph.to(edge), hash_text(""))) return true;
  }
  return false;
}

struct Group {
  DuplicateString strings;
  std::uint64_t largest_bytes = 0;
};

}  // namespace

std::vector<DuplicateString> find_duplicate_strings(const HeapGraph& graph, std::size_t count, Progress& progress) {
  std::unordered_map<std::uint64_t, Group> groups;
  for (const Node node : graph.all_nodes()) {
    if ((node.value & 0xFFFF) == 0) progress.at(node.value, graph.node_count());
    std::uint64_t hash = 0;
    std::size_t length = 0;
    if (graph.kind(node) == NodeKind::kString) {
      hash = graph.strings.hash(graph.name(node));
      length = graph.strings.label_length(graph.name(node));
    } else if (graph.kind(node) == NodeKind::kConsString && !is_flattened(graph, node)) {
      const std::string text = cons_string_text(graph, node);
      hash = hash_text(text);
      length = text.size();
    } else {
      continue;
    }
    Group& group = groups[hash];
    const std::uint64_t bytes = graph.nodes.self_bytes[node];
    if (group.strings.count++ == 0) group.strings.sample = node;
    group.strings.total_bytes += bytes;
    group.largest_bytes = std::max(group.largest_bytes, bytes);
    group.strings.is_guess |= length >= kCutOffLength;
  }
  std::vector<DuplicateString> found;
  for (auto& [hash, group] : groups) {
    group.strings.wasted_bytes = group.strings.total_bytes - group.largest_bytes;
    if (group.strings.count > 1 && group.strings.wasted_bytes > 0) found.push_back(group.strings);
  }
  std::sort(found.begin(), found.end(), [](const DuplicateString& a, const DuplicateString& b) {
    return a.wasted_bytes != b.wasted_bytes ? a.wasted_bytes > b.wasted_bytes : a.sample < b.sample;
  });
  if (found.size() > count) found.resize(count);
  return found;
}

}  // namespace crucible::heap
