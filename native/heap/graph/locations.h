#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "heap/base/column.h"
#include "heap/base/index.h"
#include "heap/base/radix_sort.h"

namespace crucible::heap {

/** A place in a script. Line and column count from zero, as V8 does. */
struct Location {
  std::uint32_t script_id = 0;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  friend auto operator<=>(const Location&, const Location&) = default;
};

/** Where closures and the constructors of objects are written: 16 bytes for each that has one. */
class Locations {
 public:
  struct Row {
    Node node;
    Location location;
  };

  void append(Row row) { rows_.push_back(row); }
  /** For whoever writes rows in another order. */
  void resize(std::size_t rows) { rows_.resize(rows); }
  [[nodiscard]] Row* data() { return rows_.data(); }
  /** Into node order. The last row of a node wins, as in DevTools' map. @param node_count above all nodes */
  void sort(std::uint32_t node_count) {
    const auto by_node = [](const Row& row) { return row.node.value; };
    if (!std::ranges::is_sorted(rows_, {}, by_node)) radix_sort(rows_, node_count, by_node);
  }
  /** To be called once after the last row. Forgets those of nodes that a salvaged file has lost. */
  void finish(std::uint32_t node_count) {
    std::size_t kept = 0;
    for (const Row& row : rows_)
      if (row.node.value < node_count) rows_[kept++] = row;
    rows_.resize(kept);
    sort(node_count);
    rows_.shrink_to_fit();
  }
  [[nodiscard]] std::optional<Location> of(Node node) const {
    const auto after = std::upper_bound(rows_.begin(), rows_.end(), node, [](Node n, const Row& row) { return n < row.node; });
    if (after == rows_.begin() || (after - 1)->node != node) return std::nullopt;
    return (after - 1)->location;
  }
  /** In node order. */
  [[nodiscard]] const Column<Row>& rows() const { return rows_; }
  [[nodiscard]] std::size_t bytes_held() const { return rows_.bytes_held(); }
  void reserve(std::size_t rows) { rows_.reserve(rows); }

 private:
  Column<Row> rows_;
};

}  // namespace crucible::heap
