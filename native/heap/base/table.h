#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

#include "heap/base/column.h"
#include "heap/base/index.h"

namespace crucible::heap {

/** A value for every index of one space. */
template <class Key, class T>
class Table {
 public:
  Table() = default;
  /** All zero. */
  explicit Table(std::size_t size) : values_(size) {}
  Table(std::size_t size, T value) : values_(size) { values_.fill(value); }
  explicit Table(Column<T>&& values) : values_(std::move(values)) {}

  T& operator[](Key key) { return values_[key.value]; }
  const T& operator[](Key key) const { return values_[key.value]; }
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(values_.size()); }
  [[nodiscard]] bool empty() const { return values_.empty(); }
  [[nodiscard]] Range<Key> keys() const { return {0, size()}; }
  [[nodiscard]] Column<T>& column() { return values_; }
  [[nodiscard]] const Column<T>& column() const { return values_; }
  [[nodiscard]] std::size_t bytes_held() const { return values_.bytes_held(); }
  void clear() { values_.clear(); }

 private:
  Column<T> values_;
};

/** One bit for every index of one space. */
template <class Key>
class Bits {
 public:
  Bits() = default;
  explicit Bits(std::size_t size) : words_((size + 63) / 64) {}

  [[nodiscard]] bool operator[](Key key) const { return (words_[key.value >> 6] >> (key.value & 63)) & 1; }
  void set(Key key) { words_[key.value >> 6] |= std::uint64_t{1} << (key.value & 63); }
  void reset(Key key) { words_[key.value >> 6] &= ~(std::uint64_t{1} << (key.value & 63)); }
  /** Sets the bit and says whether it was clear before. */
  bool claim(Key key) {
    const std::uint64_t bit = std::uint64_t{1} << (key.value & 63);
    std::uint64_t& word = words_[key.value >> 6];
    if (word & bit) return false;
    word |= bit;
    return true;
  }
  [[nodiscard]] std::uint64_t& word_at(std::size_t at) { return words_[at]; }
  [[nodiscard]] std::uint64_t word_at(std::size_t at) const { return words_[at]; }
  [[nodiscard]] std::size_t word_count() const { return words_.size(); }
  [[nodiscard]] bool empty() const { return words_.empty(); }
  [[nodiscard]] std::size_t bytes_held() const { return words_.bytes_held(); }

 private:
  Column<std::uint64_t> words_;
};

/**
 * 64-bit values that nearly always fit into 32: four bytes each, and a sorted
 * list of the few that do not.
 */
template <class Key>
class WideTable {
 public:
  using Wide = std::pair<std::uint32_t, std::uint64_t>;

  WideTable() = default;
  explicit WideTable(std::size_t size) : narrow_(size) {}

  [[nodiscard]] std::uint64_t operator[](Key key) const {
    const std::uint32_t value = narrow_[key.value];
    return value != kNone ? value : wide_at(key);
  }
  void set(Key key, std::uint64_t value) {
    if (value < kNone) [[likely]] {
      narrow_[key.value] = static_cast<std::uint32_t>(value);
    } else {
      set_wide_at(key, value);
    }
  }
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(narrow_.size()); }
  [[nodiscard]] Range<Key> keys() const { return {0, size()}; }
  /** The four-byte part: kNone stands for a value in `wide()`. */
  [[nodiscard]] Column<std::uint32_t>& narrow() { return narrow_; }
  [[nodiscard]] const Column<std::uint32_t>& narrow() const { return narrow_; }
  [[nodiscard]] const std::vector<Wide>& wide() const { return wide_; }
  /** Takes values that were collected elsewhere; their narrow part must be kNone already. */
  void set_wide(std::vector<Wide> values) {
    std::sort(values.begin(), values.end());
    wide_ = std::move(values);
  }
  [[nodiscard]] std::size_t bytes_held() const {
    return narrow_.bytes_held() + wide_.capacity() * sizeof(Wide);
  }

 private:
  void set_wide_at(Key key, std::uint64_t value) {
    narrow_[key.value] = kNone;
    const auto at = std::lower_bound(wide_.begin(), wide_.end(), Wide{key.value, 0});
    if (at != wide_.end() && at->first == key.value) {
      at->second = value;
    } else {
      wide_.insert(at, {key.value, value});
    }
  }
  [[nodiscard]] std::uint64_t wide_at(Key key) const {
    const auto at = std::lower_bound(wide_.begin(), wide_.end(), Wide{key.value, 0});
    return at->second;
  }

  Column<std::uint32_t> narrow_;
  std::vector<Wide> wide_;
};

/** Where the integers of a PackedTable are: small enough for the registers of a loop. */
class PackedView {
 public:
  PackedView(std::uint8_t* bytes, std::uint32_t width, std::uint32_t mask) : bytes_(bytes), width_(width), mask_(mask) {}

  [[nodiscard]] std::uint32_t operator[](std::size_t at) const {
    std::uint32_t value;
    std::memcpy(&value, bytes_ + at * width_, sizeof value);
    return value & mask_;
  }
  /** Writes no byte of a neighbour: two threads may set two integers. */
  void set(std::size_t at, std::uint32_t value) const {
    std::uint8_t* const place = bytes_ + at * width_;
    if (width_ == 4) {
      std::memcpy(place, &value, 4);
    } else {
      std::memcpy(place, &value, 2);
      if (width_ == 3) place[2] = static_cast<std::uint8_t>(value >> 16);
    }
  }
  [[nodiscard]] const std::uint8_t* address(std::size_t at) const { return bytes_ + at * width_; }
  /** The largest integer that fits. */
  [[nodiscard]] std::uint32_t mask() const { return mask_; }

 private:
  std::uint8_t* bytes_;
  std::uint32_t width_;
  std::uint32_t mask_;
};

/** Small integers, or positions, in as few whole bytes as the largest of them needs: two, three or four. */
template <class Key, class T = std::uint32_t>
class PackedTable {
  static_assert(std::endian::native == std::endian::little, "the low bytes of an integer must come first");

 public:
  PackedTable() = default;
  PackedTable(std::size_t size, std::uint32_t largest)
      : width_(largest < 0x10000 ? 2 : largest < 0x1000000 ? 3 : 4),
        mask_(width_ == 4 ? kNone : (1u << (8 * width_)) - 1) {
    resize(size);
  }

  [[nodiscard]] T operator[](Key key) const { return T{view()[key.value]}; }
  void set(Key key, T value) {
    if constexpr (std::is_integral_v<T>) view().set(key.value, value);
    else view().set(key.value, value.value);
  }
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(size_); }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] Range<Key> keys() const { return {0, size()}; }
  [[nodiscard]] PackedView view() const { return {const_cast<std::uint8_t*>(bytes_.data()), width_, mask_}; }
  [[nodiscard]] std::uint32_t mask() const { return mask_; }
  [[nodiscard]] std::size_t bytes_held() const { return bytes_.bytes_held(); }

  void resize(std::size_t size) {
    bytes_.resize(bytes_of(size));
    size_ = size;
  }
  /** Room for `size` values, growing geometrically. */
  void grow_to(std::size_t size) {
    if (size <= size_) return;
    bytes_.grow_to(bytes_of(size));
    size_ = size;
  }
  void shrink_to_fit() { bytes_.shrink_to_fit(); }
  void clear() { *this = PackedTable(); }

 private:
  /** Integers are read four bytes at a time, the last one too. */
  [[nodiscard]] std::size_t bytes_of(std::size_t size) const { return size * width_ + 4; }

  std::size_t size_ = 0;
  std::uint32_t width_ = 2;
  std::uint32_t mask_ = 0xFFFF;
  Column<std::uint8_t> bytes_;
};

/**
 * 32-bit values that nearly always fit into 24: three bytes each, and a sorted
 * list of the few that do not.
 */
template <class Key>
class NarrowTable {
 public:
  using Wide = std::pair<std::uint32_t, std::uint32_t>;

  NarrowTable() = default;
  /** @param largest few values are larger */
  NarrowTable(std::size_t size, std::uint32_t largest) : narrow_(size, largest) {}

  [[nodiscard]] std::uint32_t operator[](Key key) const {
    const std::uint32_t value = narrow_[key];
    return value != narrow_.mask() ? value : wide_at(key);
  }
  [[nodiscard]] std::uint32_t size() const { return narrow_.size(); }
  /** What fits: its mask() stands for a value in the list. */
  [[nodiscard]] PackedTable<Key>& narrow() { return narrow_; }
  [[nodiscard]] const PackedTable<Key>& narrow() const { return narrow_; }
  /** Takes values that were collected elsewhere; their narrow part must be the mask already. */
  void set_wide(std::vector<Wide> values) {
    std::sort(values.begin(), values.end());
    wide_ = std::move(values);
  }
  [[nodiscard]] std::size_t bytes_held() const { return narrow_.bytes_held() + wide_.capacity() * sizeof(Wide); }

 private:
  [[nodiscard]] std::uint32_t wide_at(Key key) const {
    const auto at = std::lower_bound(wide_.begin(), wide_.end(), Wide{key.value, 0});
    return at != wide_.end() && at->first == key.value ? at->second : narrow_.mask();
  }

  PackedTable<Key> narrow_;
  std::vector<Wide> wide_;
};

}  // namespace crucible::heap
