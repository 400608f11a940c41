#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "heap/base/table.h"

namespace crucible::heap {

/**
 * WeakMap entries. V8 writes each as two internal edges to the value, one from
 * the key and one from the table, and says so only in their names:
 *
 *   7 / part of key (X @id) -> value (Y @id) pair in WeakMap (table @id)
 *
 * X and Y are text of the program and may contain anything, so the name is
 * read from its end, and the ids must agree with the edge.
 */
class Ephemerons {
 public:
  struct Entry {
    Text name;
    /** Equal for the two edges of one entry, dense from zero. */
    std::uint32_t pair = 0;
    std::uint64_t table_id = 0;
    std::uint64_t value_id = 0;
  };

  /** What the name of an entry says. */
  struct Parts {
    std::uint64_t slot = 0;
    std::uint64_t key_id = 0;
    std::uint64_t value_id = 0;
    std::uint64_t table_id = 0;
  };
  /** Nothing if the text names no entry. */
  [[nodiscard]] static std::optional<Parts> parse(std::string_view name);

  /** Looks at a string of the table, in order; remembers it if it names an entry. */
  void consider(Text text, std::string_view name);
  /** To be called once after the last string. */
  void finish(std::uint32_t string_count);

  [[nodiscard]] const Entry* of(Text name) const {
    if (named_.empty() || name.value >= string_count_ || !named_[name]) return nullptr;
    return &*std::lower_bound(entries_.begin(), entries_.end(), name,
                              [](const Entry& entry, Text text) { return entry.name < text; });
  }
  [[nodiscard]] std::uint32_t pair_count() const { return pair_count_; }
  [[nodiscard]] std::size_t bytes_held() const { return entries_.capacity() * sizeof(Entry) + named_.bytes_held(); }

 private:
  std::vector<Entry> entries_;
  std::vector<std::uint64_t> pair_hashes_;
  Bits<Text> named_;
  std::uint32_t string_count_ = 0;
  std::uint32_t pair_count_ = 0;
};

}  // namespace crucible::heap
