#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "heap/analysis/snapshot.h"
#include "heap/base/progress.h"
#include "heap/compare/diff_base.h"

namespace crucible::heap {

/** delta = new - deleted + survivor delta, to the byte, on the sizes that the files give. */
struct Balance {
  std::int64_t delta_bytes = 0;
  std::int64_t new_bytes = 0;
  std::int64_t deleted_bytes = 0;
  std::int64_t survivor_delta_bytes = 0;
  std::uint64_t new_count = 0;
  std::uint64_t deleted_count = 0;
  std::uint64_t survivor_count = 0;

  /** Zero, or the comparison is wrong. */
  [[nodiscard]] std::int64_t residual_bytes() const {
    return delta_bytes - (new_bytes - deleted_bytes + survivor_delta_bytes);
  }
};

/** Whether a row is about the program, and if not, why it is ranked last. It stays in every sum. */
enum class Noise : std::uint8_t {
  kSignal,
  /** Code, feedback and scope data that V8 makes while it warms up. */
  kCompiler,
  /** Only objects of the embedder, whose ids never survive from one snapshot to the next. */
  kEmbedder,
};

/** One class in both snapshots. A survivor counts with the class it has in the second. */
struct ClassDelta {
  std::string name;
  std::string key;
  std::optional<Location> location;
  NodeKind kind = NodeKind::kOther;
  /** Then `location` is valid in the first snapshot's process. */
  bool is_only_in_first = true;
  Noise noise = Noise::kSignal;
  std::uint64_t added_count = 0, removed_count = 0;
  std::int64_t added_bytes = 0, removed_bytes = 0;
  std::int64_t survivor_delta_bytes = 0;
  std::int64_t retained_delta_bytes = 0;

  [[nodiscard]] std::int64_t delta_count() const {
    return static_cast<std::int64_t>(added_count) - static_cast<std::int64_t>(removed_count);
  }
  [[nodiscard]] std::int64_t delta_bytes() const { return added_bytes - removed_bytes + survivor_delta_bytes; }
};

/** An object in both snapshots that has become larger, the arrays that it owns included. */
struct Grower {
  Node node;
  std::uint64_t id = 0;
  std::int64_t owned_delta_bytes = 0;
  std::int64_t delta_entries = 0;
  std::uint64_t entries_before = 0;
  std::uint64_t entries = 0;
  /** A shape, code and the like: ranked last. */
  bool is_v8s_own = false;
  /** Of all that goes with it. */
  std::int64_t retained_delta_bytes = 0;
};

struct HeapDiff {
  Balance balance;
  /** Largest growth first, noise after everything else. */
  std::vector<ClassDelta> classes;
  /** By what they took in or became larger by; what V8 made for itself after everything else. */
  std::vector<Grower> growers;
  /** Survivors whose class is another one: many of them mean that ids do not name the same objects. */
  std::uint64_t renamed_survivor_count = 0;

  /** True if the two files look like one process: compare by class and path otherwise. */
  [[nodiscard]] bool is_one_process() const {
    return balance.survivor_count != 0 && renamed_survivor_count * 5 < balance.survivor_count;
  }
};

/**
 * Compares by object id. Analyse `second` with `first.interfaces`, so that
 * plain objects of one shape have one name in both. O(nodes).
 */
[[nodiscard]] HeapDiff diff_heaps(const DiffBase& first, const Snapshot& second, std::size_t growers_max,
                                  const Crew& crew, Progress& progress);

/** Of two processes: all objects of the first went, and all of the second came. */
[[nodiscard]] Balance balance_of_strangers(const DiffBase& first, const HeapGraph& second);

/**
 * Compares two processes, or two versions of a program, by class name alone:
 * counts and bytes; no object is the same in both. Sums to the total delta.
 */
[[nodiscard]] std::vector<ClassDelta> diff_classes(const DiffBase& first, const Snapshot& second);

}  // namespace crucible::heap
