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

/**
 * The first of two snapshots, reduced to what a comparison needs: about 15
 * bytes a node instead of 120. The snapshot itself can go before the second is
 * read, so that a comparison needs little more memory than one analysis.
 */
struct DiffBase {
  using Slot = Index<struct SlotSpace>;

  /** In the order of the ids. */
  WideTable<Slot> id;
  WideTable<Slot> self_bytes;
  WideTable<Slot> owned_bytes;
  PackedTable<Slot> class_of;
  /** Ids of collections, sorted, with their entries. */
  std::vector<std::pair<std::uint64_t, std::uint64_t>> entries;
  std::vector<ClassRecord> classes;
  /** For the analysis of the second snapshot, so that the same shapes get the same names. */
  std::vector<Interface> interfaces;
  std::uint64_t node_count = 0;
  std::uint64_t edge_count = 0;
  std::uint64_t total_self_bytes = 0;

  [[nodiscard]] std::size_t bytes_held() const;
};

[[nodiscard]] DiffBase make_diff_base(const Snapshot& snapshot, Progress& progress);

}  // namespace crucible::heap
