#include "heap/compare/heap_diff.h"

#include <algorithm>
#include <unordered_map>

#include "heap/compare/id_order.h"
#include "heap/query/collections.h"

namespace crucible::heap {

namespace {

std::int64_t as_signed(std::uint64_t bytes) { return static_cast<std::int64_t>(bytes); }

/** The rows of both snapshots' classes, and where each class finds its own. */
class Rows {
 public:
  Rows(const DiffBase& first, const Snapshot& second, bool by_name_only) {
    for (const ClassRecord& record : first.classes) {
      const std::uint32_t row = row_of(by_name_only ? record.name_hash : record.key_hash);
      first_row_.push_back(row);
      if (rows_[row].key.empty()) describe(row, record.name, record.key, record.location, record.kind);
      rows_[row].retained_delta_bytes -= as_signed(record.retained_bytes);
    }
    for (const Class c : second.classes.all()) {
      const ClassName& name = second.classes.name(c);
      const std::uint32_t row = row_of(by_name_only ? name.name_hash : second.classes.key_hash(c));
      second_row_.push_back(row);
      if (rows_[row].is_only_in_first)
        describe(row, second.classes.text(second.graph, c), second.classes.key(second.graph, c), name.location, name.kind);
      rows_[row].is_only_in_first = false;
      rows_[row].retained_delta_bytes += as_signed(second.totals(c).retained_bytes);
    }
  }

  ClassDelta& of_first(std::uint32_t c) { return rows_[first_row_[c]]; }
  ClassDelta& of_second(Class c) { return rows_[second_row_[c.value]]; }
  [[nodiscard]] bool are_same(std::uint32_t first, Class second) const {
    return first_row_[first] == second_row_[second.value];
  }

  /** Something other than the embedder's objects came, went or changed its size. */
  void note_change_of_program(const ClassDelta& row) { of_program_[static_cast<std::size_t>(&row - rows_.data())] = true; }

  std::vector<ClassDelta> take() {
    for (std::size_t row = 0; row < rows_.size(); ++row)
      if (!of_program_[row] && rows_[row].noise == Noise::kSignal) rows_[row].noise = Noise::kEmbedder;
    std::erase_if(rows_, [](const ClassDelta& row) {
      return row.added_count == 0 && row.removed_count == 0 && row.survivor_delta_bytes == 0 &&
             row.retained_delta_bytes == 0;
    });
    std::stable_sort(rows_.begin(), rows_.end(), [](const ClassDelta& a, const ClassDelta& b) {
      const bool a_noise = a.noise != Noise::kSignal;
      const bool b_noise = b.noise != Noise::kSignal;
      return a_noise != b_noise ? b_noise : a.delta_bytes() > b.delta_bytes();
    });
    return std::move(rows_);
  }

 private:
  std::uint32_t row_of(std::uint64_t key) {
    const auto [known, fresh] = row_of_.try_emplace(key, static_cast<std::uint32_t>(rows_.size()));
    if (fresh) {
      rows_.emplace_back();
      of_program_.push_back(false);
    }
    return known->second;
  }
  void describe(std::uint32_t row, std::string name, std::string key, std::optional<Location> location, NodeKind kind) {
    rows_[row].name = std::move(name);
    rows_[row].key = std::move(key);
    rows_[row].location = location;
    rows_[row].kind = kind;
    if (kind == NodeKind::kCode) rows_[row].noise = Noise::kCompiler;
  }

  std::vector<ClassDelta> rows_;
  std::vector<bool> of_program_;
  std::unordered_map<std::uint64_t, std::uint32_t> row_of_;
  std::vector<std::uint32_t> first_row_, second_row_;
};

/** Walks through both snapshots in the order of the ids. */
class Join {
 public:
  Join(const DiffBase& first, const Snapshot& second, Progress& progress)
      : first_(first), second_(second), graph_(second.graph), progress_(progress), rows_(first, second, false) {}

  HeapDiff run(std::size_t growers_max, const Crew& crew) {
    std::vector<Collection> collections;
    crew.both([&] { join(); },
              [&] {
                for_each_collection(graph_, progress_, [&](const Collection& one) { collections.push_back(one); });
              });
    diff_.balance.delta_bytes = as_signed(graph_.total_self_bytes()) - as_signed(first_.total_self_bytes);
    diff_.classes = rows_.take();
    find_growers(collections, growers_max);
    return std::move(diff_);
  }

 private:
  static bool is_embedder(std::uint64_t id) { return id % 2 == 0; }

  void join() {
    const Column<Node> order = order_by_id(graph_, progress_);
    std::uint32_t a = 0;
    std::uint32_t b = 0;
    const std::uint32_t a_end = first_.id.size();
    const std::uint32_t b_end = graph_.node_count();
    while (a < a_end || b < b_end) {
      if (((a + b) & 0xFFFF) == 0) progress_.at(a + std::uint64_t{b}, std::uint64_t{a_end} + b_end);
      const std::uint64_t a_id = a < a_end ? first_.id[DiffBase::Slot{a}] : kNoOffset;
      const std::uint64_t b_id = b < b_end ? graph_.nodes.id[order[b]] : kNoOffset;
      if (b == b_end || (a < a_end && a_id < b_id)) {
        removed(DiffBase::Slot{a++});
      } else if (a == a_end || b_id < a_id) {
        added(order[b++]);
      } else {
        survived(DiffBase::Slot{a++}, order[b++]);
      }
    }
  }

  void removed(DiffBase::Slot slot) {
    const std::int64_t bytes = as_signed(first_.self_bytes[slot]);
    ClassDelta& row = rows_.of_first(first_.class_of[slot]);
    ++row.removed_count;
    row.removed_bytes += bytes;
    if (!is_embedder(first_.id[slot])) rows_.note_change_of_program(row);
    ++diff_.balance.deleted_count;
    diff_.balance.deleted_bytes += bytes;
  }

  void added(Node node) {
    const std::int64_t bytes = as_signed(graph_.nodes.self_bytes[node]);
    ClassDelta& row = rows_.of_second(second_.classes.of(node));
    ++row.added_count;
    row.added_bytes += bytes;
    if (!is_embedder(graph_.nodes.id[node])) rows_.note_change_of_program(row);
    ++diff_.balance.new_count;
    diff_.balance.new_bytes += bytes;
  }

  void survived(DiffBase::Slot slot, Node node) {
    const Class c = second_.classes.of(node);
    const std::int64_t delta = as_signed(graph_.nodes.self_bytes[node]) - as_signed(first_.self_bytes[slot]);
    ClassDelta& row = rows_.of_second(c);
    row.survivor_delta_bytes += delta;
    if (delta != 0) rows_.note_change_of_program(row);
    diff_.balance.survivor_delta_bytes += delta;
    ++diff_.balance.survivor_count;
    if (!rows_.are_same(first_.class_of[slot], c)) ++diff_.renamed_survivor_count;
    const std::int64_t owned = as_signed(second_.owned_bytes[node]) - as_signed(first_.owned_bytes[slot]);
    if (owned <= 0) return;
    const std::int64_t retained = as_signed(second_.retained_bytes[node]) - as_signed(first_.retained_bytes[slot]);
    growers_.emplace(node.value, Grower{.node = node,
                                        .id = graph_.nodes.id[node],
                                        .owned_delta_bytes = owned,
                                        .entries_before = first_.few_properties[slot],
                                        .retained_delta_bytes = retained});
  }

  /** Containers that took entries without a larger array grow as well: V8 makes room ahead. */
  void find_growers(const std::vector<Collection>& collections, std::size_t growers_max) {
    for (const Collection& collection : collections) {
      const std::uint64_t id = graph_.nodes.id[collection.node];
      const CollectionRecord* const before = first_.collection(id);
      auto grower = growers_.find(collection.node.value);
      if (grower == growers_.end()) {
        if (before == nullptr || before->entries >= collection.entries) continue;
        grower = growers_.emplace(collection.node.value, Grower{.node = collection.node, .id = id}).first;
      }
      if (before != nullptr) grower->second.entries_before = before->entries;
      grower->second.delta_entries = as_signed(collection.entries) - as_signed(grower->second.entries_before);
      grower->second.entries = collection.entries;
      if (before != nullptr)
        grower->second.retained_delta_bytes =
            as_signed(second_.retained_bytes[collection.node]) - as_signed(before->retained_bytes);
    }
    for (auto& [node, grower] : growers_) {
      grower.is_v8s_own = is_made_by_v8(graph_.kind(grower.node));
      diff_.growers.push_back(grower);
    }
    // A container is as large as what it took in; the global object takes in everything, and says nothing by it.
    const auto gain = [this](const Grower& grower) {
      const bool is_global = graph_.is_named(grower.node, hash_text("global")) ||
                             graph_.is_named(grower.node, hash_text("global (global*)"));
      const bool took = grower.delta_entries > 0 && !is_global;
      return std::max(grower.owned_delta_bytes, took ? grower.retained_delta_bytes : std::int64_t{0});
    };
    std::sort(diff_.growers.begin(), diff_.growers.end(), [&](const Grower& a, const Grower& b) {
      if (a.is_v8s_own != b.is_v8s_own) return b.is_v8s_own;
      if (gain(a) != gain(b)) return gain(a) > gain(b);
      if (a.delta_entries != b.delta_entries) return a.delta_entries > b.delta_entries;
      return a.id < b.id;
    });
    if (diff_.growers.size() > growers_max) diff_.growers.resize(growers_max);
  }

  const DiffBase& first_;
  const Snapshot& second_;
  const HeapGraph& graph_;
  Progress& progress_;
  Rows rows_;
  HeapDiff diff_;
  std::unordered_map<std::uint32_t, Grower> growers_;
};

}  // namespace

HeapDiff diff_heaps(const DiffBase& first, const Snapshot& second, std::size_t growers_max, const Crew& crew,
                    Progress& progress) {
  progress.enter(Phase::kComparing);
  return Join(first, second, progress).run(growers_max, crew);
}

Balance balance_of_strangers(const DiffBase& first, const HeapGraph& second) {
  Balance balance;
  balance.new_count = second.node_count();
  balance.new_bytes = as_signed(second.total_self_bytes());
  balance.deleted_count = first.node_count;
  balance.deleted_bytes = as_signed(first.total_self_bytes);
  balance.delta_bytes = balance.new_bytes - balance.deleted_bytes;
  return balance;
}

std::vector<ClassDelta> diff_classes(const DiffBase& first, const Snapshot& second) {
  Rows rows(first, second, true);
  for (std::uint32_t c = 0; c < first.classes.size(); ++c) {
    rows.note_change_of_program(rows.of_first(c));
    rows.of_first(c).removed_count += first.classes[c].count;
    rows.of_first(c).removed_bytes += as_signed(first.classes[c].bytes);
  }
  for (const Class c : second.classes.all()) {
    rows.note_change_of_program(rows.of_second(c));
    rows.of_second(c).added_count += second.totals(c).raw_count;
    rows.of_second(c).added_bytes += as_signed(second.totals(c).raw_bytes);
  }
  return rows.take();
}

}  // namespace crucible::heap
