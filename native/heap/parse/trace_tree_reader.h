#pragma once

#include <cstdint>
#include <vector>

#include "heap/graph/trace_tree.h"
#include "heap/graph/snapshot_meta.h"

namespace crucible::heap {

/**
 * Reads the nested "trace_tree" section, byte by byte and without recursion:
 * `[id, function, count, bytes, [child, child, ...], id, ...]`, however deep.
 */
class TraceTreeReader {
 public:
  /** Throws SNAPSHOT_COLUMNS when the rows lack a column that is needed. */
  void begin(const SnapshotMeta& meta, TraceTree& into);
  [[nodiscard]] bool done() const { return done_; }
  const char* read(const char* p, const char* end, std::uint64_t offset);

 private:
  /** The rows of one list of children. */
  struct Level {
    std::uint32_t parent = kNone;
    std::uint32_t row = kNone;
    std::uint32_t column = 0;
  };

  void open(std::uint64_t offset);
  void close(std::uint64_t offset);
  void number_ended(std::uint64_t offset);
  [[noreturn]] static void fail(std::uint64_t offset, const char* why);

  TraceTree* into_ = nullptr;
  std::uint32_t width_ = 0, id_ = 0, function_ = 0, count_ = 0, size_ = 0, children_ = 0;
  std::vector<Level> levels_;
  bool in_number_ = false;
  bool after_value_ = false;
  std::uint64_t value_ = 0;
  bool done_ = false;
};

}  // namespace crucible::heap
