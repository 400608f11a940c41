#include "heap/compare/diff_base.h"

#include <algorithm>

#include "heap/compare/id_order.h"
#include "heap/query/collections.h"

namespace crucible::heap {

namespace {

void take_nodes(DiffBase& base, const Snapshot& snapshot, Progress& progress) {
  const HeapGraph& graph = snapshot.graph;
  const Column<Node> order = order_by_id(graph, progress);
  const std::uint32_t count = graph.node_count();
  base.id = WideTable<DiffBase::Slot>(count);
  base.self_bytes = WideTable<DiffBase::Slot>(count);
  base.owned_bytes = WideTable<DiffBase::Slot>(count);
  base.retained_bytes = WideTable<DiffBase::Slot>(count);
  base.few_properties = Table<DiffBase::Slot, std::uint8_t>(count);
  base.class_of = PackedTable<DiffBase::Slot>(count, snapshot.classes.size());
  for (std::uint32_t at = 0; at < count; ++at) {
    const DiffBase::Slot slot{at};
    base.id.set(slot, graph.nodes.id[order[at]]);
    base.self_bytes.set(slot, graph.nodes.self_bytes[order[at]]);
    base.owned_bytes.set(slot, snapshot.owned_bytes[order[at]]);
    base.retained_bytes.set(slot, snapshot.retained_bytes[order[at]]);
    base.class_of.set(slot, snapshot.classes.of(order[at]).value);
    if (graph.kind(order[at]) != NodeKind::kObject) continue;
    base.few_properties[slot] = static_cast<std::uint8_t>(std::min(count_properties(graph, order[at]), kDictionaryEntriesMin));
  }
}

void take_collections(DiffBase& base, const Snapshot& snapshot, Progress& progress) {
  for_each_collection(snapshot.graph, progress, [&](const Collection& collection) {
    base.collections.push_back(
        {snapshot.graph.nodes.id[collection.node], collection.entries, snapshot.retained_bytes[collection.node]});
  });
  base.collections.shrink_to_fit();
  std::sort(base.collections.begin(), base.collections.end(),
            [](const CollectionRecord& a, const CollectionRecord& b) { return a.id < b.id; });
}

}  // namespace

DiffBase make_diff_base(const Snapshot& snapshot, const Crew& crew, Progress& progress) {
  const HeapGraph& graph = snapshot.graph;
  DiffBase base;
  crew.both([&] { take_nodes(base, snapshot, progress); }, [&] { take_collections(base, snapshot, progress); });
  for (const Class c : snapshot.classes.all()) {
    const ClassName& name = snapshot.classes.name(c);
    const ClassTotals& totals = snapshot.totals(c);
    base.classes.push_back({snapshot.classes.text(graph, c), snapshot.classes.key(graph, c), snapshot.classes.key_hash(c),
                            name.name_hash, name.location, name.kind, totals.raw_count, totals.raw_bytes,
                            totals.retained_bytes});
  }
  base.interfaces = snapshot.interfaces;
  base.node_count = graph.node_count();
  base.edge_count = graph.edge_count();
  base.total_self_bytes = graph.total_self_bytes();
  return base;
}

const CollectionRecord* DiffBase::collection(std::uint64_t id_of_collection) const {
  const auto found = std::lower_bound(collections.begin(), collections.end(), id_of_collection,
                                      [](const CollectionRecord& record, std::uint64_t wanted) { return record.id < wanted; });
  return found != collections.end() && found->id == id_of_collection ? &*found : nullptr;
}

std::size_t DiffBase::bytes_held() const {
  return id.bytes_held() + self_bytes.bytes_held() + owned_bytes.bytes_held() + retained_bytes.bytes_held() + class_of.bytes_held() + few_properties.bytes_held() +
         collections.capacity() * sizeof(CollectionRecord) + classes.capacity() * sizeof(ClassRecord);
}

}  // namespace crucible::heap
