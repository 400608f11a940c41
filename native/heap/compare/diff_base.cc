#include "heap/compare/diff_base.h"

#include <algorithm>

#include "heap/compare/id_order.h"
#include "heap/query/collections.h"

namespace crucible::heap {

DiffBase make_diff_base(const Snapshot& snapshot, Progress& progress) {
  const HeapGraph& graph = snapshot.graph;
  DiffBase base;
  const Column<Node> order = order_by_id(graph, progress);
  const std::uint32_t count = graph.node_count();
  base.id = WideTable<DiffBase::Slot>(count);
  base.self_bytes = WideTable<DiffBase::Slot>(count);
  base.owned_bytes = WideTable<DiffBase::Slot>(count);
  base.class_of = PackedTable<DiffBase::Slot>(count, snapshot.classes.size());
  for (std::uint32_t at = 0; at < count; ++at) {
    const DiffBase::Slot slot{at};
    base.id.set(slot, graph.nodes.id[order[at]]);
    base.self_bytes.set(slot, graph.nodes.self_bytes[order[at]]);
    base.owned_bytes.set(slot, snapshot.owned_bytes[order[at]]);
    base.class_of.set(slot, snapshot.classes.of(order[at]).value);
  }
  for_each_collection(graph, progress, [&](const Collection& collection) {
    if (collection.entries != 0) base.entries.emplace_back(graph.nodes.id[collection.node], collection.entries);
  });
  std::sort(base.entries.begin(), base.entries.end());
  for (const Class c : snapshot.classes.all()) {
    const ClassName& name = snapshot.classes.name(c);
    const ClassTotals& totals = snapshot.totals(c);
    base.classes.push_back({snapshot.classes.text(graph, c), snapshot.classes.key(graph, c), snapshot.classes.key_hash(c),
                            name.name_hash, name.location, name.kind, totals.raw_count, totals.raw_bytes,
                            totals.retained_bytes});
  }
  base.interfaces = snapshot.interfaces;
  base.node_count = count;
  base.edge_count = graph.edge_count();
  base.total_self_bytes = graph.total_self_bytes();
  return base;
}

std::size_t DiffBase::bytes_held() const {
  return id.bytes_held() + self_bytes.bytes_held() + owned_bytes.bytes_held() + class_of.bytes_held() +
         entries.capacity() * sizeof(entries[0]) + classes.capacity() * sizeof(ClassRecord);
}

}  // namespace crucible::heap
