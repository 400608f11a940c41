#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "heap/base/column.h"

namespace crucible::heap {

/**
 * Sorts by a 32-bit key; equals keep their order. O(rows), and a second copy of
 * the rows meanwhile.
 * @param key_max no key is larger
 */
template <class Row, class KeyOf>
void radix_sort(Column<Row>& rows, std::uint32_t key_max, KeyOf key_of) {
  constexpr int kBits = 11;
  constexpr std::uint32_t kBuckets = 1u << kBits;
  Column<Row> sorted(rows.size());
  for (int shift = 0; shift < 32 && key_max >> shift != 0; shift += kBits) {
    const auto bucket_of = [&](const Row& row) { return key_of(row) >> shift & (kBuckets - 1); };
    std::array<std::uint32_t, kBuckets> next{};
    for (const Row& row : rows) ++next[bucket_of(row)];
    std::uint32_t sum = 0;
    for (std::uint32_t& place : next) sum += std::exchange(place, sum);
    for (const Row& row : rows) sorted[next[bucket_of(row)]++] = row;
    rows.swap(sorted);
  }
}

}  // namespace crucible::heap
