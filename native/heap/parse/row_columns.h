#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "heap/base/index.h"
#include "heap/graph/heap_graph.h"
#include "heap/parse/number_reader.h"

namespace crucible::heap {

/** Every `width`-th value of a batch: one column of the rows in it. */
struct Stride {
  std::size_t first;
  std::uint64_t first_row;

  Stride(std::uint64_t ordinal, std::uint32_t width, std::uint32_t column)
      : first((column + width - ordinal % width) % width), first_row((ordinal + first) / width) {}
};

[[noreturn]] void throw_out_of_range(const char* of, std::uint64_t row, const char* column, std::uint64_t value,
                                     const std::string& limit, std::uint64_t offset);

/** Numbers of the "nodes" section into columns. Parts of it may be taken by several threads. */
class NodeRows {
 public:
  /** What one thread learned besides the columns. */
  struct Part {
    std::uint64_t edge_total = 0;
    std::uint64_t name_max = 0;
    std::uint64_t name_max_row = 0;
    bool traced = false;
    std::vector<WideTable<Node>::Wide> wide_ids, wide_sizes;
    /** Kept apart: type and detachedness share a byte, and two threads may share a row. */
    std::vector<std::pair<std::uint32_t, std::uint8_t>> detached;
    void merge(Part&& other);
  };

  NodeRows(const SnapshotMeta& meta, NodeColumns& into);
  [[nodiscard]] std::uint32_t width() const { return width_; }
  [[nodiscard]] std::uint64_t declared() const { return declared_; }
  static constexpr const char* kName = "nodes";

  /** Room for that many rows in every column. */
  void make_room(std::uint64_t rows);
  void take(Part& part, std::uint64_t ordinal, const std::uint64_t* values, std::size_t count, const BatchPlace& place) const;
  /** Sets the sizes and the wide values. `first_edge` still holds counts. */
  void finish(std::uint64_t rows, Part&& part);

 private:
  void take_detachedness(Part& part, std::uint64_t ordinal, const std::uint64_t* values, std::size_t count) const;

  NodeColumns& into_;
  std::uint32_t width_, type_, name_, id_, self_size_, edge_count_;
  std::uint32_t trace_node_, detachedness_;
  std::uint64_t type_count_;
  std::uint64_t declared_;
};

/** Numbers of the "edges" section into columns. */
class EdgeRows {
 public:
  struct Part {
    std::uint64_t name_max = 0;
    std::uint64_t name_max_row = 0;
    std::uint64_t dropped = 0;
    std::vector<NarrowTable<Edge>::Wide> wide_names;
    void merge(Part&& other);
  };

  /** @param lenient edges to nowhere become weak edges to the first node, and are counted */
  EdgeRows(const SnapshotMeta& meta, EdgeColumns& into, bool lenient);
  [[nodiscard]] std::uint32_t width() const { return width_; }
  [[nodiscard]] std::uint64_t declared() const { return declared_; }
  static constexpr const char* kName = "edges";

  void make_room(std::uint64_t rows);
  void take(Part& part, std::uint64_t ordinal, const std::uint64_t* values, std::size_t count, const BatchPlace& place) const;
  void finish(std::uint64_t rows, Part&& part);

 private:
  void take_targets(Part& part, std::uint64_t ordinal, const std::uint64_t* values, std::size_t count,
                    const BatchPlace& place) const;

  const SnapshotMeta& meta_;
  EdgeColumns& into_;
  bool lenient_;
  std::uint32_t width_, type_, name_, to_;
  std::uint32_t node_width_;
  std::uint64_t type_count_;
  std::uint64_t declared_;
};

}  // namespace crucible::heap
