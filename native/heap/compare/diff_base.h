#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "heap/analysis/snapshot.h"
#include "heap/base/progress.h"
#include "heap/base/table.h"

namespace crucible::heap {

/** What a class was called and held, after its snapshot is gone. */
struct ClassRecord {
  std::string name;
  std::string key;
  std::uint64_t key_hash = 0;
  std::uint64_t name_hash = 0;
  std::optional<Location> location;
  NodeKind kind = NodeKind::kOther;
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  std::uint64_t retained_bytes = 0;
};

/** What a collection held. */
struct CollectionRecord {
  std::uint64_t id = 0;
  std::uint64_t entries = 0;
  std::uint64_t retained_bytes = 0;
};

/**
 * The first of two snapshots, reduced to what a comparison needs: about 20
 * bytes a node instead of 120. The snapshot itself can go before the second is
 * read, so that a comparison needs little more memory than one analysis.
 */
struct DiffBase {
  using Slot = Index<struct SlotSpace>;

  /** In the order of the ids. */
  WideTable<Slot> id;
  WideTable<Slot> self_bytes;
  WideTable<Slot> owned_bytes;
  WideTable<Slot> retained_bytes;
  PackedTable<Slot> class_of;
  /** Of objects that have too few of them to be a dictionary, and may be one next time. */
  Table<Slot, std::uint8_t> few_properties;
  /** By id. */
  std::vector<CollectionRecord> collections;
  std::vector<ClassRecord> classes;
  /** For the analysis of the second snapshot, so that the same shapes get the same names. */
  std::vector<Interface> interfaces;
  std::uint64_t node_count = 0;
  std::uint64_t edge_count = 0;
  std::uint64_t total_self_bytes = 0;

  /** None if no collection had that id. */
  [[nodiscard]] const CollectionRecord* collection(std::uint64_t id_of_collection) const;
  [[nodiscard]] std::size_t bytes_held() const;
};

[[nodiscard]] DiffBase make_diff_base(const Snapshot& snapshot, const Crew& crew, Progress& progress);

}  // namespace crucible::heap
