#include "heap/query/collections.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <string>
#include <unordered_map>

namespace crucible::heap {

namespace {

/** V8 names the edges from a fixed array after their slots, "515"; there are far fewer such names than edges. */
class SlotNames {
 public:
  explicit SlotNames(const HeapGraph& graph) : graph_(graph) {}

  std::optional<std::uint64_t> of(Edge edge) {
    if (!graph_.has_text_name(edge)) return graph_.edges.name_or_index[edge];
    const Text name = graph_.name(edge);
    const auto [known, fresh] = slots_.try_emplace(name.value, kNoSlot);
    if (fresh) {
      const std::string text = graph_.strings.decode(name);
      std::uint64_t slot = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), slot);
      if (error == std::errc() && end == text.data() + text.size()) known->second = slot;
    }
    if (known->second == kNoSlot) return std::nullopt;
    return known->second;
  }

 private:
  static constexpr std::uint64_t kNoSlot = ~std::uint64_t{0};
  const HeapGraph& graph_;
  std::unordered_map<std::uint32_t, std::uint64_t> slots_;
};

/** Slots of a fixed array: everything behind its map and its length. */
std::uint64_t slots_of(const HeapGraph& graph, Node array, std::uint64_t word_bytes) {
  const std::uint64_t bytes = graph.nodes.self_bytes[array];
  return bytes < 2 * word_bytes ? 0 : bytes / word_bytes - 2;
}

/** V8's ordered hash tables: three counts, `buckets` chains, then two entries a bucket. */
struct OrderedTable {
  std::uint64_t buckets = 0;
  std::uint64_t slots_per_entry = 0;
};

std::optional<OrderedTable> ordered_table(const HeapGraph& graph, Node table) {
  // Eight-byte words in Node.js, four in browsers. The sizes of the two kinds never coincide.
  for (const std::uint64_t word : {8, 4}) {
    const std::uint64_t slots = slots_of(graph, table, word);
    for (const std::uint64_t per_entry : {3, 2}) {
      if (slots < 3 || (slots - 3) % (1 + 2 * per_entry) != 0) continue;
      const std::uint64_t buckets = (slots - 3) / (1 + 2 * per_entry);
      if (buckets != 0 && std::has_single_bit(buckets)) return OrderedTable{buckets, per_entry};
    }
  }
  return std::nullopt;
}

std::uint64_t count_entries(const HeapGraph& graph, Node table, const OrderedTable& layout, SlotNames& slots) {
  std::uint64_t entries = 0;
  std::uint64_t last = ~std::uint64_t{0};
  for (const Edge edge : graph.edges_of(table)) {
    if (graph.kind(edge) != EdgeKind::kInternal) continue;
    const auto slot = slots.of(edge);
    if (!slot || *slot < 3 + layout.buckets) continue;
    // Key and value of an entry come one after the other.
    const std::uint64_t entry = (*slot - 3 - layout.buckets) / layout.slots_per_entry;
    entries += entry != last;
    last = entry;
  }
  return entries;
}

std::optional<Collection> as_table(const HeapGraph& graph, Node node, SlotNames& slots) {
  const Edge edge = graph.find_edge(node, EdgeKind::kInternal, hash_text("table"));
  if (edge == kNo<Edge> || graph.kind(graph.to(edge)) != NodeKind::kArray) return std::nullopt;
  const Node table = graph.to(edge);
  std::uint64_t weak = 0;
  std::uint64_t values = 0;
  for (const Edge each : graph.edges_of(table)) {
    weak += graph.kind(each) == EdgeKind::kWeak;
    values += graph.kind(each) == EdgeKind::kInternal && graph.ephemerons.of(graph.name(each)) != nullptr;
  }
  if (weak != 0) return Collection{node, CollectionKind::kWeakMap, values, 0};
  const auto layout = ordered_table(graph, table);
  if (!layout) return std::nullopt;
  return Collection{node, layout->slots_per_entry == 3 ? CollectionKind::kMap : CollectionKind::kSet,
                    count_entries(graph, table, *layout, slots), 2 * layout->buckets};
}

Collection as_array(const HeapGraph& graph, Node node) {
  Collection array{node, CollectionKind::kArray, 0, 0};
  for (const Edge edge : graph.edges_of(node)) {
    if (graph.kind(edge) == EdgeKind::kElement) ++array.entries;
    if (graph.kind(edge) == EdgeKind::kInternal && graph.is_named(edge, hash_text("elements")))
      array.capacity = slots_of(graph, graph.to(edge), 8);
  }
  return array;
}

std::optional<Collection> as_dictionary(const HeapGraph& graph, Node node) {
  Collection dictionary{node, CollectionKind::kDictionary, count_properties(graph, node), 0};
  if (dictionary.entries < kDictionaryEntriesMin) return std::nullopt;
  const Edge properties = graph.find_edge(node, EdgeKind::kInternal, hash_text("properties"));
  if (properties != kNo<Edge>) dictionary.capacity = slots_of(graph, graph.to(properties), 8) / 3;
  if (dictionary.capacity < dictionary.entries) dictionary.capacity = 0;
  return dictionary;
}

/** The lists that an EventEmitter's `_events` holds are listeners, not just arrays. */
Bits<Node> find_listener_lists(const HeapGraph& graph) {
  Bits<Node> lists(graph.node_count());
  for (const Node node : graph.all_nodes()) {
    if (graph.kind(node) != NodeKind::kObject) continue;
    const Edge events = graph.find_edge(node, EdgeKind::kProperty, hash_text("_events"));
    if (events == kNo<Edge>) continue;
    for (const Edge edge : graph.edges_of(graph.to(events)))
      if (graph.kind(edge) == EdgeKind::kProperty && graph.is_named(graph.to(edge), hash_text("Array"))) lists.set(graph.to(edge));
  }
  return lists;
}

std::optional<Collection> classify(const HeapGraph& graph, Node node, SlotNames& slots) {
  if (graph.kind(node) != NodeKind::kObject) return std::nullopt;
  if (graph.is_named(node, hash_text("Array"))) return as_array(graph, node);
  if (graph.is_named(node, hash_text("system / Context"))) return std::nullopt;
  if (const auto table = as_table(graph, node, slots)) return table;
  return as_dictionary(graph, node);
}

}  // namespace

const char* collection_kind_name(CollectionKind kind) {
  switch (kind) {
    case CollectionKind::kMap: return "map";
    case CollectionKind::kSet: return "set";
    case CollectionKind::kWeakMap: return "weak map";
    case CollectionKind::kArray: return "array";
    case CollectionKind::kDictionary: return "dictionary";
    case CollectionKind::kListeners: return "listeners";
  }
  return "";
}

std::uint64_t count_properties(const HeapGraph& graph, Node node) {
  std::uint64_t count = 0;
  for (const Edge edge : graph.edges_of(node)) {
    const bool property = graph.kind(edge) == EdgeKind::kProperty && !graph.is_named(edge, hash_text("__proto__"));
    count += property || graph.kind(edge) == EdgeKind::kElement;
  }
  return count;
}

std::optional<Collection> as_collection(const HeapGraph& graph, Node node) {
  SlotNames slots(graph);
  return classify(graph, node, slots);
}

void for_each_collection(const HeapGraph& graph, Progress& progress,
                         const std::function<void(const Collection&)>& take) {
  SlotNames slots(graph);
  for (const Node node : graph.all_nodes()) {
    if ((node.value & 0xFFFF) == 0) progress.at(node.value, graph.node_count());
    if (const auto collection = classify(graph, node, slots)) take(*collection);
  }
}

std::vector<Collection> find_collections(const HeapGraph& graph, std::uint64_t entries_min, std::size_t count,
                                         Progress& progress) {
  const Bits<Node> listeners = find_listener_lists(graph);
  std::vector<Collection> found;
  for_each_collection(graph, progress, [&](const Collection& collection) {
    if (collection.entries < entries_min) return;
    found.push_back(collection);
    if (listeners[collection.node]) found.back().kind = CollectionKind::kListeners;
  });
  std::stable_sort(found.begin(), found.end(),
                   [](const Collection& a, const Collection& b) { return a.entries > b.entries; });
  if (found.size() > count) found.resize(count);
  return found;
}

}  // namespace crucible::heap
