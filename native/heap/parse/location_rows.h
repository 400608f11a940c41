#pragma once

#include <algorithm>
#include <cstdint>

#include "heap/graph/locations.h"
#include "heap/graph/snapshot_meta.h"
#include "heap/parse/row_columns.h"

namespace crucible::heap {

/**
 * Numbers of the "locations" section into rows. Only what is right is taken:
 * for anything else take() throws, and the sequential reader says or leaves out what is wrong.
 */
class LocationRows {
 public:
  struct Part {
    void merge(Part&&) {}
  };

  /** @param bytes_left of the file: nothing declares how many rows there are */
  LocationRows(const SnapshotMeta& meta, std::uint64_t bytes_left, Locations& into)
      : into_(into),
        width_(meta.location_row.width()),
        columns_{column(meta, "object_index"), column(meta, "script_id"), column(meta, "line"), column(meta, "column")},
        node_width_(meta.node_row.width()),
        node_count_(meta.node_count),
        // A number takes two bytes at least.
        rows_max_(std::ranges::count(columns_, kNone) != 0 ? 0 : std::min(node_count_, bytes_left / 2 / width_)) {}

  [[nodiscard]] std::uint32_t width() const { return width_; }
  /** No more rows than this are taken; 0 without the columns that are needed. */
  [[nodiscard]] std::uint64_t declared() const { return rows_max_; }
  static constexpr const char* kName = "locations";

  void make_room(std::uint64_t rows) { into_.resize(rows); }

  void take(Part&, std::uint64_t ordinal, const std::uint64_t* values, std::size_t count, const BatchPlace& place) const {
    Locations::Row* const rows = into_.data();
    const auto each = [&](std::uint32_t column, auto&& set) {
      const Stride at(ordinal, width_, column);
      std::uint64_t row = at.first_row;
      for (std::size_t i = at.first; i < count; i += width_, ++row) set(rows[row], values[i], i);
    };
    const auto narrow = [](std::uint64_t value) { return static_cast<std::uint32_t>(std::min<std::uint64_t>(value, kNone)); };
    each(columns_[0], [&](Locations::Row& row, std::uint64_t index, std::size_t at) {
      const std::uint64_t node = index / node_width_;
      if (index % node_width_ != 0 || node >= node_count_)
        throw_out_of_range(kName, 0, "object_index", index, "it is no node", place.offset_of(at));
      row.node = Node{static_cast<std::uint32_t>(node)};
    });
    each(columns_[1], [&](Locations::Row& row, std::uint64_t id, std::size_t) { row.location.script_id = narrow(id); });
    each(columns_[2], [&](Locations::Row& row, std::uint64_t line, std::size_t) { row.location.line = narrow(line); });
    each(columns_[3], [&](Locations::Row& row, std::uint64_t at, std::size_t) { row.location.column = narrow(at); });
  }

 private:
  static std::uint32_t column(const SnapshotMeta& meta, const char* name) {
    return meta.location_row.column(name).value_or(kNone);
  }

  Locations& into_;
  std::uint32_t width_;
  std::uint32_t columns_[4];
  std::uint64_t node_width_, node_count_, rows_max_;
};

}  // namespace crucible::heap
